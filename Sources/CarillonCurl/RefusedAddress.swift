internal import Glibc

/// Addresses that are never called: link-local addresses and the metadata services of clouds. They are checked when a socket is
/// opened, not when a job is created, because a name may resolve to any address.
enum RefusedAddress {
    /// The address as text if it is refused; `nil` otherwise.
    static func text(of address: UnsafePointer<sockaddr>) -> String? {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            let bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                withUnsafeBytes(of: address.pointee.sin_addr) { Array($0) }
            }
            return isRefused(v4: bytes[...]) ? dotted(bytes[...]) : nil
        case AF_INET6:
            let bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) }
            }
            return isRefused(v6: bytes) ? written(v6: bytes) : nil
        default:
            return nil
        }
    }

    /// 169.254.0.0/16 (RFC 3927; most clouds' metadata), 100.100.100.200 (Alibaba's), 192.0.0.192 (Oracle's first).
    static func isRefused(v4 bytes: ArraySlice<UInt8>) -> Bool {
        bytes.starts(with: [169, 254]) || bytes.elementsEqual([100, 100, 100, 200])
            || bytes.elementsEqual([192, 0, 0, 192])
    }

    /// fe80::/10 (RFC 4291), fd00:ec2::254 (Amazon's metadata), and IPv6 forms that contain an IPv4 address.
    static func isRefused(v6 bytes: [UInt8]) -> Bool {
        if bytes[0] == 0xFE, bytes[1] & 0xC0 == 0x80 { return true }
        if bytes == [0xFD, 0, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54] { return true }
        let zeroes = [UInt8](repeating: 0, count: 10)
        // ::ffff:a.b.c.d (mapped), ::a.b.c.d (compatible)
        if bytes[..<10].elementsEqual(zeroes),
            bytes[10...11].elementsEqual([0xFF, 0xFF]) || bytes[10...11].elementsEqual([0, 0])
        {
            return isRefused(v4: bytes[12...])
        }
        // 64:ff9b::/96 (RFC 6052) and the local prefix 64:ff9b:1::/48 (RFC 8215)
        if bytes.starts(with: [0x00, 0x64, 0xFF, 0x9B]) { return isRefused(v4: bytes[12...]) }
        // 2002:a.b.c.d::/48 (6to4)
        if bytes.starts(with: [0x20, 0x02]) { return isRefused(v4: bytes[2..<6]) }
        return false
    }

    private static func dotted(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { String($0) }.joined(separator: ".")
    }

    private static func written(v6 bytes: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &buffer, socklen_t(buffer.count)) != nil else { return "an IPv6 address" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
