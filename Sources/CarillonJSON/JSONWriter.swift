/// Writes JSON text. Numbers that JSON cannot represent (infinite, not a number) become null.
struct JSONWriter {
    let pretty: Bool
    private(set) var output: [UInt8] = []

    init(pretty: Bool) {
        self.pretty = pretty
    }

    mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .null: append("null")
        case .bool(let bool): append(bool ? "true" : "false")
        case .integer(let number): append(String(number))
        case .number(let number): write(number)
        case .string(let text): write(text)
        case .array(let values):
            list(values, open: "[", close: "]", depth: depth) { $0.write($1, depth: depth + 1) }
        case .object(let members):
            list(members, open: "{", close: "}", depth: depth) {
                $0.write($1.name)
                $0.append($0.pretty ? ": " : ":")
                $0.write($1.value, depth: depth + 1)
            }
        }
    }

    private mutating func list<Element>(
        _ elements: [Element],
        open: StaticString,
        close: StaticString,
        depth: Int,
        _ each: (inout JSONWriter, Element) -> Void
    ) {
        append(open)
        for (index, element) in elements.enumerated() {
            if index > 0 { append(",") }
            newLine(depth + 1)
            each(&self, element)
        }
        if !elements.isEmpty { newLine(depth) }
        append(close)
    }

    private mutating func newLine(_ depth: Int) {
        guard pretty else { return }
        output.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { append("  ") }
    }

    private mutating func write(_ number: Double) {
        guard number.isFinite else { return append("null") }
        if let whole = Int64(exactly: number), abs(number) < 9_007_199_254_740_992 {
            append(String(whole))
        } else {
            append(number.description)
        }
    }

    private mutating func write(_ text: String) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\r"): append("\\r")
            case UInt8(ascii: "\t"): append("\\t")
            case 0..<0x20:
                append("\\u00")
                append(byte < 0x10 ? "0" : "1")
                output.append(JSONWriter.digits[Int(byte & 15)])
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private mutating func append(_ text: StaticString) {
        output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ text: String) {
        output.append(contentsOf: text.utf8)
    }
}
