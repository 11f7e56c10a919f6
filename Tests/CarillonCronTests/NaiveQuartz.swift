import CarillonCron

/// Quartz's and EventBridge's fields as in their manuals, evaluated day by day: the oracle for the hints about them.
struct NaiveQuartz {
    /// Second, minute, hour, day of month, month, day of week, year.
    let fields: [String]
    /// Seconds of a day.
    let times: [Int64]

    init(quartz text: String) {
        let words = text.split(separator: " ").map(String.init)
        self.init(words + (words.count == 6 ? ["*"] : []))
    }

    init(eventBridge text: String) {
        self.init(["0"] + text.split(separator: " ").map(String.init))
    }

    private init(_ fields: [String]) {
        self.fields = fields
        func values(_ field: Int, _ range: ClosedRange<Int>) -> [Int] {
            range.filter { Self.matches(fields[field], $0, range) }
        }
        let (seconds, minutes, hours) = (values(0, 0...59), values(1, 0...59), values(2, 0...23))
        times = hours.flatMap { hour in
            minutes.flatMap { minute in seconds.map { Int64(hour * 3_600 + minute * 60 + $0) } }
        }
    }

    func matchesDay(_ date: CivilTime) -> Bool {
        guard Self.matches(Self.numbered(fields[4], Self.months, from: 1), date.month, 1...12),
            Self.matches(fields[6], date.year, 1970...2199)
        else { return false }
        return fields[3] == "?" ? matchesWeekday(date) : matchesMonthDay(date)
    }

    private static let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    private static let weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

    private static func numbered(_ text: String, _ names: [String], from first: Int) -> String {
        var text = text
        for (index, name) in names.enumerated() {
            text = text.split(separator: name, omittingEmptySubsequences: false).joined(separator: "\(index + first)")
        }
        return text
    }

    private func matchesMonthDay(_ date: CivilTime) -> Bool {
        let last = CivilTime(seconds: CivilTime(year: date.year, month: date.month, day: 32).seconds).day
        let length = 32 - last
        return fields[3].split(separator: ",").contains { item in
            if item == "L" { return date.day == length }
            if item.hasPrefix("L-") { return Int(item.dropFirst(2)).map { date.day == length - $0 } ?? false }
            return Self.matches(String(item), date.day, 1...31)
        }
    }

    private func matchesWeekday(_ date: CivilTime) -> Bool {
        // Sunday is 1.
        let day = date.weekday + 1
        return Self.numbered(fields[5], Self.weekdays, from: 1).split(separator: ",").contains { item in
            if item == "L" { return day == 7 }
            if item.hasSuffix("L") {
                let next = CivilTime(year: date.year, month: date.month, day: date.day + 7)
                return item.dropLast() == "\(day)" && CivilTime(seconds: next.seconds).month != date.month
            }
            let parts = item.split(separator: "#")
            if parts.count == 2 { return parts[0] == "\(day)" && parts[1] == "\((date.day - 1) / 7 + 1)" }
            return Self.matches(String(item), day, 1...7)
        }
    }

    /// Lists of `*`, values, ranges that may wrap around, and steps; a step on a value continues to the end.
    private static func matches(_ field: String, _ value: Int, _ range: ClosedRange<Int>) -> Bool {
        field.split(separator: ",").contains { item in
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            var bounds = parts[0].split(separator: "-").compactMap { Int($0) }
            if parts[0] == "*" || parts[0].isEmpty { bounds = [range.lowerBound, range.upperBound] }
            if bounds.count == 1 { bounds.append(parts.count == 2 ? range.upperBound : bounds[0]) }
            let step = parts.count == 2 ? Int(parts[1]) ?? 1 : 1
            if bounds[1] < bounds[0] { bounds[1] += range.count }
            return stride(from: bounds[0], through: bounds[1], by: step).contains {
                $0 == value || $0 - range.count == value
            }
        }
    }
}
