/// A calendar year is one of fourteen: January 1st is one of seven weekdays, and February has 28 or 29 days.
extension DayMasks {
    /// For each of the fourteen, `weekday * 2 + leap`, its years from 1970 to 2199, less 1970.
    private static let yearsOfKind: [NumberSet] = {
        var kinds = [NumberSet](repeating: NumberSet(), count: 14)
        for year in FieldSchedule.years {
            let january = Gregorian.firstDay(ofMonth: 1, year: UInt32(year))
            let kind = Int(Gregorian.weekday(ofDay: january)) * 2 + (Gregorian.isLeap(UInt32(year)) ? 1 : 0)
            kinds[kind][year - FieldSchedule.years.lowerBound] = true
        }
        return kinds
    }()

    /// The years, less 1970, in which at least one of these months has a matching day.
    func years(months: UInt32) -> NumberSet {
        var years = NumberSet()
        for leap in 0...1 {
            for weekday in 0..<7 {
                // Without weekdays, all seven have the same answer.
                let weekdays = isPlainMonthDays ? 0..<7 : weekday..<weekday + 1
                if hasDay(months: months, isLeap: leap == 1, january: UInt32(weekday)) {
                    for weekday in weekdays { years = years.union(Self.yearsOfKind[weekday * 2 + leap]) }
                }
                if isPlainMonthDays { break }
            }
        }
        return years
    }

    private func hasDay(months: UInt32, isLeap: Bool, january: UInt32) -> Bool {
        // 2000 was a leap year, 2001 was not.
        let year: UInt32 = isLeap ? 2000 : 2001
        var firstWeekday = january
        for month in 1...12 as ClosedRange<UInt32> {
            let length = Gregorian.length(ofMonth: month, year: year)
            if months >> month & 1 == 1, days(length: length, firstWeekday: firstWeekday) != 0 { return true }
            firstWeekday = (firstWeekday + length) % 7
        }
        return false
    }
}
