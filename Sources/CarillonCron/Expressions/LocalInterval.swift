/// A period on the local clock, from a start time: `@every 14d from 2026-01-05T09:00`, and
/// `@every 2w on MON,WED from 2026-01-05T09:00`.
///
/// Times are counted on the clock and not in elapsed time, so that 09:00 stays 09:00 when clocks are set.
struct LocalInterval: LocalSchedule, Hashable {
    /// The length of a cycle in seconds.
    let period: Int64
    /// The local time at which the first cycle begins: the start; with weekdays, the start's time of day on the Monday of the start's
    /// week.
    let base: Int64
    /// Bit n: due n days after the beginning of a cycle.
    let days: UInt32
    /// The first local time that may be due.
    let start: Int64

    /// Bits of `days`, each a day of the week from Monday on.
    private static let week: Int64 = 7 * 86_400

    /// - Parameters:
    ///   - period: Seconds, at least one.
    ///   - start: Local seconds.
    init(period: Int64, start: Int64) {
        self.period = period
        self.start = start
        base = start
        days = 1
    }

    /// - Parameters:
    ///   - weeks: At least one.
    ///   - weekdays: Bits 0 (Sunday) to 6, at least one.
    ///   - start: Local seconds; no earlier time is due.
    init(weeks: Int64, weekdays: UInt32, start: Int64) {
        let period = weeks * Self.week
        let days = (weekdays >> 1 | weekdays << 6) & 0x7f
        let all = LocalInterval(period: period, base: Self.monday(start), days: days, start: start)
        let first = all.first(atOrAfter: start)
        // The normal form starts with the first due time; with a single weekday it needs no weekdays.
        if first == FieldSchedule.none {
            self = all
        } else if days.nonzeroBitCount == 1 {
            self.init(period: period, start: first)
        } else {
            self.init(period: period, base: Self.monday(first), days: days, start: first)
        }
    }

    private init(period: Int64, base: Int64, days: UInt32, start: Int64) {
        self.period = period
        self.base = base
        self.days = days
        self.start = start
    }

    /// The same time of day on the Monday of the week. 1970-01-01 was a Thursday.
    private static func monday(_ local: Int64) -> Int64 {
        local - (local / 86_400 + 3) % 7 * 86_400
    }

    /// Periods of an hour or less follow the clock, like fields that begin with `*`, and have neither a silent nor a doubled hour. Longer
    /// periods are fixed times.
    var followsClock: Bool { period <= 3_600 }

    func first(atOrAfter local: Int64) -> Int64 {
        guard local < FieldSchedule.end else { return FieldSchedule.none }
        let from = max(local, start)
        var cycle = (from - base) / period
        let position = from - base - cycle * period
        let day = (position + 86_399) / 86_400
        var rest = day < 7 ? days & (~0 << UInt32(day)) : 0
        if rest == 0 {
            cycle += 1
            rest = days
        }
        let found = base + cycle * period + Int64(rest.trailingZeroBitCount) * 86_400
        return found < FieldSchedule.end ? found : FieldSchedule.none
    }

    func last(atOrBefore local: Int64) -> Int64 {
        guard local >= start else { return FieldSchedule.noneBefore }
        let from = min(local, FieldSchedule.end - 1)
        var cycle = (from - base) / period
        let day = min(6, (from - base - cycle * period) / 86_400)
        var rest = days & ~(~1 << UInt32(day))
        if rest == 0 {
            cycle -= 1
            rest = days
        }
        let found = base + cycle * period + Int64(31 - rest.leadingZeroBitCount) * 86_400
        return found >= start ? found : FieldSchedule.noneBefore
    }
}

extension LocalInterval {
    /// Bits 0 (Sunday) to 6 where several weekdays of a week are due; 0 otherwise.
    var weekdays: UInt32 { days == 1 && base == start ? 0 : (days << 1 | days >> 6) & 0x7f }

    var canonical: String {
        let period = DurationText.format(milliseconds: period * 1_000)
        let on = weekdays == 0 ? "" : " on \(CronField.weekdayText(weekdays))"
        return "@every \(period)\(on) from \(CivilTime(seconds: start))"
    }
}
