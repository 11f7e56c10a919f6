/// A key of HMAC-SHA-256 (RFC 2104) with both padded blocks already hashed: a short message costs two compressions.
package struct DispatchKey: Sendable, Hashable {
    private let inner: SHA256.State
    private let outer: SHA256.State

    /// - Parameter bytes: the key. Keys of more than 64 bytes are hashed first.
    package init(_ bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { bytes in
            bytes.count <= 64
                ? DispatchKey(short: bytes) : SHA256.digest(of: bytes).withBytes { DispatchKey(short: $0) }
        }
    }

    /// - Parameter key: at most 64 bytes.
    private init(short key: UnsafeRawBufferPointer) {
        inner = SHA256.State(afterKey: key, pad: 0x36)
        outer = SHA256.State(afterKey: key, pad: 0x5C)
    }

    /// The code of a message of at most 55 bytes.
    package func code(of message: UnsafeRawBufferPointer) -> AuthenticationCode {
        let digest = SHA256.Digest(words: inner.finished(message, prefixBytes: 64).words)
        return digest.withBytes { bytes in
            let code = SHA256.Digest(words: outer.finished(bytes, prefixBytes: 64).words)
            return AuthenticationCode(high: code.high, low: code.low)
        }
    }

    /// A key derived from this one for one purpose or one peer.
    package func derived(_ label: [UInt8]) -> DispatchKey {
        // A label may be longer than one block; its digest is not.
        let digest = label.withUnsafeBytes { SHA256.digest(of: $0) }
        let code = digest.withBytes { self.code(of: $0) }
        return withUnsafeBytes(of: (code.high.bigEndian, code.low.bigEndian)) { DispatchKey(short: $0) }
    }
}
