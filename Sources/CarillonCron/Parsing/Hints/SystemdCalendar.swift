/// A calendar of systemd (`OnCalendar=`), translated: `*-*-* 04:00:00`, `Mon..Fri *:0/15`, `2030-01-01 09:00`.
struct SystemdCalendar {
    /// The same schedule in this language.
    let expression: String
    /// The time zone at the end of the calendar.
    private(set) var zone: String?

    /// - Parameter texts: The words of the expression.
    init?(_ texts: [String]) {
        var texts = texts[...]
        var weekdays = "*"
        var date = ["*", "*", "*"]
        var time = ["0", "0", "0"]
        var count = 0
        if let first = texts.first, let days = Self.weekdays(first) {
            weekdays = days
            texts.removeFirst()
            count += 1
        }
        if let first = texts.first, let found = Self.date(first) {
            date = found
            texts.removeFirst()
            count += 1
        }
        if let first = texts.first, let found = Self.time(first) {
            time = found
            texts.removeFirst()
            count += 1
        }
        if count > 0, texts.count == 1, let last = texts.first, CrontabLine.isZone(last) {
            zone = last
            texts.removeFirst()
        }
        guard count > 0, texts.isEmpty else { return nil }
        // In systemd both the date and the weekday must match.
        let plus = weekdays != "*" && date[2] != "*" ? "+" : ""
        var fields = [time[1], time[0], date[2], date[1], plus + weekdays]
        if time[2] != "0" || date[0] != "*" { fields.insert(time[2], at: 0) }
        if date[0] != "*" { fields.append(date[0]) }
        expression = fields.joined(separator: " ")
    }

    private static func weekdays(_ text: String) -> String? {
        var items: [String] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = separated(item, "..") ?? separated(item, "-") ?? [item]
            let names = ends.compactMap { end -> String? in
                let name = end.uppercased()
                guard name.count >= 3, CronField.weekdayNames.contains(where: { $0.uppercased().hasPrefix(name) })
                else {
                    return nil
                }
                return String(name.prefix(3))
            }
            guard names.count == ends.count else { return nil }
            items.append(names.joined(separator: "-"))
        }
        return items.joined(separator: ",")
    }

    /// Year, month and day.
    private static func date(_ text: String) -> [String]? {
        guard text.contains("-") || text.contains("~"), !text.contains(":") else { return nil }
        let isFromEnd = text.contains("~")
        let parts = text.split(whereSeparator: { $0 == "-" || $0 == "~" })
        guard parts.count == 2 || parts.count == 3,
            let day = isFromEnd ? fromEnd(parts[parts.count - 1]) : values(parts[parts.count - 1], 1...31),
            let month = values(parts[parts.count - 2], 1...12),
            let year = parts.count == 3 ? values(parts[0], FieldSchedule.years) : "*"
        else { return nil }
        return [year, month, day]
    }

    /// `01` is the last day of the month.
    private static func fromEnd(_ text: Substring) -> String? {
        guard let number = Int(text), (1...31).contains(number) else { return nil }
        return number == 1 ? "L" : "L-\(number - 1)"
    }

    /// Hour, minute and second.
    private static func time(_ text: String) -> [String]? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, let hour = values(parts[0], 0...23),
            let minute = values(parts[1], 0...59),
            let second = parts.count == 3 ? values(parts[2], 0...59) : "0"
        else { return nil }
        return [hour, minute, second]
    }

    private static func values(_ text: Substring, _ range: ClosedRange<Int>) -> String? {
        var items: [String] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            let step = parts.count == 2 ? number(parts[1], 1...59) : nil
            guard parts.count == 1 || (parts.count == 2 && step != nil) else { return nil }
            let suffix = step.map { "/\($0)" } ?? ""
            if parts[0] == "*" {
                items.append("*" + suffix)
            } else if let ends = separated(parts[0], "..") {
                guard let lower = number(ends[0], range), let upper = number(ends[1], range), lower <= upper else {
                    return nil
                }
                items.append("\(lower)-\(upper)\(suffix)")
            } else {
                guard let value = number(parts[0], range) else { return nil }
                items.append(step == nil ? "\(value)" : "\(value)-\(range.upperBound)\(suffix)")
            }
        }
        return items.joined(separator: ",")
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) -> Int? {
        guard text.utf8.count <= 4, text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }), let value = Int(text),
            range.contains(value)
        else { return nil }
        return value
    }

    /// The two sides of a separator; `nil` unless it occurs once.
    private static func separated(_ text: Substring, _ separator: String) -> [Substring]? {
        let bytes = Array(text.utf8)
        let mark = Array(separator.utf8)
        let places = bytes.indices.filter {
            $0 + mark.count <= bytes.count && Array(bytes[$0..<$0 + mark.count]) == mark
        }
        guard places.count == 1 else { return nil }
        let lower = text.utf8.index(text.utf8.startIndex, offsetBy: places[0])
        let upper = text.utf8.index(lower, offsetBy: mark.count)
        return [text[..<lower], text[upper...]]
    }
}
