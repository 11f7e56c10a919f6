internal import Glibc

/// A character encoding other than UTF-8, for the conversion of responses.
struct Charset: Equatable {
    /// The name in glibc's iconv.
    let name: String

    /// `nil` when the label is unknown to the Encoding Standard, or names UTF-8 or ASCII, which need no conversion.
    /// - Parameter label: in lower case.
    init?(_ label: String) {
        guard let name = Self.names[label] ?? Self.numbered(label) else { return nil }
        self.name = name
    }

    static func isUTF8(_ label: String) -> Bool {
        ["utf-8", "utf8", "unicode-1-1-utf-8", "us-ascii", "ascii"].contains(label)
    }

    /// Labels of the Encoding Standard. ISO 8859-1 is read as its superset windows-1252, as browsers do.
    private static let names = [
        "iso-8859-1": "CP1252", "iso8859-1": "CP1252", "latin1": "CP1252", "l1": "CP1252", "cp1252": "CP1252",
        "gb2312": "GB18030", "gbk": "GB18030", "gb18030": "GB18030", "big5": "BIG5-HKSCS", "euc-jp": "EUC-JP",
        "iso-2022-jp": "ISO-2022-JP", "shift_jis": "CP932", "shift-jis": "CP932", "sjis": "CP932",
        "windows-31j": "CP932", "euc-kr": "CP949", "ks_c_5601-1987": "CP949", "koi8-r": "KOI8-R", "koi8-u": "KOI8-U",
        "ibm866": "CP866", "cp866": "CP866", "macintosh": "MACINTOSH", "utf-16": "UTF-16LE", "utf-16le": "UTF-16LE",
        "utf-16be": "UTF-16BE", "utf-32": "UTF-32LE", "utf-32le": "UTF-32LE", "utf-32be": "UTF-32BE",
    ]

    private static func numbered(_ label: String) -> String? {
        for (prefix, name, range) in [("iso-8859-", "ISO-8859-", 2...16), ("windows-", "CP", 1250...1258)] {
            if label.hasPrefix(prefix), let number = Int(label.dropFirst(prefix.utf8.count)), range.contains(number) {
                return name + String(number)
            }
        }
        return nil
    }

    /// The bytes converted to UTF-8, with U+FFFD for malformed parts; `nil` when glibc does not support the encoding.
    func utf8(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard let converter = iconv_open("UTF-8", name), converter != iconv_t(bitPattern: -1) else { return nil }
        defer { iconv_close(converter) }
        var input = bytes.map { CChar(bitPattern: $0) }
        // In the listed encodings, one byte becomes at most four bytes of UTF-8.
        var output = [CChar](repeating: 0, count: bytes.count * 4 + 16)
        var result: [UInt8] = []
        input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                var (next, left) = (input.baseAddress, input.count)
                while true {
                    var (target, room) = (output.baseAddress, output.count)
                    let converted = iconv(converter, &next, &left, &target, &room)
                    let failure = errno
                    result += output.prefix(output.count - room).map { UInt8(bitPattern: $0) }
                    // An incomplete character at the end is dropped.
                    guard converted == -1, failure != EINVAL, left > 0 else { break }
                    if failure == EILSEQ {
                        result += Array("\u{FFFD}".utf8)
                        next = next?.advanced(by: 1)
                        left -= 1
                    }
                }
            }
        }
        return result
    }
}
