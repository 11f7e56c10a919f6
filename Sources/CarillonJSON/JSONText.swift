/// JSON text (RFC 8259): a strict reader that reports the position of an error, and a writer.
package enum JSONText {
    /// The limit for nested arrays and objects.
    package static let maxDepth = 64

    /// A syntax error: "line 1, column 17: expected ',' or '}'". Columns count characters; both start at 1.
    package struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        package var line: Int
        package var column: Int
        package var message: String

        package init(line: Int, column: Int, message: String) {
            self.line = line
            self.column = column
            self.message = message
        }

        package var description: String { "line \(line), column \(column): \(message)" }
    }

    /// Reads one value, optionally surrounded by white space. A duplicate name in an object is an error, because it is ambiguous
    /// which value counts.
    package static func read(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
        var reader = JSONReader(bytes)
        return try reader.document()
    }

    package static func read(_ text: String) throws(Problem) -> JSONValue {
        try read(Array(text.utf8))
    }

    /// Writes a single line without spaces, or lines indented by two spaces.
    package static func write(_ value: JSONValue, pretty: Bool = false) -> String {
        String(decoding: bytes(of: value, pretty: pretty), as: UTF8.self)
    }

    /// Like `write`, but UTF-8 bytes.
    package static func bytes(of value: JSONValue, pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        writer.write(value, depth: 0)
        return writer.output
    }
}
