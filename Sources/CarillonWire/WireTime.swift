internal import CarillonCore
internal import CarillonCron

/// Times as the protocol carries them: milliseconds since 1970, within the years 1 to 9999.
enum WireTime {
    static let range = Timestamp.distantPast.milliseconds...Timestamp.distantFuture.milliseconds + 999

    /// Milliseconds of an RFC 3339 text; throws a sentence that says what is wrong with it.
    static func parse(_ text: String) throws(WireError) -> Int64 {
        do {
            let milliseconds = try RFC3339.milliseconds(text)
            guard range.contains(milliseconds) else {
                throw WireError(.invalid, "the year must be 1 to 9999")
            }
            return milliseconds
        } catch {
            throw WireError(.invalid, "\(error)")
        }
    }

    /// RFC 3339 in UTC.
    static func text(_ milliseconds: Int64) -> String {
        RFC3339.text(milliseconds)
    }
}
