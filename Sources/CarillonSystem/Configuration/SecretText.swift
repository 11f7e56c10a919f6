/// Handles texts that may contain a password, such as a connection string passed to the wrong option.
package enum SecretText {
    /// Replaces a value that cannot be masked.
    package static let placeholder = "(not shown, because it may hold a password)"

    /// Whether the text looks like the user information of a URL, `user:password@`, or contains the word password.
    package static func isSensitive(_ text: String) -> Bool {
        if let at = text.lastIndex(of: "@"), text[..<at].contains(":") { return true }
        let compact = text.lowercased().filter { !$0.isWhitespace }
        return compact.contains("password=")
    }

    /// The text; its masked form if it may contain a password; or a placeholder if it cannot be masked.
    package static func shown(_ text: String) -> String {
        guard isSensitive(text) else { return text }
        return MaskedConnectionString.of(text) ?? placeholder
    }

    /// Masks a parser's message, which quotes command-line arguments.
    package static func masking(_ message: String, of arguments: [String]) -> String {
        var values = arguments
        for argument in arguments where argument.hasPrefix("-") {
            if let equals = argument.firstIndex(of: "=") {
                values.append(String(argument[argument.index(after: equals)...]))
            }
        }
        var message = message
        // The longest value first, because a value can be a part of another.
        for value in values.sorted(by: { $0.utf8.count > $1.utf8.count }) where isSensitive(value) {
            message = replacing(value, in: message, with: shown(value))
        }
        return message
    }

    /// The text with each occurrence of a part replaced.
    package static func replacing(_ part: String, in text: String, with replacement: String) -> String {
        guard !part.isEmpty else { return text }
        let (bytes, wanted) = (Array(text.utf8), Array(part.utf8))
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: wanted) {
                result += Array(replacement.utf8)
                index += wanted.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
