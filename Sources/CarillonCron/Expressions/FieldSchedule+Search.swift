/// The search on the local clock, without zones: seconds since 1970-01-01T00:00:00 as that clock shows them. Each mask is asked for
/// its next bit, so hours, months and years without a match are skipped.
extension FieldSchedule {
    /// No such time; larger than every time.
    static let none = Int64.max
    /// No such time; smaller than every time.
    static let noneBefore = Int64.min

    private static let wholeDay: UInt32 = 86_400

    /// The first time at or after `local`, or `none`.
    @inline(__always)
    func first(atOrAfter local: Int64) -> Int64 {
        guard local < Self.end else { return Self.none }
        let from = UInt64(bitPattern: max(0, local))
        let day = UInt32(truncatingIfNeeded: from / 86_400)
        let time = firstTime(atOrAfter: UInt32(truncatingIfNeeded: from &- UInt64(day) &* 86_400))
        let start = time < Self.wholeDay ? day : day &+ 1
        let found: UInt32
        switch dayShape {
        case .everyDay:
            found = start
        case .weekdays:
            let weekday = Gregorian.weekday(ofDay: start)
            found = start &+ UInt32((days.weekdays | days.weekdays &<< 7) &>> weekday).trailingZeros
        case .calendar:
            found = firstDay(atOrAfter: start)
        }
        guard found < Self.endDay else { return Self.none }
        return Int64(found) &* 86_400 &+ Int64(found == day ? time : firstTime)
    }

    /// The last time at or before `local`, or `noneBefore`.
    @inline(__always)
    func last(atOrBefore local: Int64) -> Int64 {
        guard local >= 0 else { return Self.noneBefore }
        let from = UInt64(bitPattern: min(Self.end &- 1, local))
        let day = UInt32(truncatingIfNeeded: from / 86_400)
        let time = lastTime(atOrBefore: UInt32(truncatingIfNeeded: from &- UInt64(day) &* 86_400))
        // Days are counted from 1 here, so that "the day before the first" is 0.
        let start = time < Self.wholeDay ? day &+ 1 : day
        guard start > 0 else { return Self.noneBefore }
        let found: UInt32
        switch dayShape {
        case .everyDay:
            found = start
        case .weekdays:
            let weekday = Gregorian.weekday(ofDay: start &- 1)
            let back = UInt32((days.weekdays | days.weekdays &<< 7) &<< (31 &- 7 &- weekday)).leadingZeros
            guard back < start else { return Self.noneBefore }
            found = start &- back
        case .calendar:
            found = lastDay(atOrBefore: start &- 1)
        }
        guard found > 0 else { return Self.noneBefore }
        return Int64(found &- 1) &* 86_400 &+ Int64(found &- 1 == day ? time : lastTime)
    }

    /// The first second of a day of the schedule at or after `second`; a whole day where there is none.
    @inline(__always)
    private func firstTime(atOrAfter second: UInt32) -> UInt32 {
        let hour = second / 3_600
        let minute = second / 60 &- hour &* 60
        if hours &>> hour & 1 == 1 {
            if minutes &>> UInt64(minute) & 1 == 1 {
                let rest = seconds &>> UInt64(second % 60)
                if rest != 0 { return second &+ rest.trailingZeros }
            }
            let rest = minutes & (~0 &<< UInt64(minute &+ 1))
            if rest != 0 { return hour &* 3_600 &+ rest.trailingZeros &* 60 &+ seconds.trailingZeros }
        }
        let rest = hours & (~0 &<< (hour &+ 1))
        guard rest != 0 else { return Self.wholeDay }
        return rest.trailingZeros &* 3_600 &+ firstTime % 3_600
    }

    /// The last second of a day of the schedule at or before `second`; a whole day where there is none.
    @inline(__always)
    private func lastTime(atOrBefore second: UInt32) -> UInt32 {
        let hour = second / 3_600
        let minute = second / 60 &- hour &* 60
        if hours &>> hour & 1 == 1 {
            if minutes &>> UInt64(minute) & 1 == 1 {
                let rest = seconds & (~0 &>> UInt64(63 &- second % 60))
                if rest != 0 { return second / 60 &* 60 &+ (63 &- rest.leadingZeros) }
            }
            let rest = minutes & ~(~0 &<< UInt64(minute))
            if rest != 0 { return hour &* 3_600 &+ (63 &- rest.leadingZeros) &* 60 &+ (63 &- seconds.leadingZeros) }
        }
        let rest = hours & ~(~0 &<< hour)
        guard rest != 0 else { return Self.wholeDay }
        return (31 &- rest.leadingZeros) &* 3_600 &+ lastTime % 3_600
    }

    /// The first day at or after `day`, counted from 1970-01-01; `endDay` where there is none.
    private func firstDay(atOrAfter day: UInt32) -> UInt32 {
        guard day < Self.endDay else { return Self.endDay }
        var (year, month, dayOfMonth) = Gregorian.date(ofDay: day)
        if !everyYearIsDue, !dueYears[Int(year) - Self.years.lowerBound] { (month, dayOfMonth) = (13, 1) }
        while true {
            var rest = month > 12 ? 0 : months & (~0 &<< month)
            while rest != 0 {
                let candidate = rest.trailingZeros
                let found = daysOfMonth(candidate, year) & (~0 &<< (candidate == month ? dayOfMonth : 1))
                if found != 0 { return Gregorian.firstDay(ofMonth: candidate, year: year) &+ found.trailingZeros &- 1 }
                rest &= rest &- 1
            }
            (month, dayOfMonth) = (1, 1)
            guard let next = self.year(after: year) else { return Self.endDay }
            year = next
        }
    }

    /// The last day at or before `day`, plus one; 0 if there is none.
    private func lastDay(atOrBefore day: UInt32) -> UInt32 {
        var (year, month, dayOfMonth) = Gregorian.date(ofDay: day)
        if !everyYearIsDue, !dueYears[Int(year) - Self.years.lowerBound] { (month, dayOfMonth) = (0, 31) }
        while true {
            var rest = months & ~(~0 &<< (month &+ 1))
            while rest != 0 {
                let candidate = 31 &- rest.leadingZeros
                let found = daysOfMonth(candidate, year) & (~0 &>> (31 &- (candidate == month ? dayOfMonth : 31)))
                if found != 0 {
                    return Gregorian.firstDay(ofMonth: candidate, year: year) &+ (31 &- found.leadingZeros)
                }
                rest &= ~(1 &<< candidate)
            }
            (month, dayOfMonth) = (12, 31)
            guard let previous = self.year(before: year) else { return 0 }
            year = previous
        }
    }

    @inline(__always)
    private func daysOfMonth(_ month: UInt32, _ year: UInt32) -> UInt32 {
        let length = Gregorian.length(ofMonth: month, year: year)
        if days.isPlainMonthDays { return days.days(length: length, firstWeekday: 0) }
        let firstDay = Gregorian.firstDay(ofMonth: month, year: year)
        return days.days(length: length, firstWeekday: Gregorian.weekday(ofDay: firstDay))
    }

    @inline(__always)
    private func year(after year: UInt32) -> UInt32? {
        if everyYearIsDue { return year < UInt32(Self.years.upperBound) ? year &+ 1 : nil }
        return dueYears.first(atLeast: Int(year) - Self.years.lowerBound + 1).map { UInt32($0 + Self.years.lowerBound) }
    }

    @inline(__always)
    private func year(before year: UInt32) -> UInt32? {
        if everyYearIsDue { return year > UInt32(Self.years.lowerBound) ? year &- 1 : nil }
        return dueYears.last(atMost: Int(year) - Self.years.lowerBound - 1).map { UInt32($0 + Self.years.lowerBound) }
    }
}

extension FixedWidthInteger {
    @inline(__always)
    fileprivate var trailingZeros: UInt32 { UInt32(truncatingIfNeeded: trailingZeroBitCount) }
    @inline(__always)
    fileprivate var leadingZeros: UInt32 { UInt32(truncatingIfNeeded: leadingZeroBitCount) }
}
