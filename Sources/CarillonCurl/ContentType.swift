/// The value of Content-Type (RFC 9110, section 8.3).
struct ContentType: Equatable {
    /// Type and subtype in lower case, such as "text/html"; empty when the value is malformed or absent.
    var essence = ""
    /// The parameter `charset` in lower case.
    var charset: String?

    private static let maxEssenceBytes = 100

    init(_ value: String?) {
        guard let value else { return }
        let parts = value.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        let essence = Self.trimmed(parts[0])
        let halves = essence.split(separator: "/", omittingEmptySubsequences: false)
        if halves.count == 2, halves.allSatisfy(Self.isToken), essence.utf8.count <= Self.maxEssenceBytes {
            self.essence = essence
        }
        for part in parts.dropFirst() {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1)
            guard pair.count == 2, Self.trimmed(pair[0]) == "charset" else { continue }
            charset = Self.trimmed(pair[1]).filter { $0 != "\"" && $0 != "'" }
            break
        }
    }

    /// Whether content of this type is text.
    var isText: Bool {
        guard let slash = essence.firstIndex(of: "/") else { return false }
        let subtype = essence[essence.index(after: slash)...]
        return essence.hasPrefix("text/") || subtype.hasSuffix("+json") || subtype.hasSuffix("+xml")
            || essence.hasPrefix("application/") && Self.textSubtypes.contains(String(subtype))
    }

    private static let textSubtypes: Set<String> = [
        "json", "jsonl", "x-ndjson", "xml", "javascript", "x-javascript", "ecmascript", "x-www-form-urlencoded", "yaml",
        "x-yaml", "toml", "sql", "graphql", "xhtml", "x-sh",
    ]

    private static func trimmed(_ bytes: Substring.UTF8View) -> String {
        String(Substring(bytes)).lowercased().filter { $0 != " " && $0 != "\t" }
    }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "!#$&-^_.+".utf8.contains($0)
                }
            }
    }
}
