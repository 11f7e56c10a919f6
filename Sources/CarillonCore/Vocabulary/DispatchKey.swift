/// A key of HMAC-SHA-256 (RFC 2104) with both padded blocks already hashed: a short message costs two compressions.
package struct DispatchKey: Sendable, Hashable {
    private let inner: SHA256.State
    private let outer: SHA256.State

    /// - Parameter bytes: the key. More than 64 bytes are hashed first.
    package init(_ bytes: [UInt8]) {
        var key = bytes.count > 64 ? SHA256.digest(of: bytes) : bytes
        key += [UInt8](repeating: 0, count: 64 - key.count)
        inner = SHA256.State(afterBlock: key.map { $0 ^ 0x36 })
        outer = SHA256.State(afterBlock: key.map { $0 ^ 0x5C })
    }

    /// The code of a message of at most 55 bytes.
    package func code(of message: UnsafeRawBufferPointer) -> AuthenticationCode {
        let digest = inner.finished(message, prefixBytes: 64)
        return withUnsafeBytes(
            of: (
                digest.words.0.bigEndian, digest.words.1.bigEndian, digest.words.2.bigEndian, digest.words.3.bigEndian,
                digest.words.4.bigEndian, digest.words.5.bigEndian, digest.words.6.bigEndian, digest.words.7.bigEndian
            )
        ) { bytes in
            let code = outer.finished(bytes, prefixBytes: 64).words
            return AuthenticationCode(
                high: UInt64(code.0) << 32 | UInt64(code.1),
                low: UInt64(code.2) << 32 | UInt64(code.3)
            )
        }
    }

    /// A key derived from this one for one purpose or one peer.
    package func derived(_ label: [UInt8]) -> DispatchKey {
        // A label may be longer than one block, the digest of it is not.
        let code = SHA256.digest(of: label).withUnsafeBytes { self.code(of: $0) }
        return DispatchKey(UniqueID(high: code.high, low: code.low).bytes)
    }
}
