/// A message authentication code of 128 bits: HMAC-SHA-256 (RFC 2104, FIPS 180-4), truncated to its first 16 bytes.
package struct AuthenticationCode: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The code of a message without authentication. No key produces it, except by chance.
    package static let zero = AuthenticationCode(high: 0, low: 0)
}
