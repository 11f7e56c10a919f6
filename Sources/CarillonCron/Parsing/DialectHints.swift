/// What a character that has no business in a field may have been meant for.
enum DialectHints {
    static func unexpected(at position: Int, in parser: FieldParser) -> CronError {
        let field = parser.field
        let source = parser.source
        let allowed = "allowed are \(field.allowed)"
        guard position < parser.range.upperBound else {
            return parser.error(position..<position, "comes where a value was expected; \(allowed)")
        }
        let letters = parser.word(from: position)
        if !letters.isEmpty { return word(letters, in: parser) }
        let end = position + source.character(at: position).utf8.count
        let problem: String
        switch source.bytes[position] {
        case UInt8(ascii: "?"):
            problem =
                field == .dayOfMonth || field == .dayOfWeek
                ? "has to stand alone; it means the same as *" : "is allowed in the fields of days only; write *"
        case UInt8(ascii: "+"):
            problem =
                "is allowed only as the first character of the day of week field, where it requires both fields of days"
        case UInt8(ascii: "/"):
            problem = "is a step of nothing; a step follows * or a range, as in */5 or 10-50/5"
        case UInt8(ascii: "-"):
            problem = "is not a value; there are no negative values, and a range is written as in 1-5"
        case UInt8(ascii: "#"):
            problem = "is allowed in the day of week field only, after one weekday, as in FRI#2"
        case UInt8(ascii: "~"):
            problem = "is a random value in other schedulers and not known here; write the value"
        case UInt8(ascii: "@"):
            problem = "begins a nickname, which stands alone, as in @daily"
        case UInt8(ascii: "*"):
            problem = "has to stand at the beginning of a part of a list; \(allowed)"
        default:
            problem = "is not a character of this field; \(allowed)"
        }
        return parser.error(position..<end, problem)
    }

    private static func word(_ letters: Range<Int>, in parser: FieldParser) -> CronError {
        let field = parser.field
        let text = parser.source.text(letters)
        let upper = text.uppercased()
        let allowed = "allowed are \(field.allowed)"
        var problem = "is not a value; \(allowed)"
        switch upper {
        case "H":
            problem = "is Jenkins' hash of the job's name and not known here; write the value"
        case "L" where field == .dayOfMonth:
            problem = "has to be the capital letter L, and alone in its part of the list"
        case "L" where field == .dayOfWeek && text == "l":
            problem = "has to be the capital letter L after a weekday, as in FRI#L"
        case "L" where field == .dayOfWeek:
            problem =
                "goes with a weekday: write 6 for Saturdays, as Quartz means it, or SAT#L for the last Saturday of the month"
        case "W" where field == .dayOfMonth:
            problem = "has to be the capital letter W after a single day, as in 15W"
        case "LW" where field == .dayOfMonth:
            problem = "has to be in capital letters and stand alone: LW"
        case "L", "W", "LW":
            problem = "is allowed in the day of month field only; \(allowed)"
        case "C":
            problem = "is a calendar in Quartz and not known here"
        default:
            if let name = fullName(upper, field) {
                problem = "is not a value; names have three letters: write \(name)"
            } else if field != .month, fullName(upper, .month) != nil || isName(upper, .month) {
                problem = "is a month and stands in the wrong field; \(order)"
            } else if field != .dayOfWeek, fullName(upper, .dayOfWeek) != nil || isName(upper, .dayOfWeek) {
                problem = "is a weekday and stands in the wrong field; \(order)"
            }
        }
        return parser.error(letters, problem)
    }

    static let order = "the order is [second] minute hour day-of-month month day-of-week [year]"

    private static func fullName(_ upper: String, _ field: CronField) -> String? {
        let names = field == .month ? CronField.monthNames : field == .dayOfWeek ? CronField.weekdayNames : []
        guard upper.utf8.count > 3, names.contains(where: { $0.uppercased().hasPrefix(upper) }) else { return nil }
        return String(upper.prefix(3))
    }

    private static func isName(_ upper: String, _ field: CronField) -> Bool {
        let bytes = Array(upper.utf8)
        return bytes.count == 3 && field.value(ofName: (bytes[0], bytes[1], bytes[2])) != nil
    }
}
