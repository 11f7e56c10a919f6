/// The bytes of an expression, and errors at positions of it.
struct CronSource {
    let bytes: [UInt8]

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// A part of the text.
    func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    /// The whole character at a position.
    func character(at position: Int) -> String {
        guard position < bytes.count else { return "" }
        var end = position + 1
        while end < bytes.count, bytes[end] & 0xc0 == 0x80 { end += 1 }
        return text(position..<end)
    }

    /// The range without spaces and tabs at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while lower < upper, Self.isBlank(bytes[lower]) { lower += 1 }
        while upper > lower, Self.isBlank(bytes[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    /// The parts between one or more spaces and tabs.
    func words(_ range: Range<Int>) -> [Range<Int>] {
        var words: [Range<Int>] = []
        words.reserveCapacity(8)
        var position = range.lowerBound
        while position < range.upperBound {
            guard !Self.isBlank(bytes[position]) else {
                position += 1
                continue
            }
            let start = position
            while position < range.upperBound, !Self.isBlank(bytes[position]) { position += 1 }
            words.append(start..<position)
        }
        return words
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// - Parameters:
    ///   - field: The field with the error, if any.
    ///   - range: The bytes with the error; empty at the end of the text.
    ///   - problem: The error and its correction; follows "In the minute field, at character 3, `x`".
    ///   - proposal: The replacement.
    func error(
        _ field: CronField?,
        _ range: Range<Int>,
        _ problem: String,
        _ proposal: Proposal? = nil
    ) -> CronError {
        let position = bytes[..<range.lowerBound].count { $0 & 0xc0 != 0x80 } + 1
        var found = String(text(range).unicodeScalars.prefix(40).map { $0.value < 0x20 ? " " : Character($0) })
        if found.isEmpty, range.lowerBound < bytes.count { found = character(at: range.lowerBound) }
        let place = field.map { "the \($0.name) field" } ?? "the expression"
        let what = found.isEmpty ? "the end of the text" : "`\(found)`"
        return CronError(
            field: field?.name,
            position: position,
            found: found,
            message: "In \(place), at character \(position), \(what) \(problem)",
            proposal: proposal
        )
    }

    /// The proposal to write `fragment` in place of a part of the text.
    func replacing(_ range: Range<Int>, with fragment: String, note: String = "") -> Proposal {
        let member = member(around: range.lowerBound)
        return Proposal(
            before: text(0..<range.lowerBound),
            after: text(range.upperBound..<bytes.count),
            fragment: fragment,
            note: note,
            isExpression: range.lowerBound <= member.lowerBound && range.upperBound >= member.upperBound
        )
    }

    /// The member of a union that contains a position, without blanks at its ends.
    func member(around position: Int) -> Range<Int> {
        let bar = UInt8(ascii: "|")
        let lower = bytes[..<position].lastIndex(of: bar).map { $0 + 1 } ?? 0
        let upper = bytes[position...].firstIndex(of: bar) ?? bytes.count
        return trimmed(lower..<max(lower, upper))
    }
}
