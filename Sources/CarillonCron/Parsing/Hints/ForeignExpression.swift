/// An invalid expression that may be another scheduler's. Checked only after parsing has failed.
struct ForeignExpression {
    let source: CronSource
    let range: Range<Int>
    let words: [Range<Int>]
    /// The parse error.
    let error: CronError

    /// The error that names the other scheduler; `nil` if none is recognized.
    var recognized: CronError? {
        CloudForm(source: source, range: range).recognized
            ?? CrontabLine(source: source, range: range, words: words).recognized
            ?? named ?? yearLast ?? quartz
    }

    private var texts: [String] { words.map(source.text) }

    /// Words and calendars instead of fields.
    private var named: CronError? {
        let text = source.text(range)
        if let spoken = SpokenSchedule(text) {
            return source.error(
                nil,
                range,
                spoken.problem,
                source.replacing(range, with: spoken.expression, note: spoken.note)
            )
        }
        if RFC3339.parse(text) != nil {
            return source.error(nil, range, "is a time and no schedule", source.replacing(range, with: "@at \(text)"))
        }
        if let calendar = SystemdCalendar(texts) {
            let zone = calendar.zone.map { "; the time zone \($0) is a setting of its own" } ?? ""
            return source.error(
                nil,
                range,
                "is a calendar of systemd\(zone)",
                source.replacing(range, with: calendar.expression)
            )
        }
        return nil
    }

    /// Six fields with the year last. `?` in the third or fifth field identifies EventBridge, where one of them must be `?`.
    private var yearLast: CronError? {
        let texts = texts
        guard texts.count == 6 else { return nil }
        let marks = [2, 4].filter { texts[$0] == "?" }
        guard let mark = marks.last else {
            // A weekday's name in the fifth field identifies other schedulers.
            guard texts[5] == "*", CronField.dayOfWeek.isNameList(texts[4]) else { return nil }
            let fields = source.text(words[0].lowerBound..<words[4].upperBound)
            return source.error(
                .month,
                words[4],
                "is a weekday, so that the last field is a year; six fields begin with the second here",
                source.replacing(range, with: fields)
            )
        }
        let problem =
            "is where EventBridge has a field of days: there the year is last and Sunday is 1. Six fields begin with the second here, and Sunday is 0 or 7"
        guard let fields = QuartzFields(minuteFirst: texts, lastYear: 2199) else {
            return source.error(nil, words[mark], problem)
        }
        // A year as the last field has a separate error.
        if error.field == CronField.dayOfWeek.name, texts[5] != "*" {
            return source.error(
                .dayOfWeek,
                words[5],
                "looks like a year, and ? in another field of six says that this is EventBridge's order, where Sunday is 1; a year is the seventh field here, after a second as the first",
                source.replacing(range, with: fields.expression)
            )
        }
        return source.error(nil, words[mark], problem, source.replacing(range, with: fields.expression))
    }

    /// Quartz's fields, with `?` in one of the fields of days, that do not parse here.
    private var quartz: CronError? {
        let texts = texts
        guard texts.count == 6 || texts.count == 7, texts[3] == "?" || texts[5] == "?",
            let fields = QuartzFields(secondFirst: texts), (try? CronParser.parse(fields.expression)) != nil,
            let position = error.proposalPosition(in: source)
        else { return nil }
        return source.error(
            CronField.allCases.first { $0.name == error.field },
            position,
            "is Quartz and not standard (Quartz counts Sunday as 1, here it is 0 or 7)",
            source.replacing(range, with: fields.expression)
        )
    }
}

extension CronError {
    /// The bytes of the found text.
    fileprivate func proposalPosition(in source: CronSource) -> Range<Int>? {
        var position = 0
        var characters = 0
        while position < source.bytes.count {
            if source.bytes[position] & 0xc0 != 0x80 {
                characters += 1
                if characters == self.position { break }
            }
            position += 1
        }
        let end = min(source.bytes.count, position + found.utf8.count)
        return position < end ? position..<end : nil
    }
}

extension CronField {
    /// A list or range of this field's names, such as `MON-FRI`.
    func isNameList(_ text: String) -> Bool {
        let names = text.uppercased().split(whereSeparator: { $0 == "," || $0 == "-" })
        return !names.isEmpty
            && names.allSatisfy { name in
                let bytes = Array(name.utf8)
                return bytes.count == 3 && value(ofName: (bytes[0], bytes[1], bytes[2])) != nil
            }
    }
}
