/// The host and port of a URL or of a `Host` header (RFC 3986, section 3.2): `carillon.example.com`, `127.0.0.1:8000`,
/// `[::1]:8000`.
package struct WebAuthority: Sendable, Hashable, CustomStringConvertible {
    /// The host in lower case. An IPv6 address is in its shortest form, without brackets.
    package let host: String
    /// Whether the host is an IPv4 or IPv6 address and not a name.
    package let isAddress: Bool
    /// `nil` when there is no port.
    package let port: Int?

    /// `nil` when the text is not a host with an optional port.
    package init?(_ text: some StringProtocol) {
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            // The zone of a link-local address has a meaning only on the client's machine.
            let inside = text[..<end].dropFirst().prefix { $0 != "%" }
            guard inside.contains(":"), let address = IPAddress(inside) else { return nil }
            host = address.description
            isAddress = true
            rest = Substring(text[text.index(after: end)...])
        } else {
            let name = text.prefix { $0 != ":" }
            guard Self.isName(name) else { return nil }
            host = name.lowercased()
            isAddress = IPAddress(name) != nil
            rest = Substring(text[name.endIndex...])
        }
        guard !rest.isEmpty else {
            port = nil
            return
        }
        let digits = rest.dropFirst()
        guard rest.first == ":", digits.utf8.count <= 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        // RFC 3986 allows a colon without a port.
        port = Int(digits)
        guard port ?? 0 <= 65_535 else { return nil }
    }

    /// The host without the dot at the end of a fully qualified name.
    package var name: String { host.hasSuffix(".") ? String(host.dropLast()) : host }

    package var description: String {
        (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "")
    }

    /// Whether the text is a DNS name or an IPv4 address: labels of letters, digits, hyphens and underscores, separated by dots, with
    /// an optional dot at the end.
    static func isName(_ text: some StringProtocol) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = (text.hasSuffix(".") ? text.dropLast() : text[...])
            .split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }
}
