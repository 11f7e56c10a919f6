internal import CarillonJSON

/// The end of an id, which is what tables show and what a person can type. Ids begin with a time, so their beginnings are alike.
enum ShortID {
    /// Hexadecimal digits that tables show.
    static let length = 8
    /// Hexadecimal digits that a reference needs.
    static let minimum = 6

    /// The last digits of an id.
    static func text(_ id: JSONValue?) -> String {
        String(ValueFormat.text(id).suffix(length))
    }

    /// The digits of a reference that may be the end of an id, in lower case and without hyphens; `nil` when it cannot be one.
    static func digits(_ reference: String) -> String? {
        let digits = reference.lowercased().filter { $0 != "-" }
        let isHex = digits.utf8.allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
        }
        return isHex && minimum...32 ~= digits.utf8.count ? digits : nil
    }

    /// Whether an id ends with these digits.
    static func matches(_ id: JSONValue?, _ digits: String) -> Bool {
        (id?.string ?? "").lowercased().filter { $0 != "-" }.hasSuffix(digits)
    }
}
