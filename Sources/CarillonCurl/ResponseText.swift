/// The kept beginning of a response, as text that a database takes.
enum ResponseText {
    /// - Parameters:
    ///   - isCut: whether more bytes followed, so that the last character may be incomplete.
    ///   - limit: bytes that the text may have.
    /// - Returns: valid UTF-8 without NUL: what is neither is U+FFFD.
    static func text(_ bytes: [UInt8], isCut: Bool, limit: Int) -> String {
        let whole = isCut ? bytes.dropLast(incompleteTail(of: bytes)) : bytes[...]
        var text = String(decoding: whole, as: UTF8.self)
        if text.utf8.contains(0) {
            text = String(
                String.UnicodeScalarView(text.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 })
            )
        }
        guard text.utf8.count > limit else { return text }
        // Repairs may have made it longer.
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    /// How many bytes at the end are the beginning of a character whose rest is missing.
    private static func incompleteTail(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let byte = bytes[bytes.count - length]
            if byte & 0xC0 == 0x80 { continue }
            let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return needed > length ? length : 0
        }
        return 0
    }
}
