internal import ArgumentParser
internal import CarillonCore
internal import CarillonCron

/// An instant as given on the command line: RFC 3339, a date, a word such as `today`, or an offset from now.
struct TimeArgument: Sendable, Hashable {
    private enum Meaning: Hashable {
        case instant(Timestamp)
        /// The start of a day, counted from today.
        case day(Int64)
        /// The start of a date, 00:00 UTC.
        case date(Timestamp)
        /// Milliseconds from now.
        case offset(Int64)
    }

    private var meaning: Meaning

    private static let forms =
        "2026-11-23T09:00:00Z (RFC 3339), 2026-11-23, now, today, yesterday, tomorrow, -1h, +30m; days start at 00:00"

    static let rule = forms + " UTC"
    /// The rule for options whose days are in the time zone in which times are shown.
    static let localRule = forms + " in the time zone of the output"

    /// `nil` if the text is not a time.
    init?(_ text: String) {
        switch text.lowercased() {
        case "now": meaning = .offset(0)
        case "today": meaning = .day(0)
        case "yesterday": meaning = .day(-1)
        case "tomorrow": meaning = .day(1)
        default:
            if text.hasPrefix("-") || text.hasPrefix("+") {
                guard let duration = DurationArgument(String(text.dropFirst())) else { return nil }
                meaning = .offset(text.hasPrefix("-") ? -duration.milliseconds : duration.milliseconds)
            } else if text.utf8.count == 10, let milliseconds = RFC3339.parse(text + "T00:00:00Z") {
                meaning = .date(Timestamp(milliseconds: milliseconds))
            } else if let milliseconds = RFC3339.parse(text) {
                meaning = .instant(Timestamp(milliseconds: milliseconds))
            } else {
                return nil
            }
        }
    }

    func time(at now: Timestamp, in clock: TimeFormat = .utc) -> Timestamp {
        switch meaning {
        case .instant(let time): return time
        case .date(let time): return TimeArgument.beginning(of: CivilTime(seconds: time.seconds), in: clock)
        case .day(let days):
            var today = clock.zone.civilTime(at: now.seconds)
            (today.hour, today.minute, today.second) = (0, 0, 0)
            return TimeArgument.beginning(of: CivilTime(seconds: today.seconds + days * 86_400), in: clock)
        case .offset(let milliseconds): return now + milliseconds
        }
    }

    private static func beginning(of day: CivilTime, in clock: TimeFormat) -> Timestamp {
        Timestamp(milliseconds: clock.seconds(of: day) * 1_000)
    }

    /// The instant as RFC 3339 in UTC.
    func text(at now: Timestamp, in clock: TimeFormat = .utc) -> String {
        RFC3339.format(milliseconds: time(at: now, in: clock).milliseconds)
    }
}

extension TimeArgument {
    /// Reads the value of an option.
    /// - Throws: `ValidationError` with the valid forms.
    static func read(_ text: String) throws -> TimeArgument {
        guard let word = TimeArgument(text) else { throw ValidationError("a time is \(rule)") }
        return word
    }

    /// Like `read`, with days of the time zone in which times are shown.
    static func readLocal(_ text: String) throws -> TimeArgument {
        guard let word = TimeArgument(text) else { throw ValidationError("a time is \(localRule)") }
        return word
    }
}
