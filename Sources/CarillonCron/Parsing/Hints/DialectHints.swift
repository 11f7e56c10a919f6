/// The probable meaning of a character that is not allowed in a field.
enum DialectHints {
    static func unexpected(at position: Int, in parser: FieldParser) -> CronError {
        let field = parser.field
        let source = parser.source
        guard position < parser.range.upperBound else {
            return parser.error(position..<position, "comes where a value was expected; allowed are \(field.allowed)")
        }
        if let error = HashedValue(parser: parser).recognized(at: position) { return error }
        let letters = parser.word(from: position)
        if !letters.isEmpty { return word(letters, in: parser) }
        let end = position + source.character(at: position).utf8.count
        return character(position..<end, in: parser)
    }

    private static func character(_ range: Range<Int>, in parser: FieldParser) -> CronError {
        let field = parser.field
        let item = parser.item(around: range.lowerBound)
        switch parser.source.bytes[range.lowerBound] {
        case UInt8(ascii: "?"):
            if field == .dayOfMonth || field == .dayOfWeek {
                return parser.error(range, "has to stand alone; it means the same as *")
            }
            let isAlone = item == range && item == parser.range
            return parser.error(range, "is allowed in the fields of days only", write: isAlone ? "*" : nil)
        case UInt8(ascii: "+"):
            return parser.error(
                range,
                "is allowed only as the first character of the day of week field, where it requires both fields of days"
            )
        case UInt8(ascii: "/"):
            return parser.error(range, "is a step of nothing; a step follows * or a range, as in */5 or 10-50/5")
        case UInt8(ascii: "-"):
            return negative(range, item, in: parser)
        case UInt8(ascii: "#"):
            return parser.error(range, "is allowed in the day of week field only, after one weekday, as in FRI#2")
        case UInt8(ascii: "@"):
            return parser.error(range, "begins a nickname, which stands alone, as in @daily")
        case UInt8(ascii: "%"):
            if field == .dayOfWeek { return FugitWeeks(parser: parser, item: item).error }
            return parser.error(range, "is not a character of this field; allowed are \(field.allowed)")
        case UInt8(ascii: "*"):
            return parser.error(
                range,
                "has to stand at the beginning of a part of a list; allowed are \(field.allowed)"
            )
        case UInt8(ascii: "."):
            return dots(range, item, in: parser)
        default:
            return parser.error(range, "is not a character of this field; allowed are \(field.allowed)")
        }
    }

    /// `-1`: in some schedulers the last day of the month.
    private static func negative(_ range: Range<Int>, _ item: Range<Int>, in parser: FieldParser) -> CronError {
        let problem = "is not a value; there are no negative values, and a range is written as in 1-5"
        let digits = parser.source.text(item.dropFirst())
        guard parser.field == .dayOfMonth, item.lowerBound == range.lowerBound, let back = Int(digits),
            (1...31).contains(back)
        else { return parser.error(range, problem) }
        return parser.error(
            range,
            problem,
            write: back == 1 ? "L" : "L-\(back - 1)",
            replacing: item,
            note: "to count from the end of the month"
        )
    }

    /// `1..5`, the range of systemd and Ruby.
    private static func dots(_ range: Range<Int>, _ item: Range<Int>, in parser: FieldParser) -> CronError {
        let ends = parser.source.text(item).split(separator: ".", omittingEmptySubsequences: false)
        let isRange = ends.count == 3 && ends[1].isEmpty && !ends[0].isEmpty && !ends[2].isEmpty
        return parser.error(
            range,
            "is not a character of this field; a range is written with a minus sign",
            write: isRange ? "\(ends[0])-\(ends[2])" : nil,
            replacing: item
        )
    }

    // MARK: Words

    private static func word(_ letters: Range<Int>, in parser: FieldParser) -> CronError {
        let field = parser.field
        let text = parser.source.text(letters)
        let upper = text.uppercased()
        if text != upper, let error = smallLetters(letters, in: parser) { return error }
        switch upper {
        case "L" where field == .dayOfMonth && letters.lowerBound > parser.item(around: letters.lowerBound).lowerBound:
            return parser.error(
                letters,
                "cannot be part of a range; the last number is 31, and shorter months end before it",
                write: "31"
            )
        case "L" where field == .dayOfMonth:
            return parser.error(letters, "has to be alone in its part of the list")
        case "L" where field == .dayOfWeek:
            return parser.error(
                letters,
                "goes with a weekday",
                write: "6",
                note: "for Saturdays, as Quartz and EventBridge mean it, or SAT#L for the last Saturday of the month"
            )
        case "L", "W", "LW":
            let rest = field == .dayOfMonth ? "" : "; allowed are \(field.allowed)"
            return parser.error(
                letters,
                field == .dayOfMonth
                    ? "has to follow a day of the month, as in 15W, or L, as in LW"
                    : "is allowed in the day of month field only" + rest
            )
        case "C":
            return parser.error(letters, "is a calendar in Quartz and not known here")
        default:
            if let name = fullName(upper, field) {
                return parser.error(letters, "is not a value; names have three letters", write: name)
            }
            for (other, kind) in [(CronField.month, "month"), (.dayOfWeek, "weekday")]
            where field != other && (fullName(upper, other) != nil || isName(upper, other)) {
                return parser.error(letters, "is a \(kind) and stands in the wrong field; \(order)")
            }
            return parser.error(letters, "is not a value; allowed are \(field.allowed)")
        }
    }

    /// `l`, `15w`, `fril`: names may be in small letters, modifiers may not.
    private static func smallLetters(_ letters: Range<Int>, in parser: FieldParser) -> CronError? {
        let item = parser.item(around: letters.lowerBound)
        let upper = parser.source.text(item).uppercased()
        let source = CronSource(upper)
        guard parser.field == .dayOfMonth || parser.field == .dayOfWeek,
            (try? FieldParser.parse(parser.field, 0..<source.bytes.count, of: source)) != nil
        else { return nil }
        let modifier = upper.contains("W") ? (upper.contains("LW") ? "LW" : "W") : "L"
        return parser.error(
            letters,
            "is not known: \(modifier == "LW" ? "capital letters LW are" : "the capital letter \(modifier) is") meant",
            write: upper,
            replacing: item
        )
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

extension FieldParser {
    /// The part of the list that contains a position.
    func item(around position: Int) -> Range<Int> {
        let comma = UInt8(ascii: ",")
        let start = field == .dayOfWeek && source.bytes[range.lowerBound] == UInt8(ascii: "+") ? 1 : 0
        let lower = source.bytes[range.lowerBound + start..<position].lastIndex(of: comma).map { $0 + 1 }
        let upper = source.bytes[position..<range.upperBound].firstIndex(of: comma)
        return (lower ?? range.lowerBound + start)..<(upper ?? range.upperBound)
    }
}
