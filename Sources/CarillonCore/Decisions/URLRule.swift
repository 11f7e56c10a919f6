/// The rules for an api_url: absolute, http or https, with a host, without userinfo, at most 2,083 bytes (RFC 3986,
/// section 3; RFC 9110, section 4.2). The host may be internationalized (RFC 3987), the rest is ASCII. URLs that
/// libcurl would reject are rejected here.
package enum URLRule {
    package static let maxBytes = 2_083

    /// The problem with `url`, as a sentence that says what is valid; `nil` if there is none.
    package static func problem(with url: String) -> String? {
        let example = "an absolute http or https URL such as https://example.com/hook"
        if url.isEmpty { return "is empty; it must be \(example)" }
        let bytes = Array(url.utf8)
        if bytes.count > maxBytes { return "has \(bytes.count) bytes; at most \(maxBytes) are allowed" }
        let host = Self.hostRange(of: bytes)
        if let index = bytes.indices.first(where: {
            bytes[$0] <= 0x20 || bytes[$0] == 0x7F || bytes[$0] > 0x7F && !host.contains($0)
        }) {
            return
                "has a character at position \(index + 1) that a URL must not contain (a space, a control character or a non-ASCII character); percent-encode it"
        }
        if let index = bytes.firstIndex(where: { "\"<>\\^`{|}".utf8.contains($0) }) {
            return
                "has '\(Character(UnicodeScalar(bytes[index])))' at position \(index + 1), which a URL must not contain; percent-encode it"
        }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return "has no scheme; it must be \(example)" }
        let scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        guard scheme == "http" || scheme == "https" else {
            // `example.org:8080/x` parses as a scheme too.
            if bytes[(colon + 1)...].first.map({ (0x30...0x39).contains($0) }) ?? false {
                return "has no http:// or https:// before its host; it must be \(example)"
            }
            return "has the scheme '\(scheme)'; only http and https are supported"
        }
        guard bytes[(colon + 1)...].starts(with: [UInt8(ascii: "/"), UInt8(ascii: "/")]) else {
            return "has no '//' after '\(scheme):'; it must be \(example)"
        }
        let rest = bytes[(colon + 3)...]
        let end = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        return problem(withEscapes: bytes) ?? problem(withAuthority: Array(rest[..<end]))
    }

    /// The range of the authority; empty if there is none.
    private static func hostRange(of bytes: [UInt8]) -> Range<Int> {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[(colon + 1)...].starts(with: "//".utf8) else {
            return 0..<0
        }
        let rest = bytes[(colon + 3)...]
        return rest.startIndex..<(rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex)
    }

    private static func problem(withAuthority authority: [UInt8]) -> String? {
        if authority.contains(UInt8(ascii: "@")) {
            return "contains a user name or password before the host; send credentials in a header instead"
        }
        var host = authority[...]
        var port: ArraySlice<UInt8>?
        if authority.first == UInt8(ascii: "[") {
            guard let close = authority.firstIndex(of: UInt8(ascii: "]")) else {
                return "has a '[' in its host without a ']'"
            }
            host = authority[1..<close]
            if let problem = HostRule.problem(withIPv6: host) { return problem }
            let after = authority[(close + 1)...]
            if let first = after.first {
                guard first == UInt8(ascii: ":") else { return "has something other than a port after its host" }
                port = after.dropFirst()
            }
        } else {
            if let colon = authority.firstIndex(of: UInt8(ascii: ":")) {
                host = authority[..<colon]
                port = authority[(colon + 1)...]
            }
            if host.isEmpty { return "has no host" }
            if let problem = HostRule.problem(withName: host) { return problem }
        }
        guard let port, !port.isEmpty else { return nil }
        guard port.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let number = Int(String(decoding: port, as: UTF8.self)), (1...65_535).contains(number)
        else {
            return "has the port '\(String(decoding: port, as: UTF8.self))'; a port is a number from 1 to 65535"
        }
        return nil
    }

    private static func problem(withEscapes bytes: [UInt8]) -> String? {
        func isHex(_ byte: UInt8) -> Bool {
            (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
                || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "f"))
        }
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "%") {
            guard index + 2 < bytes.count, isHex(bytes[index + 1]), isHex(bytes[index + 2]) else {
                return "has a '%' at position \(index + 1) without two hexadecimal digits after it"
            }
        }
        return nil
    }
}
