/// The contents of one field.
struct FieldValue {
    /// The numbers, minus the field's base.
    var numbers = NumberSet()
    /// Whether the field is exactly `*`, or `?` where that is allowed.
    var isWildcard = false
    var beginsWithStar = false
    // Only in days of the month.
    var daysFromEnd: UInt32 = 0
    var nearestWeekdays: UInt32 = 0
    var lastWeekdays: UInt32 = 0
    // Only in days of the week.
    var nthWeekdays: UInt64 = 0
    var beginsWithPlus = false
}

/// Parses one field: a list of values, ranges and steps (OCPS 1.0, section 5), and in the fields of days the modifiers of
/// OCPS 1.3 and 1.4.
struct FieldParser {
    let source: CronSource
    let field: CronField
    /// The bytes of the field.
    let range: Range<Int>
    private(set) var position: Int
    private var value = FieldValue()

    static func parse(_ field: CronField, _ range: Range<Int>, of source: CronSource) throws(CronError) -> FieldValue {
        var parser = FieldParser(source: source, field: field, range: range)
        try parser.parseField()
        return parser.value
    }

    private init(source: CronSource, field: CronField, range: Range<Int>) {
        self.source = source
        self.field = field
        self.range = range
        position = range.lowerBound
    }

    private mutating func parseField() throws(CronError) {
        if field == .dayOfWeek, skip("+") {
            guard position < range.upperBound else { throw plusAlone() }
            value.beginsWithPlus = true
        }
        let body = position..<range.upperBound
        value.beginsWithStar = next == UInt8(ascii: "*")
        if body.count == 1, value.beginsWithStar || (next == UInt8(ascii: "?") && isDays) {
            value.isWildcard = true
            value.numbers.insert(from: first, through: last, by: 1)
            return
        }
        while true {
            try parseItem(isOnly: !source.bytes[body].contains(UInt8(ascii: ",")))
            if position == range.upperBound { return }
            guard skip(",") else { throw unexpected() }
        }
    }

    private mutating func parseItem(isOnly: Bool) throws(CronError) {
        let start = position
        if next == nil || next == UInt8(ascii: ",") {
            throw error(at: position, "is not a value; a list has a value, a range or a step between all its commas")
        }
        if skip("*") {
            value.numbers.insert(from: first, through: last, by: try step() ?? 1)
            return
        }
        if field == .dayOfMonth, skip("L") { return try parseLastDay(start, isOnly) }
        let lower = try number()
        if field == .dayOfMonth, skip("W") {
            guard isOnly else { throw listedWeekday(start..<position) }
            value.nearestWeekdays |= 1 << UInt32(lower)
            return
        }
        if field == .dayOfWeek, next == UInt8(ascii: "L") || next == UInt8(ascii: "#") {
            return try parseNthWeekday(lower, start)
        }
        guard skip("-") else {
            if next == UInt8(ascii: "/") { throw stepOnValue(start, lower) }
            insert(from: lower, through: lower, by: 1)
            return
        }
        let end = position
        var upper = try number()
        // SUN is 0 and 7 (OCPS 1.0, section 4.2): at the end of a range it is 7.
        if field == .dayOfWeek, upper == 0, lower > 0, source.bytes[end] & 0xdf == UInt8(ascii: "S") { upper = 7 }
        if next == UInt8(ascii: "W"), field == .dayOfMonth {
            throw error(
                start..<position + 1,
                "is not allowed; W goes with a single day and not with a range, as in 15W"
            )
        }
        let step = try step() ?? 1
        guard lower <= upper else { throw backwards(start, lower, upper, step: step) }
        insert(from: lower, through: upper, by: step)
    }

    /// The text after `L` in the days of the month: nothing, `-n` or `W`.
    private mutating func parseLastDay(_ start: Int, _ isOnly: Bool) throws(CronError) {
        if skip("W") {
            var back = 0
            if skip("-") { back = try daysBack(1...22, "weekdays before the last weekday; LW-1 to LW-22 are allowed") }
            guard isOnly else { throw listedWeekday(start..<position) }
            value.lastWeekdays |= 1 << UInt32(back)
        } else if skip("-") {
            let back = try daysBack(1...30, "days before the last one; L-1 to L-30 are allowed")
            if next == UInt8(ascii: "W") { throw weekdayBeforeLast(start, back) }
            value.daysFromEnd |= 1 << UInt32(back)
        } else if let byte = next, byte &- UInt8(ascii: "0") <= 9 {
            throw lastWithNumber(start)
        } else {
            value.daysFromEnd |= 1
        }
    }

    private mutating func daysBack(_ allowed: ClosedRange<Int>, _ what: String) throws(CronError) -> Int {
        let digits = position
        guard let back = digitValue(), allowed.contains(back) else {
            throw error(digits..<max(digits, position), "is not a number of \(what)")
        }
        return back
    }

    /// The text after a weekday: `L`, `#L` or `#n`.
    private mutating func parseNthWeekday(_ weekday: Int, _ start: Int) throws(CronError) {
        let index: Int
        if skip("L") {
            index = 5
        } else {
            _ = skip("#")
            let place = position
            if skip("L") {
                index = 5
            } else {
                guard let number = digitValue(), (1...5).contains(number) else {
                    throw error(
                        place..<max(place, position),
                        "is not an occurrence in the month; 1-5 and L (the last) are allowed after #"
                    )
                }
                index = number - 1
            }
        }
        if next == UInt8(ascii: "-") { throw offsetFromWeekday(start, weekday) }
        value.nthWeekdays |= 1 << UInt64(weekday % 7 * 6 + index)
    }

    // MARK: Parts

    private var first: Int { field.range.lowerBound - field.base }
    private var last: Int { field == .dayOfWeek ? 6 : field.range.upperBound - field.base }
    private var isDays: Bool { field == .dayOfMonth || field == .dayOfWeek }
    var next: UInt8? { position < range.upperBound ? source.bytes[position] : nil }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func insert(from lower: Int, through upper: Int, by step: Int) {
        guard field == .dayOfWeek, upper == 7 else {
            value.numbers.insert(from: lower - field.base, through: upper - field.base, by: step)
            return
        }
        // 7 is Sunday, like 0.
        value.numbers.insert(from: lower, through: upper, by: step)
        if value.numbers[7] { value.numbers[0] = true }
        value.numbers[7] = false
    }

    /// Digits; a number with too many digits becomes the largest number.
    private mutating func digitValue() -> Int? {
        let start = position
        var value = 0
        while let byte = next, byte &- UInt8(ascii: "0") <= 9 {
            value = min(value * 10 + Int(byte &- UInt8(ascii: "0")), 1_000_000_000)
            position += 1
        }
        return position > start ? value : nil
    }

    /// A number or a name of the field.
    private mutating func number() throws(CronError) -> Int {
        let start = position
        if let number = digitValue() {
            guard field.range.contains(number) else { throw outOfRange(start) }
            return number
        }
        let letters = word(from: start)
        if letters.count >= 3 {
            let bytes = source.bytes
            let name = (bytes[start] & 0xdf, bytes[start + 1] & 0xdf, bytes[start + 2] & 0xdf)
            if let number = field.value(ofName: name) {
                let rest = letters.count - 3
                // `FRIL` is a name with a modifier, `FRIDAY` is not a name.
                if rest == 0 || (rest == 1 && field == .dayOfWeek && bytes[start + 3] == UInt8(ascii: "L")) {
                    position = start + 3
                    return number
                }
            }
        }
        throw unexpected()
    }

    /// The text after a range or a wildcard: `/n`, or nothing.
    private mutating func step() throws(CronError) -> Int? {
        guard skip("/") else { return nil }
        let start = position
        guard let step = digitValue() else {
            throw error(at: position, "is not a step; a step is a whole number from 1 on, as in */5")
        }
        guard step > 0 else { throw error(start..<position, "is not a step; a step is at least 1") }
        return step
    }

    /// The letters at a position.
    func word(from start: Int) -> Range<Int> {
        var end = start
        while end < range.upperBound, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(source.bytes[end] | 0x20) {
            end += 1
        }
        return start..<end
    }

    func error(
        _ range: Range<Int>,
        _ problem: String,
        write fragment: String? = nil,
        replacing: Range<Int>? = nil,
        note: String = ""
    ) -> CronError {
        let proposal = fragment.map { source.replacing(replacing ?? range, with: $0, note: note) }
        return source.error(field, range, problem, proposal)
    }

    private func error(at position: Int, _ problem: String) -> CronError {
        source.error(field, position..<position, problem)
    }
}
