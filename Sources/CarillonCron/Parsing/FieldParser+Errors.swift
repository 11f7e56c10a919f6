/// Errors for the syntax of other schedulers.
extension FieldParser {
    func outOfRange(_ start: Int) -> CronError {
        if field == .dayOfWeek, let year = Int(source.text(start..<position)), FieldSchedule.years.contains(year) {
            return error(
                start..<position,
                "looks like a year; a year is the seventh field, after a second as the first"
            )
        }
        return error(start..<position, "is out of range; allowed are \(field.allowed)")
    }

    /// A range whose end is before its beginning; the proposal is its meaning in schedulers whose ranges wrap around.
    func backwards(_ start: Int, _ lower: Int, _ upper: Int, step: Int) -> CronError {
        let problem = "is a range that ends before it begins"
        if field == .year {
            return error(start..<position, problem, write: "\(upper)-\(lower)\(step > 1 ? "/\(step)" : "")")
        }
        if field == .dayOfWeek, upper == 0, step == 1 { return error(start..<position, problem, write: "\(lower)-7") }
        let first = field.range.lowerBound
        let count = (field == .dayOfWeek ? 6 : field.range.upperBound) - first + 1
        var values: [Int] = []
        // Seven is zero: 7-1 goes from Sunday to Monday.
        let distance = (upper - lower + 2 * count) % count
        for offset in stride(from: 0, through: distance, by: step) {
            values.append((lower - first + offset) % count + first)
        }
        return error(start..<position, problem, write: Self.list(values))
    }

    /// The values in the given order; three or more consecutive values become a range.
    private static func list(_ values: [Int]) -> String {
        var runs: [[Int]] = []
        for value in values {
            if let last = runs.last?.last, last + 1 == value {
                runs[runs.count - 1].append(value)
            } else {
                runs.append([value])
            }
        }
        return runs.map { $0.count == 1 ? "\($0[0])" : "\($0[0])-\($0[$0.count - 1])" }.joined(separator: ",")
    }

    func stepOnValue(_ start: Int, _ value: Int) -> CronError {
        var end = position + 1
        while end < range.upperBound, source.bytes[end] &- UInt8(ascii: "0") <= 9 { end += 1 }
        let step = source.text(position + 1..<end)
        let top = field == .dayOfWeek ? 6 : field.range.upperBound
        let isStep = step.contains { $0 != "0" }
        return error(
            start..<end,
            "is Quartz and not standard: a step follows * or a range",
            write: isStep ? "\(value)-\(max(top, value))/\(step)" : nil
        )
    }

    /// `15W` or `LW` in a list; the proposal is a union of expressions with the same meaning.
    func listedWeekday(_ range: Range<Int>) -> CronError {
        let member = source.member(around: self.range.lowerBound)
        let items = source.text(self.range).split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let isWeekday = { (item: String) in item.utf8.contains(UInt8(ascii: "W")) }
        let others = items.filter { !isWeekday($0) }.joined(separator: ",")
        let before = source.text(member.lowerBound..<self.range.lowerBound)
        let after = source.text(self.range.upperBound..<member.upperBound)
        let parts = (others.isEmpty ? [] : [others]) + items.filter(isWeekday)
        return error(
            range,
            "cannot be part of a list; W goes with a single day",
            write: parts.map { before + $0 + after }.joined(separator: " | "),
            replacing: member
        )
    }

    /// `L-3W`: the weekday nearest to a day before the last, which has no equivalent here.
    func weekdayBeforeLast(_ start: Int, _ back: Int) -> CronError {
        error(
            start..<position + 1,
            "is not allowed: W goes with a day of the month or with L alone. L-\(back) is a day before the last day of the month, LW-\(back) a weekday before its last weekday"
        )
    }

    /// `L5` in days of the month.
    func lastWithNumber(_ start: Int) -> CronError {
        let end = digitsEnd(position)
        let back = Int(source.text(position..<end)).flatMap { (1...30).contains($0) ? $0 : nil }
        return error(
            start..<end,
            "is not a day; L is the last day of the month, and days before it are written with a minus sign",
            write: back.map { "L-\($0)" },
            note: back.map { "for the day \($0) day\($0 == 1 ? "" : "s") before the last one" } ?? ""
        )
    }

    /// `L5` in days of the week, as croniter writes the last Friday.
    func lastWeekday(_ start: Int) -> CronError {
        let end = digitsEnd(start + 1)
        let weekday = source.text(start + 1..<end)
        let isWeekday = Int(weekday).map { field.range.contains($0) } ?? false
        return error(
            start..<end,
            "is not a weekday; the last one of the month is written with L after the weekday",
            write: isWeekday ? "\(weekday)#L" : nil
        )
    }

    /// `THUL-3` and `THU#2-3`.
    func offsetFromWeekday(_ start: Int, _ weekday: Int) -> CronError {
        var end = digitsEnd(position + 1)
        while end < range.upperBound, source.bytes[end] != UInt8(ascii: ",") { end += 1 }
        let name = CronField.weekdayText(1 << UInt32(weekday % 7))
        return error(
            start..<end,
            "has an offset, which only L and LW in the day of month field can have; \(name)#L is the last \(CronField.weekdayNames[weekday % 7]) of the month"
        )
    }

    func plusAlone() -> CronError {
        error(
            range,
            "has no weekday after it; + stands before the weekdays, as in +MON, and requires both fields of days"
        )
    }

    func unexpected() -> CronError {
        if field == .dayOfWeek, next == UInt8(ascii: "L"), digitsEnd(position + 1) > position + 1 {
            return lastWeekday(position)
        }
        return DialectHints.unexpected(at: position, in: self)
    }

    private func digitsEnd(_ start: Int) -> Int {
        var end = start
        while end < range.upperBound, source.bytes[end] &- UInt8(ascii: "0") <= 9 { end += 1 }
        return end
    }
}
