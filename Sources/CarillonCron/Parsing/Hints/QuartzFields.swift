/// Translates fields of Quartz and Amazon EventBridge. In both, weekdays are 1 (Sunday) to 7, ranges wrap around, `5/15` is a step
/// from a value on, and one of the two fields of days is `?`.
struct QuartzFields {
    /// The same schedule in this language, with as few fields as possible.
    let expression: String

    /// EventBridge's six fields: minute hour day-of-month month day-of-week year.
    init?(minuteFirst texts: [String], lastYear: Int) {
        guard texts.count == 6, let fields = Self.fields(texts, lastYear: lastYear) else { return nil }
        expression = fields.count == 5 ? fields.joined(separator: " ") : "0 " + fields.joined(separator: " ")
    }

    /// Quartz's six or seven fields: second minute hour day-of-month month day-of-week [year].
    init?(secondFirst texts: [String]) {
        guard texts.count == 6 || texts.count == 7,
            let second = Self.numbers(texts[0], .second, last: 59),
            let fields = Self.fields(Array(texts.dropFirst()) + (texts.count == 6 ? ["*"] : []), lastYear: 2099)
        else { return nil }
        expression = second + " " + fields.joined(separator: " ")
    }

    /// Five fields, or six with a year that is not `*`.
    private static func fields(_ texts: [String], lastYear: Int) -> [String]? {
        // Restricting both fields of days is an error there.
        guard texts[2] == "?" || texts[4] == "?", texts[2] != texts[4],
            let minute = numbers(texts[0], .minute, last: 59), let hour = numbers(texts[1], .hour, last: 23),
            let dayOfMonth = texts[2] == "?" ? "*" : numbers(texts[2], .dayOfMonth, last: 31),
            let month = numbers(texts[3], .month, last: 12),
            let dayOfWeek = texts[4] == "?" ? "*" : weekdays(texts[4]),
            let year = numbers(texts[5], .year, last: lastYear)
        else { return nil }
        return [minute, hour, dayOfMonth, month, dayOfWeek] + (year == "*" ? [] : [year])
    }

    // MARK: Numbers

    private static func numbers(_ text: String, _ field: CronField, last: Int) -> String? {
        var items: [String] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let item = number(item, field, last: last) else { return nil }
            items.append(item)
        }
        return items.joined(separator: ",")
    }

    private static func number(_ item: Substring, _ field: CronField, last: Int) -> String? {
        if item == "*" { return "*" }
        if field == .dayOfMonth, item.contains("L") || item.contains("W") { return String(item) }
        guard let part = Part(item, field) else { return nil }
        let first = field.range.lowerBound
        switch part.bounds {
        case .all:
            return part.step.map { "*/\($0)" } ?? nil
        case .from(let value):
            guard (first...last).contains(value) else { return nil }
            return part.step.map { "\(value)-\(last)/\($0)" } ?? "\(value)"
        case .between(let lower, let upper):
            guard (first...last).contains(lower), (first...last).contains(upper) else { return nil }
            if lower <= upper { return "\(lower)-\(upper)" + (part.step.map { "/\($0)" } ?? "") }
            guard field != .year else { return nil }
            return FieldSchedule.text(
                NumberSet(round(lower, upper, part.step ?? 1, first...last)),
                first...last,
                .mustNot
            )
        }
    }

    /// The values of a range that wraps around.
    private static func round(_ lower: Int, _ upper: Int, _ step: Int, _ range: ClosedRange<Int>) -> [Int] {
        stride(from: lower, through: upper < lower ? upper + range.count : upper, by: step).map {
            $0 > range.upperBound ? $0 - range.count : $0
        }
    }

    // MARK: Weekdays

    private static func weekdays(_ text: String) -> String? {
        var items: [String] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let item = weekday(item) else { return nil }
            items.append(item)
        }
        return items.joined(separator: ",")
    }

    private static func weekday(_ item: Substring) -> String? {
        if item == "*" { return "*" }
        // "The last day of the week" is a Saturday.
        if item == "L" { return "SAT" }
        let hash = item.split(separator: "#", omittingEmptySubsequences: false)
        if hash.count == 2 {
            guard let day = Part.value(hash[0], .dayOfWeek), let index = Int(hash[1]), (1...5).contains(index) else {
                return nil
            }
            return "\(name(day))#\(index)"
        }
        if item.last == "L" { return Part.value(item.dropLast(), .dayOfWeek).map { "\(name($0))#L" } }
        guard let part = Part(item, .dayOfWeek) else { return nil }
        let values: [Int]
        switch part.bounds {
        case .all: values = round(1, 7, part.step ?? 1, 1...7)
        case .from(let value): values = part.step.map { round(value, 7, $0, 1...7) } ?? [value]
        case .between(let lower, let upper): values = round(lower, upper, part.step ?? 1, 1...7)
        }
        return CronField.weekdayText(values.reduce(0) { $0 | 1 << UInt32($1 - 1) })
    }

    private static func name(_ day: Int) -> String { CronField.weekdayText(1 << UInt32(day - 1)) }

    // MARK: Parts

    /// A value, a range or all values, with an optional step.
    private struct Part {
        enum Bounds {
            case all
            case from(Int)
            case between(Int, Int)
        }

        var bounds: Bounds
        var step: Int?

        init?(_ item: Substring, _ field: CronField) {
            let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 {
                guard let step = Self.digits(parts[1]), step > 0 else { return nil }
                self.step = step
            }
            let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
            if parts[0] == "*" || (parts[0].isEmpty && step != nil) {
                bounds = .all
            } else if ends.count == 1, let value = Self.value(ends[0], field) {
                bounds = .from(value)
            } else if ends.count == 2, let lower = Self.value(ends[0], field), let upper = Self.value(ends[1], field) {
                bounds = .between(lower, upper)
            } else {
                return nil
            }
        }

        /// A number or a name; weekdays are counted from 1.
        static func value(_ text: Substring, _ field: CronField) -> Int? {
            if let number = digits(text) { return field == .dayOfWeek && !(1...7).contains(number) ? nil : number }
            let name = Array(text.uppercased().utf8)
            guard name.count == 3, let value = field.value(ofName: (name[0], name[1], name[2])) else { return nil }
            return field == .dayOfWeek ? value + 1 : value
        }

        private static func digits(_ text: Substring) -> Int? {
            text.utf8.count <= 4 && text.utf8.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 } ? Int(text) : nil
        }
    }
}
