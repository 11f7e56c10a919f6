/// `H` of Jenkins and `~` of OpenBSD and cronie: a value that the scheduler chooses for each job. Any value is right, so the proposal
/// is derived from the text, and different expressions rarely get the same value.
struct HashedValue {
    let parser: FieldParser

    func recognized(at position: Int) -> CronError? {
        let item = parser.item(around: position)
        let text = parser.source.text(item)
        if text.contains("~") {
            let value = random(text)
            return parser.error(
                position..<item.upperBound,
                "is a random value in other schedulers and not known here",
                write: value,
                replacing: item,
                note: value == nil ? "" : "or any other value in its range"
            )
        }
        guard position == item.lowerBound, text.first == "H",
            text.dropFirst().isEmpty || text.dropFirst().first == "/" || text.dropFirst().first == "("
        else { return nil }
        let value = hashed(text.dropFirst())
        return parser.error(
            item.lowerBound..<item.lowerBound + 1,
            "is Jenkins' hash of the job's name and not known here",
            write: value,
            replacing: item,
            note: value == nil ? "" : "or any other value in its range"
        )
    }

    /// All values; Jenkins uses no day after the 28th.
    private var range: ClosedRange<Int> {
        switch parser.field {
        case .dayOfMonth: 1...28
        case .dayOfWeek: 0...6
        default: parser.field.range
        }
    }

    /// The text after `H`: nothing, `/15`, `(0-29)` or `(0-29)/10`.
    private func hashed(_ text: Substring) -> String? {
        var range = range
        var rest = text
        if rest.first == "(" {
            guard let close = rest.firstIndex(of: ")") else { return nil }
            guard let bounds = bounds(rest[..<close].dropFirst(), separator: "-") else { return nil }
            range = bounds
            rest = rest[rest.index(after: close)...]
        }
        return value(in: range, step: rest)
    }

    /// `a~b`, `~b`, `a~`, `~`, with an optional step.
    private func random(_ text: String) -> String? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bounds = bounds(parts[0], separator: "~") else { return nil }
        return value(in: bounds, step: parts.count == 2 ? "/" + parts[1] : "")
    }

    private func bounds(_ text: Substring, separator: Character) -> ClosedRange<Int>? {
        let ends = text.split(separator: separator, omittingEmptySubsequences: false)
        guard ends.count == 2,
            let lower = ends[0].isEmpty ? range.lowerBound : Int(ends[0]),
            let upper = ends[1].isEmpty ? range.upperBound : Int(ends[1]),
            lower <= upper, parser.field.range.contains(lower), parser.field.range.contains(upper)
        else { return nil }
        return lower...upper
    }

    private func value(in range: ClosedRange<Int>, step: Substring) -> String? {
        guard !step.isEmpty else { return "\(range.lowerBound + hash % range.count)" }
        guard step.first == "/", let step = Int(step.dropFirst()), step > 0 else { return nil }
        let offset = hash % min(step, range.count)
        return "\(range.lowerBound + offset)-\(range.upperBound)/\(step)"
    }

    /// FNV-1a of the whole text and the position of the field.
    private var hash: Int {
        var hash: UInt32 = 0x811c_9dc5
        for byte in parser.source.bytes + [UInt8(truncatingIfNeeded: parser.range.lowerBound)] {
            hash = (hash ^ UInt32(byte)) &* 0x0100_0193
        }
        return Int(hash >> 4)
    }
}
