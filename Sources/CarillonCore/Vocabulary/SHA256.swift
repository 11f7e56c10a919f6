/// SHA-256 (FIPS 180-4) for execution ids and the codes of dispatch tokens. The core has no dependency except the cron
/// module.
package enum SHA256 {
    /// The 32 bytes of the digest.
    package static func digest(of message: [UInt8]) -> [UInt8] {
        message.withUnsafeBytes { digest(of: $0) }.withBytes { Array($0) }
    }

    /// The digest, computed without heap allocation.
    package static func digest(of message: UnsafeRawBufferPointer) -> Digest {
        Digest(words: State().finished(message, prefixBytes: 0).words)
    }

    /// The 32 bytes as big-endian words.
    package struct Digest: Sendable {
        let words: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

        /// The first 16 bytes.
        package var high: UInt64 { UInt64(words.0) << 32 | UInt64(words.1) }
        package var low: UInt64 { UInt64(words.2) << 32 | UInt64(words.3) }

        package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            withUnsafeBytes(
                of: (
                    words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian,
                    words.4.bigEndian, words.5.bigEndian, words.6.bigEndian, words.7.bigEndian
                ),
                body
            )
        }
    }

    /// The eight working variables between two blocks of 64 bytes.
    package struct State: Sendable, Hashable {
        private(set) var a: UInt32 = 0x6a09_e667
        private(set) var b: UInt32 = 0xbb67_ae85
        private(set) var c: UInt32 = 0x3c6e_f372
        private(set) var d: UInt32 = 0xa54f_f53a
        private(set) var e: UInt32 = 0x510e_527f
        private(set) var f: UInt32 = 0x9b05_688c
        private(set) var g: UInt32 = 0x1f83_d9ab
        private(set) var h: UInt32 = 0x5be0_cd19

        init() {}

        /// The state after the first block of HMAC: a key of at most 64 bytes, padded with zeros, each byte XORed with
        /// `pad`.
        init(afterKey key: UnsafeRawBufferPointer, pad: UInt8) {
            precondition(key.count <= 64, "a block of SHA-256 has 64 bytes")
            withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { block in
                block.initializeMemory(as: UInt8.self, repeating: pad)
                for index in key.indices { block[index] ^= key[index] }
                compress(UnsafeRawBufferPointer(block))
            }
        }

        var words: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) { (a, b, c, d, e, f, g, h) }

        /// The state after the rest of the message and its padding.
        /// - Parameter prefixBytes: the number of bytes that this state has already processed.
        func finished(_ message: UnsafeRawBufferPointer, prefixBytes: Int) -> State {
            var state = self
            var start = 0
            while message.count - start >= 64 {
                state.compress(UnsafeRawBufferPointer(rebasing: message[start..<start + 64]))
                start += 64
            }
            let rest = message.count - start
            withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { padded in
                let size = rest < 56 ? 64 : 128
                padded.initializeMemory(as: UInt8.self, repeating: 0)
                if rest > 0 { padded.copyMemory(from: UnsafeRawBufferPointer(rebasing: message[start...])) }
                padded[rest] = 0x80
                let bits = UInt64(prefixBytes + message.count) * 8
                padded.storeBytes(of: bits.bigEndian, toByteOffset: size - 8, as: UInt64.self)
                state.compress(UnsafeRawBufferPointer(rebasing: padded[0..<64]))
                if size == 128 { state.compress(UnsafeRawBufferPointer(rebasing: padded[64..<128])) }
            }
            return state
        }

        private mutating func compress(_ block: UnsafeRawBufferPointer) {
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
                for index in 0..<16 {
                    words[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
                }
                for index in 16..<64 {
                    let before = words[index - 15]
                    let recent = words[index - 2]
                    let low = rotate(before, 7) ^ rotate(before, 18) ^ before >> 3
                    let high = rotate(recent, 17) ^ rotate(recent, 19) ^ recent >> 10
                    words[index] = words[index - 16] &+ low &+ words[index - 7] &+ high
                }
                var (a, b, c, d) = (a, b, c, d)
                var (e, f, g, h) = (e, f, g, h)
                for index in 0..<64 {
                    let sumE = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
                    let choice = e & f ^ ~e & g
                    let first = h &+ sumE &+ choice &+ roundConstants[index] &+ words[index]
                    let sumA = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
                    let majority = a & b ^ a & c ^ b & c
                    (h, g, f, e) = (g, f, e, d &+ first)
                    (d, c, b, a) = (c, b, a, first &+ sumA &+ majority)
                }
                self.a &+= a
                self.b &+= b
                self.c &+= c
                self.d &+= d
                self.e &+= e
                self.f &+= f
                self.g &+= g
                self.h &+= h
            }
        }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
        word >> count | word << (32 - count)
    }

    private static let roundConstants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
