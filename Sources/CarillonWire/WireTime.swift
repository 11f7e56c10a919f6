internal import CarillonCore
internal import CarillonCron

/// Times in the protocol: milliseconds since 1970, within the years 1 to 9999.
package enum WireTime {
    static let range = Timestamp.distantPast.milliseconds...Timestamp.distantFuture.milliseconds + 999

    /// Parses an RFC 3339 text into milliseconds. The error says what is wrong with the text.
    package static func parse(_ text: String) throws(WireError) -> Int64 {
        guard let milliseconds = RFC3339.parse(text) else {
            let shown = text.count > 60 ? text.prefix(60) + "…" : text
            throw WireError(.invalid, "\"\(shown)\" is not an RFC 3339 time such as 2026-03-01T12:00:00Z")
        }
        guard range.contains(milliseconds) else {
            throw WireError(.invalid, "the year must be 1 to 9999")
        }
        return milliseconds
    }

    /// RFC 3339 in UTC.
    package static func text(_ milliseconds: Int64) -> String {
        RFC3339.format(milliseconds: milliseconds)
    }
}
