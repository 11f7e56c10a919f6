internal import ArgumentParser
internal import CarillonCore
internal import CarillonCron

/// An instant as people write it: RFC 3339, a day, a word, or a distance from now. All of it in UTC.
struct TimeWord: Sendable, Hashable {
    private enum Meaning: Hashable {
        case instant(Timestamp)
        /// The beginning of a day, counted from this one.
        case day(Int64)
        /// Milliseconds from now.
        case offset(Int64)
    }

    private var meaning: Meaning

    static let rule =
        "2026-11-23T09:00:00Z (RFC 3339), 2026-11-23, now, today, yesterday, tomorrow, -1h, +30m; days begin at 00:00 UTC"

    /// `nil` when it is none of them.
    init?(_ text: String) {
        switch text.lowercased() {
        case "now": meaning = .offset(0)
        case "today": meaning = .day(0)
        case "yesterday": meaning = .day(-1)
        case "tomorrow": meaning = .day(1)
        default:
            if text.hasPrefix("-") || text.hasPrefix("+") {
                guard let span = Span(String(text.dropFirst())) else { return nil }
                meaning = .offset(text.hasPrefix("-") ? -span.milliseconds : span.milliseconds)
            } else if let milliseconds = RFC3339.parse(text.utf8.count == 10 ? text + "T00:00:00Z" : text) {
                meaning = .instant(Timestamp(milliseconds: milliseconds))
            } else {
                return nil
            }
        }
    }

    func time(at now: Timestamp) -> Timestamp {
        switch meaning {
        case .instant(let time): return time
        case .day(let days):
            let day: Int64 = 86_400_000
            let sinceMidnight = (now.milliseconds % day + day) % day
            return now - sinceMidnight + days * day
        case .offset(let milliseconds): return now + milliseconds
        }
    }

    /// RFC 3339 in UTC.
    func text(at now: Timestamp) -> String {
        RFC3339.format(milliseconds: time(at: now).milliseconds)
    }
}

extension TimeWord {
    /// An option's value.
    /// - Throws: `ValidationError`, which says what would be one.
    static func read(_ text: String) throws -> TimeWord {
        guard let word = TimeWord(text) else { throw ValidationError("a time is \(rule)") }
        return word
    }
}
