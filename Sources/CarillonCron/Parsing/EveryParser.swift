/// Parses the text after `@every`: `10m`, `10m+3m`, `8h from 2026-01-05T06:00`, `2w on MON,WED from 2026-01-05T09:00`.
struct EveryParser {
    /// 100 years: longer than the life of any schedule.
    private static let longestPeriod: Int64 = 36_525 * 86_400
    private static let day: Int64 = 86_400
    private static let week: Int64 = 7 * 86_400

    private let source: CronSource
    private let range: Range<Int>

    static func parse(_ range: Range<Int>, of source: CronSource) throws(CronError) -> Schedule {
        let parser = EveryParser(source: source, range: range)
        return try parser.schedule()
    }

    private func schedule() throws(CronError) -> Schedule {
        let words = source.words(range)
        let on = words.firstIndex { source.text($0) == "on" }
        let from = words.firstIndex { source.text($0) == "from" }
        guard let first = [on, from].compactMap({ $0 }).min() else { return try grid() }
        let period = try period(source.trimmed(range.lowerBound..<words[first].lowerBound))
        guard let from else {
            throw source.error(
                nil,
                range.upperBound..<range.upperBound,
                "comes where a start is missing; weekdays need one, as in @every 2w on MON from 2026-01-05T09:00"
            )
        }
        guard from + 1 < words.count else {
            throw source.error(
                nil,
                range.upperBound..<range.upperBound,
                "comes where a start is missing, as in @every 14d from 2026-01-05T09:00"
            )
        }
        let end = on.flatMap { $0 > from ? words[$0].lowerBound : nil } ?? range.upperBound
        let start = source.trimmed(words[from + 1].lowerBound..<end)
        guard let on else { return try interval(period, from: start) }
        return try interval(period, on: weekdays(after: on, of: words), from: start)
    }

    // MARK: Grids

    /// `10m`, `10m+3m`, `PT10M + PT3M`: counted from 1970-01-01T00:00:00Z.
    private func grid() throws(CronError) -> Schedule {
        let plus = source.bytes[range].firstIndex(of: UInt8(ascii: "+"))
        let period = try period(source.trimmed(range.lowerBound..<(plus ?? range.upperBound)))
        guard let plus else { return .every(period: period, phase: 0) }
        let phaseRange = source.trimmed(plus + 1..<range.upperBound)
        let phase = try seconds(phaseRange)
        guard phase < period else {
            throw source.error(nil, phaseRange, "is not a phase; the part after + is shorter than the period before it")
        }
        return .every(period: period, phase: phase)
    }

    private func period(_ range: Range<Int>) throws(CronError) -> Int64 {
        if let plus = source.bytes[range].firstIndex(of: UInt8(ascii: "+")) {
            throw source.error(
                nil,
                plus..<range.upperBound,
                "is a phase, which cannot stand beside a start; the start says where the count begins"
            )
        }
        let period = try seconds(range)
        guard period > 0, period <= Self.longestPeriod else {
            throw source.error(nil, range, "is not a period; it is at least 1s and at most 36525d")
        }
        return period
    }

    private func seconds(_ range: Range<Int>) throws(CronError) -> Int64 {
        guard let milliseconds = DurationText.parse(source.text(range)), milliseconds % 1_000 == 0 else {
            let words = source.text(range).lowercased().split(whereSeparator: { $0 == " " || $0 == "\t" })
            let period = SpokenSchedule.period(words.map(String.init))
            throw source.error(
                nil,
                range,
                "is not a duration of whole seconds, as in 90s, 5m, 1h30m, 2d or PT1H30M",
                period.map { source.replacing(range, with: $0) }
            )
        }
        return milliseconds / 1_000
    }

    // MARK: Starts

    /// Bits 0 (Sunday) to 6.
    private func weekdays(after on: Int, of words: [Range<Int>]) throws(CronError) -> UInt32 {
        guard on + 1 < words.count, source.text(words[on + 1]) != "from" else {
            throw source.error(nil, words[on], "has no weekdays after it, as in on MON,WED")
        }
        let list = words[on + 1]
        if on + 2 < words.count, source.text(words[on + 2]) != "from" {
            throw source.error(
                nil,
                words[on + 2],
                "is one word too many; weekdays are written without spaces, as in MON,WED"
            )
        }
        let value = try FieldParser.parse(.dayOfWeek, list, of: source)
        guard value.nthWeekdays == 0, !value.beginsWithPlus, !value.isWildcard else {
            throw source.error(nil, list, "is not a list of weekdays; on is followed by one, as in MON,WED or MON-FRI")
        }
        return UInt32(truncatingIfNeeded: value.numbers.low)
    }

    /// A start with an offset counts elapsed time; a start without an offset counts days and hours of the local clock.
    private func interval(_ period: Int64, from range: Range<Int>) throws(CronError) -> Schedule {
        if let milliseconds = RFC3339.parse(source.text(range)) {
            guard milliseconds % 1_000 == 0, milliseconds >= 0, milliseconds / 1_000 < FieldSchedule.end else {
                throw source.error(nil, range, "is no start; whole seconds of the years 1970 to 2199 are allowed")
            }
            return .every(period: period, phase: milliseconds / 1_000)
        }
        return .interval(LocalInterval(period: period, start: try local(range)))
    }

    private func interval(_ period: Int64, on weekdays: UInt32, from range: Range<Int>) throws(CronError) -> Schedule {
        guard period % Self.week == 0 else {
            throw source.error(
                nil,
                self.range,
                "has weekdays and a period that is not of whole weeks; write weeks, as in @every 2w on MON from 2026-01-05T09:00"
            )
        }
        if RFC3339.parse(source.text(range)) != nil {
            let written = WrittenTime(source.text(range))
            throw source.error(
                nil,
                range,
                "has an offset from UTC; weekdays are those of the local clock, and so is their start",
                written?.local.map { source.replacing(range, with: $0) }
            )
        }
        return .interval(LocalInterval(weeks: period / Self.week, weekdays: weekdays, start: try local(range)))
    }

    /// `2026-01-05`, `2026-01-05T09:00`, `2026-01-05 09:00:30`.
    private func local(_ range: Range<Int>) throws(CronError) -> Int64 {
        let words = source.words(range)
        if words.count > 1, CrontabLine.isZone(source.text(words[words.count - 1])) {
            throw source.error(
                nil,
                words[words.count - 1],
                "is a time zone, which is a setting of its own; the start is read on the clocks of that zone",
                source.replacing(range, with: source.text(range.lowerBound..<words[words.count - 2].upperBound))
            )
        }
        let written = WrittenTime(source.text(range))
        if let written, let seconds = written.localSeconds {
            guard (0..<FieldSchedule.end).contains(seconds) else {
                throw source.error(nil, range, "is out of range; the years 1970 to 2199 are allowed")
            }
            return seconds
        }
        throw source.error(
            nil,
            range,
            written?.problem
                ?? "is not a start; a date and a time of the local clock are, as in 2026-01-05T09:00, or with an offset, as in 2026-01-05T09:00:00Z",
            written?.instant.map { source.replacing(range, with: $0) }
        )
    }
}
