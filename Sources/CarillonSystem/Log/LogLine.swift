internal import CarillonCore
internal import Glibc
internal import Logging

/// One log line as bytes. It stays one line whatever a value contains, and a value cannot look like another key.
struct LogLine: ~Copyable {
    /// The limit of a value in bytes; longer values are cut.
    static let valueLimit = 4_096

    private(set) var bytes: [UInt8] = []

    static func text(
        microseconds: Int64,
        level: LogLevel,
        component: String,
        message: String,
        metadata: [(key: String, value: Logger.Metadata.Value)]
    ) -> [UInt8] {
        var line = LogLine()
        line.bytes.reserveCapacity(160)
        line.time(microseconds)
        line.append(" ")
        line.append(level.rawValue)
        for _ in level.rawValue.utf8.count..<max(5, level.rawValue.utf8.count) { line.append(" ") }
        line.append(" ")
        line.append(component)
        line.append(" ")
        line.escaped(message, quotes: false)
        for (key, value) in metadata {
            line.append(" ")
            line.append(key.utf8.allSatisfy(isPlain) && !key.isEmpty ? key : "key")
            line.append("=")
            line.textValue(value)
        }
        line.append("\n")
        return line.bytes
    }

    static func json(
        microseconds: Int64,
        level: LogLevel,
        component: String,
        message: String,
        metadata: [(key: String, value: Logger.Metadata.Value)]
    ) -> [UInt8] {
        var line = LogLine()
        line.bytes.reserveCapacity(240)
        line.append("{\"time\":\"")
        line.time(microseconds)
        line.append("\",\"level\":\"\(level.rawValue)\",\"component\":")
        line.quoted(component)
        line.append(",\"message\":")
        line.quoted(message)
        for (key, value) in metadata {
            line.append(",")
            line.quoted(["time", "level", "component", "message"].contains(key) ? key + "_" : key)
            line.append(":")
            line.jsonValue(value)
        }
        line.append("}\n")
        return line.bytes
    }

    // MARK: Values

    private mutating func textValue(_ value: Logger.Metadata.Value) {
        switch value {
        case .string(let text): plainOrQuoted(text)
        case .stringConvertible(let convertible): plainOrQuoted(convertible.description)
        case .array, .dictionary:
            var nested = LogLine()
            nested.jsonValue(value)
            bytes += nested.bytes
        }
    }

    private mutating func jsonValue(_ value: Logger.Metadata.Value) {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let convertible):
            switch convertible {
            case let number as any BinaryInteger: append("\(number)")
            case let number as Double where number.isFinite: append("\(number)")
            case let truth as Bool: append(truth ? "true" : "false")
            default: quoted(convertible.description)
            }
        case .array(let values):
            append("[")
            for (index, value) in values.enumerated() {
                if index > 0 { append(",") }
                jsonValue(value)
            }
            append("]")
        case .dictionary(let values):
            append("{")
            for (index, pair) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { append(",") }
                quoted(pair.key)
                append(":")
                jsonValue(pair.value)
            }
            append("}")
        }
    }

    private mutating func plainOrQuoted(_ text: String) {
        if !text.isEmpty, text.utf8.count <= Self.valueLimit, text.utf8.allSatisfy(Self.isPlain) {
            append(text)
        } else {
            quoted(text)
        }
    }

    /// Letters, digits and marks that neither end a value nor start a quoted one.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
            && byte != UInt8(ascii: "\\")
    }

    private mutating func quoted(_ text: String) {
        append("\"")
        escaped(text, quotes: true)
        append("\"")
    }

    /// Escapes characters that would end the line, move the cursor or change the reading direction, as in JSON.
    private mutating func escaped(_ text: String, quotes: Bool) {
        var isCut = false
        let limit = bytes.count + Self.valueLimit
        for scalar in text.unicodeScalars {
            if bytes.count >= limit {
                isCut = true
                break
            }
            switch scalar.value {
            case 0x0a: append("\\n")
            case 0x0d: append("\\r")
            case 0x09: append("\\t")
            case 0x22 where quotes: append("\\\"")
            case 0x5c where quotes: append("\\\\")
            case 0..<0x20, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069:
                append("\\u")
                let digits = String(scalar.value, radix: 16)
                for _ in digits.utf8.count..<4 { append("0") }
                append(digits)
            default: bytes.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
            }
        }
        if isCut { append("…") }
    }

    // MARK: Time

    /// RFC 3339 with milliseconds, in UTC.
    private mutating func time(_ microseconds: Int64) {
        var seconds = time_t(Timestamp(milliseconds: microseconds / 1000).seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        digits(Int(parts.tm_year) + 1900, 4)
        append("-")
        digits(Int(parts.tm_mon) + 1, 2)
        append("-")
        digits(Int(parts.tm_mday), 2)
        append("T")
        digits(Int(parts.tm_hour), 2)
        append(":")
        digits(Int(parts.tm_min), 2)
        append(":")
        digits(Int(parts.tm_sec), 2)
        append(".")
        digits(Int(microseconds / 1000 - Int64(seconds) * 1000), 3)
        append("Z")
    }

    private mutating func digits(_ number: Int, _ width: Int) {
        let text = String(number)
        for _ in text.utf8.count..<max(width, text.utf8.count) { append("0") }
        append(text)
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }
}
