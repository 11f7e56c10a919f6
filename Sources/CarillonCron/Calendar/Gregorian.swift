/// Day numbers and dates of the proleptic Gregorian calendar. Day 0 is 1970-01-01.
///
/// The two conversions in 32-bit arithmetic follow Neri and Schneider, "Euclidean affine functions and their application to
/// calendar algorithms" (2022): no loops, no tables, multiplications in place of divisions.
enum Gregorian {
    /// Days from 0000-03-01, where the algorithm's count starts, to 1970-01-01.
    private static let epochShift: UInt32 = 719_468

    /// The date of a day from 1970-01-01 on.
    @inline(__always)
    static func date(ofDay day: UInt32) -> (year: UInt32, month: UInt32, day: UInt32) {
        let quarters = 4 &* (day &+ epochShift) &+ 3
        let century = quarters / 146_097
        let quartersOfCentury = (quarters % 146_097) | 3
        let product = 2_939_745 &* UInt64(quartersOfCentury)
        let yearOfCentury = UInt32(truncatingIfNeeded: product >> 32)
        let dayOfYear = UInt32(truncatingIfNeeded: product) / 2_939_745 / 4
        let monthAndDay = 2_141 &* dayOfYear &+ 197_913
        // In this algorithm years start in March, so January and February belong to the next calendar year.
        let isNextYear: UInt32 = dayOfYear >= 306 ? 1 : 0
        return (
            100 &* century &+ yearOfCentury &+ isNextYear,
            (monthAndDay >> 16) &- 12 &* isNextYear,
            (monthAndDay & 0xffff) / 2_141 &+ 1
        )
    }

    /// The number of the first day of a month, for years from 1970 on.
    @inline(__always)
    static func firstDay(ofMonth month: UInt32, year: UInt32) -> UInt32 {
        let isEarly: UInt32 = month <= 2 ? 1 : 0
        let year = year &- isEarly
        let century = year / 100
        let month = month &+ 12 &* isEarly
        return 1_461 &* year / 4 &- century &+ century / 4 &+ (979 &* month &- 2_919) / 32 &- epochShift
    }

    /// 28 to 31.
    @inline(__always)
    static func length(ofMonth month: UInt32, year: UInt32) -> UInt32 {
        if month == 2 { return isLeap(year) ? 29 : 28 }
        // July and August both have 31 days, so the pattern of long months is reversed from August on.
        return 30 | (month ^ (month >> 3))
    }

    @inline(__always)
    static func isLeap(_ year: UInt32) -> Bool {
        year & 3 == 0 && (year % 25 != 0 || year & 15 == 0)
    }

    /// 0 is Sunday, for days from 1970-01-01 on, which was a Thursday.
    @inline(__always)
    static func weekday(ofDay day: UInt32) -> UInt32 {
        (day &+ 4) % 7
    }

    /// The number of any date, also before 1970 and before year 1; `month` 1 to 12.
    static func day(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date of any day number.
    static func date(ofAnyDay day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// 28 to 31, for any year.
    static func length(ofMonth month: Int, anyYear year: Int) -> Int {
        if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
        return 30 | (month ^ (month >> 3))
    }
}
