/// `cron(…)`, `rate(…)` and `at(…)`, as Amazon EventBridge writes schedules.
struct CloudForm {
    let source: CronSource
    let range: Range<Int>

    var recognized: CronError? {
        let text = source.text(range)
        guard let open = text.firstIndex(of: "("), let form = Form(rawValue: text[..<open].lowercased()) else {
            return nil
        }
        let inside = text.last == ")" ? text[text.index(after: open)...].dropLast() : text[text.index(after: open)...]
        let expression: String?
        let rule: String
        switch form {
        case .cron:
            rule = "there the year is last and Sunday is 1, here it is 0 or 7"
            expression = Self.fields(String(inside))
        case .rate:
            rule = "here it is @every with a duration"
            expression = SpokenSchedule.period(inside.lowercased().split(separator: " ").map(String.init)).map {
                "@every \($0)"
            }
        case .at:
            rule = "here it is @at with a time and its offset from UTC"
            expression = Self.time(String(inside)).map { "@at \($0)" }
        }
        let note = form == .at && !inside.hasSuffix("Z") ? "for UTC" : ""
        return source.error(
            nil,
            range,
            "is the form of AWS: \(rule)",
            expression.map { source.replacing(range, with: $0, note: note) }
        )
    }

    private enum Form: String {
        case cron, rate, at
    }

    /// Six fields are EventBridge's; other counts are parsed as without the parentheses.
    private static func fields(_ text: String) -> String? {
        let texts = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        return texts.count == 6 ? QuartzFields(minuteFirst: texts, lastYear: 2199)?.expression : text
    }

    private static func time(_ text: String) -> String? {
        if RFC3339.parse(text) != nil { return text }
        return RFC3339.parse(text + "Z") == nil ? nil : text + "Z"
    }
}
