/// JSON as text (RFC 8259): a strict reader that says where it stopped, and a writer.
package enum JSONText {
    /// Arrays and objects within each other.
    package static let maxDepth = 64

    /// Why a text is not JSON: "line 1, column 17: expected ',' or '}'". Columns count characters, both begin at 1.
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

    /// Reads one value with nothing but white space around it. A name that appears twice in one object is a problem too:
    /// whoever wrote it cannot know which value would count.
    package static func read(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
        var reader = JSONReader(bytes)
        return try reader.document()
    }

    package static func read(_ text: String) throws(Problem) -> JSONValue {
        try read(Array(text.utf8))
    }

    /// One line without spaces, or lines indented by two spaces.
    package static func write(_ value: JSONValue, pretty: Bool = false) -> String {
        String(decoding: bytes(of: value, pretty: pretty), as: UTF8.self)
    }

    /// As `write`, as UTF-8.
    package static func bytes(of value: JSONValue, pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        writer.write(value, depth: 0)
        return writer.output
    }
}
