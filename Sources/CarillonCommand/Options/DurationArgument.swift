internal import ArgumentParser
internal import CarillonCron
internal import CarillonSystem

/// A duration as given on the command line: `30s`, `1h30m`, `500ms`, `PT5M`; a number without a unit is in seconds.
struct DurationArgument: Sendable, Hashable, CustomStringConvertible {
    var milliseconds: Int64

    static let rule = "30s, 1h30m, 500ms, 2d, PT5M, or a number of seconds such as 1.5"

    /// About 31,700 years.
    private static let longestMs: Int64 = 1_000_000_000_000_000

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// `nil` if the text is not a duration.
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
    /// Reads the value of an option.
    /// - Throws: `ValidationError` with the valid forms.
    static func read(_ text: String) throws -> DurationArgument {
        guard let duration = DurationArgument(text) else { throw ValidationError("a duration is \(rule)") }
        return duration
    }
}
