internal import ArgumentParser
internal import CarillonCron

/// A length of time as people write it: `30s`, `1h30m`, `500ms`, `PT5M`; a bare number is seconds.
struct Span: Sendable, Hashable, CustomStringConvertible {
    var milliseconds: Int64

    static let rule = "30s, 1h30m, 500ms, 2d, PT5M, or a number of seconds such as 1.5"

    /// About 31,700 years.
    private static let longestMs = 1e15

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// `nil` when it is none.
    init?(_ text: String) {
        if let milliseconds = DurationText.parse(text) {
            self.milliseconds = milliseconds
            return
        }
        // `Double(_:)` alone would also take `1e3`, `inf` and `0x1`.
        let isPlain = text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: ".") }
        guard isPlain, let seconds = Double(text), seconds * 1000 <= Span.longestMs else { return nil }
        milliseconds = Int64((seconds * 1000).rounded())
    }

    var seconds: Double { Double(milliseconds) / 1000 }

    var description: String { DurationText.format(milliseconds: milliseconds) }
}

extension Span {
    /// An option's value.
    /// - Throws: `ValidationError`, which says what would be one.
    static func read(_ text: String) throws -> Span {
        guard let span = Span(text) else { throw ValidationError("a duration is \(rule)") }
        return span
    }
}
