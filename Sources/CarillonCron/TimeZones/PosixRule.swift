/// The rule of a zone in the form of the TZ variable (POSIX.1-2024, section 8.3), as the footers of TZif files have it:
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixRule: Sendable, Hashable {
    /// A day of the year and a time on it.
    struct Date: Sendable, Hashable {
        enum Day: Sendable, Hashable {
            /// `Jn`: 1 to 365, February 29th is never counted.
            case withoutLeapDay(Int)
            /// `n`: 0 to 365, February 29th is counted.
            case ofYear(Int)
            /// `Mm.w.d`: weekday d of week w in month m, week 5 the last.
            case weekday(month: Int, week: Int, day: Int)
        }

        var day: Day
        /// Seconds from midnight, -167 to 167 hours (RFC 9636, section 3.3.2).
        var seconds: Int64
    }

    struct Daylight: Sendable, Hashable {
        var offset: ZoneOffset
        /// The start of daylight saving time, on the clock of standard time.
        var start: Date
        /// The end of daylight saving time, on its own clock.
        var end: Date
    }

    let standard: ZoneOffset
    let daylight: Daylight?

    /// The offset changes of some years, ascending, without changes that have no effect.
    func transitions(years: ClosedRange<Int>) -> [(at: Int64, offset: ZoneOffset)] {
        guard let daylight else { return [] }
        var all: [(at: Int64, offset: ZoneOffset)] = []
        for year in years {
            let start = daylight.start.localSeconds(year: year) - Int64(standard.seconds)
            let end = daylight.end.localSeconds(year: year) - Int64(daylight.offset.seconds)
            all.append((start, daylight.offset))
            all.append((end, standard))
        }
        // If an end and the next start coincide (daylight saving all year round), the start takes precedence.
        all.sort { ($0.at, $0.offset.isDaylight ? 1 : 0) < ($1.at, $1.offset.isDaylight ? 1 : 0) }
        var result: [(at: Int64, offset: ZoneOffset)] = []
        for change in all {
            if result.last?.at == change.at { result.removeLast() }
            if result.last?.offset != change.offset { result.append(change) }
        }
        return result
    }

    /// The offset at an instant of any year.
    func offset(at seconds: Int64) -> ZoneOffset {
        guard daylight != nil else { return standard }
        let year = CivilTime(seconds: seconds).year
        return transitions(years: year - 1...year + 1).last { $0.at <= seconds }?.offset ?? standard
    }
}

extension PosixRule.Date {
    /// Seconds since 1970 on the clock to which the date refers.
    func localSeconds(year: Int) -> Int64 {
        let january = Gregorian.day(year: year, month: 1, day: 1)
        let day: Int
        switch self.day {
        case .withoutLeapDay(let number):
            let isLeap = Gregorian.length(ofMonth: 2, anyYear: year) == 29
            day = january + number - 1 + (isLeap && number >= 60 ? 1 : 0)
        case .ofYear(let number):
            day = january + number
        case .weekday(let month, let week, let weekday):
            let first = CivilTime(year: year, month: month, day: 1)
            let length = Gregorian.length(ofMonth: month, anyYear: year)
            var number = 1 + (weekday - first.weekday + 7) % 7 + (week - 1) * 7
            if number > length { number -= 7 }
            day = Gregorian.day(year: year, month: month, day: number)
        }
        return Int64(day) * 86_400 + seconds
    }
}
