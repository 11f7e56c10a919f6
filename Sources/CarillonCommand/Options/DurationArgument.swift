internal import ArgumentParser
internal import CarillonCron
internal import CarillonSystem

/// A length of time as people write it: `30s`, `1h30m`, `500ms`, `PT5M`; a bare number is seconds.
struct DurationArgument: Sendable, Hashable, CustomStringConvertible {
    var milliseconds: Int64

    static let rule = "30s, 1h30m, 500ms, 2d, PT5M, or a number of seconds such as 1.5"

    /// About 31,700 years.
    private static let longestMs: Int64 = 1_000_000_000_000_000

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// `nil` when it is none.
    init?(_ text: String) {
        guard let milliseconds = DurationSetting.milliseconds(text), milliseconds <= DurationArgument.longestMs else {
            return nil
        }
        self.milliseconds = milliseconds
    }

    var seconds: Double { Double(milliseconds) / 1000 }

    var description: String { DurationText.format(milliseconds: milliseconds) }
}

extension DurationArgument {
    /// An option's value.
    /// - Throws: `ValidationError`, which says what would be one.
    static func read(_ text: String) throws -> DurationArgument {
        guard let duration = DurationArgument(text) else { throw ValidationError("a duration is \(rule)") }
        return duration
    }
}
