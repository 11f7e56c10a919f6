/// A date and a time of day as a wall clock shows them, without a zone. Proleptic Gregorian calendar, no leap seconds.
public struct CivilTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int
    /// 0 to 23.
    public var hour: Int
    /// 0 to 59.
    public var minute: Int
    /// 0 to 59.
    public var second: Int

    /// The fields are not checked. A date that does not exist, such as February 30th, means the days after the month's end when it is
    /// converted to seconds.
    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The local time of a clock that is `offset` seconds east of UTC, at `seconds` since 1970-01-01T00:00:00Z.
    ///
    /// - Parameters:
    ///   - seconds: Unix seconds, clamped to 292 million years around 1970.
    ///   - offset: Seconds east of UTC.
    public init(seconds: Int64, offset: Int = 0) {
        let bound: Int64 = 1 << 53
        let local = max(-bound, min(bound, seconds)) + Int64(max(-1 << 40, min(1 << 40, offset)))
        let day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        let secondOfDay = Int(local - day * 86_400)
        let date = Gregorian.date(ofAnyDay: Int(day))
        self.init(
            year: date.year,
            month: date.month,
            day: date.day,
            hour: secondOfDay / 3_600,
            minute: secondOfDay / 60 % 60,
            second: secondOfDay % 60
        )
    }

    /// Seconds since 1970-01-01T00:00:00 on the same clock; Unix seconds if that clock shows UTC.
    public var seconds: Int64 {
        Int64(Gregorian.day(year: year, month: month, day: day)) * 86_400
            + Int64(hour * 3_600 + minute * 60 + second)
    }

    /// 0 is Sunday, 6 is Saturday.
    public var weekday: Int {
        let day = Gregorian.day(year: year, month: month, day: day) + 4
        return day >= 0 ? day % 7 : (day % 7 + 7) % 7
    }

    /// `2026-11-23T20:00:00`.
    public var description: String {
        var text = DecimalText()
        text.append(self)
        return text.string
    }

    public static func < (left: CivilTime, right: CivilTime) -> Bool {
        (left.year, left.month, left.day, left.hour * 3_600 + left.minute * 60 + left.second)
            < (right.year, right.month, right.day, right.hour * 3_600 + right.minute * 60 + right.second)
    }
}
