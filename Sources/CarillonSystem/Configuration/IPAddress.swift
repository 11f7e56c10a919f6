internal import Glibc

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) becomes the IPv4 address.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// The number of bits: 32 or 128.
    let width: Int
    let bits: UInt128

    /// Parses four decimal numbers separated by dots, or an IPv6 address of RFC 4291, section 2.2, without brackets and zone. `nil`
    /// for an invalid text.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            width = 32
            bits = UInt128(UInt32(bigEndian: v4.s_addr))
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let value = withUnsafeBytes(of: v6) { $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } }
        let isMapped = value >> 32 == 0xFFFF
        width = isMapped ? 32 : 128
        bits = isMapped ? value & 0xFFFF_FFFF : value
    }

    /// The shortest form (RFC 5952); an IPv6 address without brackets.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let bytes = (0..<width / 8).map { UInt8(truncatingIfNeeded: bits >> UInt128(width - 8 - 8 * $0)) }
        inet_ntop(width == 32 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
