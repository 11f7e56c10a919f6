/// Parses Retry-After (RFC 9110, section 10.2.3): seconds or a date.
enum RetryAfter {
    private static let longestMs: UInt64 = 366 * 86_400_000
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// - Parameter now: seconds since 1970, by the response's own Date if it has one, otherwise by this machine's clock.
    /// - Returns: the delay in milliseconds, at most a year; `nil` for an invalid value.
    static func milliseconds(_ text: String, now: Int64) -> UInt64? {
        let trimmed = text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        let value = String(trimmed)
        if !value.isEmpty, value.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) {
            guard value.utf8.count <= 10, let seconds = UInt64(value) else { return longestMs }
            return min(seconds * 1_000, longestMs)
        }
        guard let date = date(value) else { return nil }
        return date <= now ? 0 : min(UInt64(date - now) * 1_000, longestMs)
    }

    /// The three forms of an HTTP-date (RFC 9110, section 5.6.7), in seconds since 1970.
    static func date(_ text: String) -> Int64? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map { $0.lowercased() }
        switch words.count {
        case 6 where words[5] == "gmt":
            // Sun, 06 Nov 1994 08:49:37 GMT · Sunday, 06-Nov-94 08:49:37 GMT
            guard let day = Int(words[1]), let month = month(words[2]), var year = Int(words[3]) else { return nil }
            if words[3].utf8.count == 2 { year += year < 70 ? 2000 : 1900 }
            return seconds(year, month, day, words[4])
        case 5:
            // Sun Nov  6 08:49:37 1994
            guard let month = month(words[1]), let day = Int(words[2]), let year = Int(words[4]) else { return nil }
            return seconds(year, month, day, words[3])
        default:
            return nil
        }
    }

    private static func month(_ name: String) -> Int? {
        months.firstIndex(of: name).map { $0 + 1 }
    }

    private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ clock: String) -> Int64? {
        let parts = clock.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 3, 0...23 ~= parts[0], 0...59 ~= parts[1], 0...60 ~= parts[2], 1...31 ~= day,
            1970...9999 ~= year
        else { return nil }
        // The days-from-civil algorithm, with years that start in March.
        let shifted = month <= 2 ? year - 1 : year
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = shifted / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return Int64(days) * 86_400 + Int64(parts[0] * 3_600 + parts[1] * 60 + min(parts[2], 59))
    }
}
