/// Instants as text: the internet profile of ISO 8601 (RFC 3339).
public enum RFC3339 {
    /// `2026-11-23T20:00:00Z`, or `2026-11-23T20:00:00.123Z` where the milliseconds are not zero.
    ///
    /// - Parameter milliseconds: Milliseconds since 1970-01-01T00:00:00Z. RFC 3339 has the years 0 to 9999 only; others
    ///   are written with the digits they need.
    public static func format(milliseconds: Int64) -> String {
        let seconds = milliseconds >= 0 ? milliseconds / 1_000 : (milliseconds - 999) / 1_000
        let rest = Int(milliseconds - seconds * 1_000)
        var text = DecimalText()
        text.append(CivilTime(seconds: seconds))
        if rest != 0 {
            text.append(".")
            text.append(rest, width: 3)
        }
        text.append("Z")
        return text.string
    }

    /// `2026-11-23T21:00:00+01:00`; an offset of zero is written `Z`. RFC 3339 has no seconds in an offset. The seconds of local mean
    /// times (Amsterdam's +00:19:32 until 1937) are cut from the offset and from the local time, so that the text denotes the same
    /// instant.
    ///
    /// - Parameters:
    ///   - seconds: Seconds since 1970-01-01T00:00:00Z.
    ///   - offset: Seconds east of UTC.
    public static func format(seconds: Int64, offset: Int) -> String {
        let minutes = offset / 60
        var text = DecimalText()
        text.append(CivilTime(seconds: seconds, offset: minutes * 60))
        if minutes == 0 {
            text.append("Z")
        } else {
            text.append(minutes < 0 ? "-" : "+")
            text.append(abs(minutes) / 60, width: 2)
            text.append(":")
            text.append(abs(minutes) % 60, width: 2)
        }
        return text.string
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, or `nil` where the text is not an RFC 3339 date-time.
    ///
    /// The offset is `Z` or `+hh:mm` and must be there; a fraction has 1 to 9 digits, of which three count. `t`, `z` and a space
    /// in place of `T` are allowed (section 5.6). There are no leap seconds: `:60` is `nil`.
    public static func parse(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { parse($0) }
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        var scanner = ByteScanner(bytes)
        guard let year = scanner.digits(4), scanner.skip("-"), let month = scanner.digits(2), scanner.skip("-"),
            let day = scanner.digits(2), scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.digits(2), scanner.skip(":"), let minute = scanner.digits(2), scanner.skip(":"),
            let second = scanner.digits(2)
        else { return nil }
        guard (1...12).contains(month), day >= 1, day <= Gregorian.length(ofMonth: month, anyYear: year), hour <= 23,
            minute <= 59, second <= 59
        else { return nil }
        var milliseconds = 0
        if scanner.skip(".") {
            var count = 0
            while count < 9, let digit = scanner.digits(1) {
                if count < 3 { milliseconds = milliseconds * 10 + digit }
                count += 1
            }
            guard count > 0 else { return nil }
            for _ in count..<max(3, count) { milliseconds *= 10 }
        }
        var offset = 0
        if !scanner.skip("Z"), !scanner.skip("z") {
            let isWest = scanner.skip("-")
            guard isWest || scanner.skip("+"), let hours = scanner.digits(2), scanner.skip(":"),
                let minutes = scanner.digits(2), hours <= 23, minutes <= 59
            else { return nil }
            offset = (hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
        }
        guard scanner.isAtEnd else { return nil }
        let time = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        return (time.seconds - Int64(offset)) * 1_000 + Int64(milliseconds)
    }
}
