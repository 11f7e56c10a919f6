/// A schedule of five to seven fields as bit masks, for the search for times. It contains no references, so reading it costs no
/// reference counting.
struct FieldSchedule: Sendable, Hashable {
    /// The form of the days; some forms have shortcuts.
    enum DayShape: UInt8, Sendable {
        case everyDay, weekdays, calendar
    }

    /// The years of a schedule: the range of the year field (OCPS 1.2), and the bounds of every search.
    static let years = 1970...2199
    /// The first day and the day after the last, counted from 1970-01-01.
    static let endDay: UInt32 = 84_006
    /// Seconds on the local clock at the end of the last year.
    static let end = Int64(endDay) * 86_400

    static let allYears = NumberSet(0..<years.count)

    /// Bits 0 to 59.
    let seconds: UInt64
    /// Bits 0 to 59.
    let minutes: UInt64
    /// Bits 0 to 23.
    let hours: UInt32
    let days: DayMasks
    /// Bits 1 to 12.
    let months: UInt32
    /// Years less 1970.
    let yearSet: NumberSet
    let everyYear: Bool
    let dayShape: DayShape
    /// The years of `yearSet` that contain a day of the schedule. A search visits only these years, so a leap day is found as fast as
    /// any other day, and a date that does not exist is detected at once.
    let dueYears: NumberSet
    let everyYearIsDue: Bool
    /// Whether the minute field begins with `*`, and whether the hour field does.
    let minuteBeginsWithStar: Bool
    let hourBeginsWithStar: Bool
    /// The first and the last second of a day of the schedule, counted from midnight.
    let firstTime: UInt32
    let lastTime: UInt32

    init(
        seconds: UInt64,
        minutes: UInt64,
        hours: UInt32,
        days: DayMasks,
        months: UInt32,
        years: NumberSet,
        minuteBeginsWithStar: Bool,
        hourBeginsWithStar: Bool
    ) {
        self.seconds = seconds
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        self.yearSet = years
        self.minuteBeginsWithStar = minuteBeginsWithStar
        self.hourBeginsWithStar = hourBeginsWithStar
        everyYear = years == Self.allYears
        let everyMonth = months == 0x1ffe
        if everyYear, everyMonth, days.isEveryDay {
            dayShape = .everyDay
        } else if everyYear, everyMonth, days.isPlainWeekdays {
            dayShape = .weekdays
        } else {
            dayShape = .calendar
        }
        dueYears = dayShape == .calendar ? years.intersection(days.years(months: months)) : years
        everyYearIsDue = dueYears == Self.allYears
        firstTime =
            UInt32(hours.trailingZeroBitCount) * 3_600 + UInt32(minutes.trailingZeroBitCount) * 60
            + UInt32(seconds.trailingZeroBitCount)
        lastTime =
            UInt32(31 - hours.leadingZeroBitCount) * 3_600 + UInt32(63 - minutes.leadingZeroBitCount) * 60
            + UInt32(63 - seconds.leadingZeroBitCount)
    }

    /// Whether the schedule has no fixed time of day, and therefore follows the clock under every daylight policy.
    var followsClock: Bool { minuteBeginsWithStar || hourBeginsWithStar }
}
