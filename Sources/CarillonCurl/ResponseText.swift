/// The kept start of a response's content, as text for the database.
///
/// Text is kept as valid UTF-8 without NUL. Other content is kept as a data URL (RFC 2397) in base64, such as
/// `data:image/png;base64,iVBORw0…`. Text that looks like such a URL is also kept in base64, so that the form is unambiguous.
struct ResponseText {
    /// The received content, or its start.
    var bytes: [UInt8]
    /// Whether more bytes followed; the last character may then be incomplete.
    var isCut: Bool
    var type: ContentType
    /// Content-Encoding, in the order in which the codings were applied, in lower case.
    var codings: [Substring] = []
    /// The limit of the text in bytes.
    var limit: Int

    /// Additional bytes of encoded content to keep, for the headers of the encoding.
    static let encodedExtra = 4_096

    /// Splits the value of Content-Encoding.
    static func codings(_ value: String) -> [Substring] {
        value.lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }.filter { $0 != "identity" }
    }

    var text: String {
        guard !bytes.isEmpty, limit > 0 else { return "" }
        var content = (bytes: bytes, isCut: isCut)
        if !codings.isEmpty {
            guard let decoded else {
                // Some servers send values that are not codings, such as a charset.
                let plain = Self.plainText(bytes, isCut: isCut)
                return plain.map { clip($0) } ?? base64(bytes, coding: codings.joined(separator: ","))
            }
            content = (decoded.bytes, isCut || !decoded.isComplete)
        }
        guard let text = text(content.bytes, isCut: content.isCut), !Self.looksEncoded(text) else {
            return base64(content.bytes)
        }
        return clip(text)
    }

    /// `nil` when a coding is not supported, or when the content does not have the declared coding.
    private var decoded: ContentCoding.Decoded? {
        let known = codings.compactMap { ContentCoding($0) }
        guard known.count == codings.count, known.count <= ContentCoding.maxCount else { return nil }
        var content = ContentCoding.Decoded(bytes: bytes, isComplete: !isCut)
        for (index, coding) in known.reversed().enumerated() {
            let isLast = index == known.count - 1
            let wasComplete = content.isComplete
            content = coding.decode(content.bytes, limit: isLast ? limit + 1 : limit + Self.encodedExtra)
            content.isComplete = content.isComplete && wasComplete
            if content.bytes.isEmpty, !content.isComplete { return nil }
        }
        return content
    }

    // MARK: Text

    /// `nil` when the content is not text.
    private func text(_ bytes: [UInt8], isCut: Bool) -> String? {
        if let charset = type.charset, !Charset.isUTF8(charset) {
            guard let known = Charset(charset), let converted = known.utf8(bytes[...]) else {
                return Self.plainText(bytes, isCut: isCut)
            }
            return Self.withoutNUL(String(decoding: converted, as: UTF8.self))
        }
        guard type.isText else { return Self.plainText(bytes, isCut: isCut) }
        let whole = isCut ? bytes.dropLast(Self.incompleteTail(of: bytes)) : bytes[...]
        return Self.withoutNUL(String(decoding: whole, as: UTF8.self))
    }

    /// Content of an undeclared type is text if it is valid UTF-8 without the control characters that only binary data has (MIME
    /// Sniffing, section 3).
    private static func plainText(_ bytes: [UInt8], isCut: Bool) -> String? {
        let whole = isCut ? bytes.dropLast(incompleteTail(of: bytes)) : bytes[...]
        let isBinary = whole.contains { $0 < 0x20 && !($0 >= 0x09 && $0 <= 0x0D && $0 != 0x0B) && $0 != 0x1B }
        return isBinary ? nil : String(validating: whole, as: UTF8.self)
    }

    private static func withoutNUL(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 }))
    }

    /// The start of the text, at most `limit` bytes.
    private func clip(_ text: String) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    /// The number of bytes at the end that form an incomplete character.
    private static func incompleteTail(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let byte = bytes[bytes.count - length]
            if byte & 0xC0 == 0x80 { continue }
            let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return needed > length ? length : 0
        }
        return 0
    }

    // MARK: Base64

    private static func looksEncoded(_ text: String) -> Bool {
        guard text.utf8.starts(with: "data:".utf8) else { return false }
        return text.utf8.prefix { $0 != UInt8(ascii: ",") }.reversed().starts(with: ";base64".utf8.reversed())
    }

    /// As much of the content as fits; "" when nothing fits.
    private func base64(_ bytes: [UInt8], coding: String? = nil) -> String {
        let isNamed = coding.map { name in name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ";") } }
        let parameter = isNamed == true ? ";content-encoding=\(coding ?? "")" : ""
        var prefix = "data:\(type.essence)\(parameter);base64,"
        if prefix.utf8.count + 4 > limit { prefix = "data:;base64," }
        let room = (limit - prefix.utf8.count) / 4 * 3
        return room > 0 ? prefix + Base64.text(bytes.prefix(room)) : ""
    }
}

/// RFC 4648, section 4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let group = bytes[index..<min(index + 3, bytes.endIndex)]
            let value = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for position in 0..<4 {
                let digit = Int(value >> UInt32(18 - 6 * position) & 63)
                result.append(position <= group.count ? alphabet[digit] : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: result, as: UTF8.self)
    }
}
