internal import CarillonJSON

/// The end of an id, as shown in tables and accepted as a reference. Ids start with a time, so their beginnings are
/// similar.
enum ShortID {
    /// The number of hexadecimal digits in tables.
    static let length = 8
    /// The minimum number of hexadecimal digits of a reference.
    static let minimum = 6

    /// The last digits of an id.
    static func text(_ id: JSONValue?) -> String {
        String(ValueFormat.text(id).suffix(length))
    }

    /// The digits of a reference in lower case and without hyphens; `nil` if the reference cannot be the end of an id.
    static func digits(_ reference: String) -> String? {
        let digits = reference.lowercased().filter { $0 != "-" }
        let isHex = digits.utf8.allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
        }
        return isHex && minimum...32 ~= digits.utf8.count ? digits : nil
    }

    /// Whether the id ends with the digits.
    static func matches(_ id: JSONValue?, _ digits: String) -> Bool {
        (id?.string ?? "").lowercased().filter { $0 != "-" }.hasSuffix(digits)
    }
}
