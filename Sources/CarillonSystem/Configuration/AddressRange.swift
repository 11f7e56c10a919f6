/// A range of IP addresses in the notation of RFC 4632: `10.0.0.0/8`, `fd00::/8`. A single address is a range of one.
package struct AddressRange: Sendable, Hashable {
    private let base: IPAddress
    private let prefix: Int

    /// `nil` for an invalid text. Bits after the prefix are ignored: `10.1.2.3/8` is `10.0.0.0/8`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = IPAddress(parts[0]) else { return nil }
        self.base = base
        guard parts.count == 2 else {
            prefix = base.width
            return
        }
        let isNumber = (1...3).contains(parts[1].utf8.count) && parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isNumber, let prefix = Int(parts[1]), prefix <= base.width else { return nil }
        // An IPv4 range in IPv6 notation would have a different prefix length.
        guard base.width == 128 || !parts[0].contains(":") else { return nil }
        self.prefix = prefix
    }

    /// Whether the address lies in the range.
    package func contains(_ address: IPAddress) -> Bool {
        guard address.width == base.width else { return false }
        // A shift by the whole width gives zero, which is right for a prefix of 0.
        return (address.bits ^ base.bits) >> UInt128(base.width - prefix) == 0
    }
}
