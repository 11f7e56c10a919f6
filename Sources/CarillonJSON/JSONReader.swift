internal import CarillonWire

/// Reads JSON text (RFC 8259), strictly.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONText.Problem) -> JSONValue {
        if let (problem, offset) = textProblem() {
            // A NUL is valid UTF-8; it is reported as an unexpected character, unless an error precedes it.
            if problem == .notUTF8 { throw JSONReader.problem(bytes, offset, "not UTF-8") }
        }
        skipSpace()
        guard position < bytes.count else { throw problem("expected a value, found the end of the text") }
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw problem("expected the end of the text, found \(found())") }
        return value
    }

    private func textProblem() -> (TextScan.Problem, Int)? {
        var start = 0
        return bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return nil }
            while let (problem, offset) = TextScan.problem(base + start, buffer.count - start) {
                if problem == .notUTF8 { return (.notUTF8, start + offset) }
                start += offset + 1
            }
            return nil
        }
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(JSONText.Problem) -> JSONValue {
        guard depth < JSONText.maxDepth else {
            throw problem("nested deeper than \(JSONText.maxDepth) levels")
        }
        guard position < bytes.count else { throw problem("expected a value, found the end of the text") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw problem("expected a value, found \(found())")
        }
    }

    private mutating func object(depth: Int) throws(JSONText.Problem) -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            guard peek() == UInt8(ascii: "\"") else {
                throw problem(members.isEmpty ? "expected a name in quotes or '}'" : "expected a name in quotes")
            }
            let start = position
            let name = try string()
            guard names.insert(name).inserted else {
                throw JSONReader.problem(bytes, start, "the name \"\(name)\" appears twice in this object")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw problem("expected ':'") }
            skipSpace()
            members.append(JSONValue.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw problem("expected ',' or '}'") }
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(JSONText.Problem) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { throw problem("expected ',' or ']'") }
            skipSpace()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONText.Problem) -> JSONValue {
        let count = word.utf8CodeUnitCount
        let matches =
            bytes.count - position >= count && (0..<count).allSatisfy { bytes[position + $0] == word.utf8Start[$0] }
        guard matches else { throw problem("expected a value; the words are true, false and null") }
        position += count
        return value
    }

    private mutating func number() throws(JSONText.Problem) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            if isDigit(peek()) { throw problem("a number must not have leading zeros") }
        } else {
            try digits()
        }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .integer(whole) }
        guard let number = Double(text), number.isFinite else {
            throw JSONReader.problem(bytes, start, "the number is too large")
        }
        return .number(number)
    }

    private mutating func digits() throws(JSONText.Problem) {
        guard isDigit(peek()) else { throw problem("expected a digit") }
        while isDigit(peek()) { position += 1 }
    }

    // MARK: Strings

    private mutating func string() throws(JSONText.Problem) -> String {
        let opening = position
        position += 1
        var start = position
        var text: [UInt8] = []
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                text.append(contentsOf: bytes[start..<position])
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text.append(contentsOf: bytes[start..<position])
                text.append(contentsOf: String(try escape()).utf8)
                start = position
            case 0..<0x20:
                throw problem("a control character in a string must be written as an escape, such as \\n or \\u0001")
            default: position += 1
            }
        }
        throw JSONReader.problem(bytes, opening, "the string has no end")
    }

    private mutating func escape() throws(JSONText.Problem) -> Unicode.Scalar {
        let start = position
        position += 1
        let character = peek()
        position += 1
        switch character {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default:
            throw JSONReader.problem(
                bytes,
                start,
                "unknown escape; the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u"
            )
        }
        let first = try fourDigits(start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        // The first half of a surrogate pair: the second half must follow.
        guard 0xD800...0xDBFF ~= first, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw JSONReader.problem(bytes, start, "half of a surrogate pair")
        }
        let second = try fourDigits(start)
        guard 0xDC00...0xDFFF ~= second,
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else {
            throw JSONReader.problem(bytes, start, "half of a surrogate pair")
        }
        return scalar
    }

    private mutating func fourDigits(_ start: Int) throws(JSONText.Problem) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            switch peek() {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(bytes[position] - 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(bytes[position] - 0x57)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(bytes[position] - 0x37)
            default: throw JSONReader.problem(bytes, start, "\\u needs four hexadecimal digits")
            }
            position += 1
        }
        return value
    }

    // MARK: Characters

    /// The next byte; 0 at the end. A NUL also gives 0, and is invalid wherever this is used.
    private func peek() -> UInt8 { position < bytes.count ? bytes[position] : 0 }

    private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return
            }
        }
    }

    private func found() -> String {
        guard position < bytes.count else { return "the end of the text" }
        let byte = bytes[position]
        if byte < 0x20 || byte == 0x7F { return "a control character" }
        let character = String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self).first
        return character.map { "'\($0)'" } ?? "something else"
    }

    private func problem(_ message: String) -> JSONText.Problem {
        JSONReader.problem(bytes, position, message)
    }

    private static func problem(_ bytes: [UInt8], _ offset: Int, _ message: String) -> JSONText.Problem {
        var line = 1
        var column = 1
        for byte in bytes[0..<min(offset, bytes.count)] {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return JSONText.Problem(line: line, column: column, message: message)
    }
}
