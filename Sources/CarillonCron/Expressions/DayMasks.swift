/// The days of a month that the day-of-month and day-of-week fields select.
struct DayMasks: Sendable, Hashable {
    /// Bits 1 to 31: days by number.
    var daysOfMonth: UInt32 = 0
    /// Bit n: the day n days before the last (`L` is bit 0, `L-3` bit 3).
    var daysFromEnd: UInt32 = 0
    /// Bits 1 to 31: the weekday nearest to that day (`15W`).
    var nearestWeekdays: UInt32 = 0
    /// Bit n: the n-th weekday (Monday to Friday) before the last weekday of the month (`LW` is bit 0, `LW-2` bit 2).
    var lastWeekdays: UInt32 = 0
    /// Bits 0 (Sunday) to 6: weekdays by name.
    var weekdays: UInt32 = 0
    /// Bit `weekday * 6 + n - 1`: the n-th such weekday of the month, n = 6 the last.
    var nthWeekdays: UInt64 = 0
    /// The field is not exactly `*` or `?`.
    var monthDayIsRestricted = false
    var weekdayIsRestricted = false
    /// The day-of-week field begins with `+`: a day must satisfy both fields (OCPS 1.4, section 4.1.2).
    var requiresBoth = false

    private static let allDays: UInt32 = 0xffff_fffe
    private static let allWeekdays: UInt32 = 0x7f

    /// Whether a day that matches only one of the two fields counts.
    var isEither: Bool { monthDayIsRestricted && weekdayIsRestricted && !requiresBoth }

    private var hasOnlyNumbers: Bool {
        daysFromEnd == 0 && nearestWeekdays == 0 && lastWeekdays == 0 && nthWeekdays == 0
    }

    var isEveryDay: Bool {
        guard hasOnlyNumbers else { return false }
        let everyMonthDay = daysOfMonth == Self.allDays
        let everyWeekday = weekdays == Self.allWeekdays
        return isEither ? everyMonthDay || everyWeekday : everyMonthDay && everyWeekday
    }

    /// Whether only weekdays select days.
    var isPlainWeekdays: Bool {
        hasOnlyNumbers && !isEither && daysOfMonth == Self.allDays
    }

    /// Whether the weekday of the month's first day has no influence.
    @inline(__always)
    var isPlainMonthDays: Bool {
        nearestWeekdays == 0 && lastWeekdays == 0 && !weekdayIsRestricted
    }

    /// The days of a month, bits 1 to 31.
    ///
    /// - Parameters:
    ///   - length: Days of the month, 28 to 31.
    ///   - firstWeekday: Weekday of its first day, 0 is Sunday.
    @inline(__always)
    func days(length: UInt32, firstWeekday: UInt32) -> UInt32 {
        let exists = Self.allDays & (~0 &>> (31 &- length))
        var byNumber = daysOfMonth
        if daysFromEnd != 0 { byNumber |= fromEnd(length) }
        if nearestWeekdays != 0 || lastWeekdays != 0 { byNumber |= nearest(length, firstWeekday) }
        if !weekdayIsRestricted { return byNumber & exists }
        // Bit 0 of the rotated week is the weekday of the 1st; five copies of the week make a month.
        let week = ((weekdays &>> firstWeekday) | (weekdays &<< (7 &- firstWeekday))) & Self.allWeekdays
        var byWeekday = UInt32(truncatingIfNeeded: (UInt64(week) &* 0x1020_4081) &<< 1)
        if nthWeekdays != 0 { byWeekday |= nth(length, firstWeekday) }
        return (isEither ? byNumber | byWeekday : byNumber & byWeekday) & exists
    }

    /// Converts `L-n` to days: bit n becomes bit `length - n`.
    private func fromEnd(_ length: UInt32) -> UInt32 {
        var rest = daysFromEnd
        var days: UInt32 = 0
        while rest != 0 {
            let back = UInt32(rest.trailingZeroBitCount)
            rest &= rest &- 1
            if back < length { days |= 1 << (length - back) }
        }
        return days
    }

    /// The weekdays nearest to days, never beyond the month (OCPS 1.3, section 4.3).
    private func nearest(_ length: UInt32, _ firstWeekday: UInt32) -> UInt32 {
        var rest = nearestWeekdays
        var days: UInt32 = 0
        while rest != 0 {
            let day = UInt32(rest.trailingZeroBitCount)
            rest &= rest &- 1
            // A day that the month does not have has no nearest weekday.
            guard day <= length else { break }
            switch (firstWeekday + day - 1) % 7 {
            case 6: days |= 1 << (day == 1 ? 3 : day - 1)
            case 0: days |= 1 << (day == length ? day - 2 : day + 1)
            default: days |= 1 << day
            }
        }
        if lastWeekdays != 0 { days |= beforeLastWeekday(length, firstWeekday) }
        return days
    }

    /// Converts `LW-n` to days: each step back skips Saturdays and Sundays. There is no such day if the month is too short.
    private func beforeLastWeekday(_ length: UInt32, _ firstWeekday: UInt32) -> UInt32 {
        var days: UInt32 = 0
        var rest = lastWeekdays
        var day = length
        while day > 0, rest != 0 {
            let weekday = (firstWeekday + day - 1) % 7
            if weekday != 0, weekday != 6 {
                if rest & 1 == 1 { days |= 1 << day }
                rest >>= 1
            }
            day -= 1
        }
        return days
    }

    private func nth(_ length: UInt32, _ firstWeekday: UInt32) -> UInt32 {
        var rest = nthWeekdays
        var days: UInt32 = 0
        while rest != 0 {
            let bit = UInt32(rest.trailingZeroBitCount)
            rest &= rest &- 1
            let (weekday, index) = (bit / 6, bit % 6)
            let first = 1 + (weekday + 7 - firstWeekday) % 7
            let day = index == 5 ? first + (length - first) / 7 * 7 : first + index * 7
            if day <= length { days |= 1 << day }
        }
        return days
    }
}
