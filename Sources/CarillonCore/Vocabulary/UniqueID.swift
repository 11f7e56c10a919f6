/// 128 bits in network order, written as a UUID (RFC 9562).
package struct UniqueID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Sixteen bytes, big-endian; `nil` unless there are exactly sixteen.
    package init?(bytes: some Sequence<UInt8>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for byte in bytes {
            if count < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
            count += 1
            if count > 16 { return nil }
        }
        guard count == 16 else { return nil }
        self.init(high: high, low: low)
    }

    /// The canonical form with hyphens, upper or lower case (RFC 9562, section 4).
    package init?(_ text: some StringProtocol) {
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var position = 0
        for byte in text.utf8 {
            let isHyphen = byte == UInt8(ascii: "-")
            let wantsHyphen = position == 8 || position == 13 || position == 18 || position == 23
            guard isHyphen == wantsHyphen, position < 36 else { return nil }
            position += 1
            if isHyphen { continue }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            if digits < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
            digits += 1
        }
        guard position == 36 else { return nil }
        self.init(high: words.0, low: words.1)
    }

    /// Version 4: random (RFC 9562, section 5.4).
    package static func random(using generator: inout some RandomNumberGenerator) -> UniqueID {
        let high = generator.next() as UInt64
        let low = generator.next() as UInt64
        return UniqueID(
            high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        )
    }

    /// Version 7: ordered by `time`, random below it (RFC 9562, section 5.7).
    package static func ordered(
        by time: Timestamp,
        using generator: inout some RandomNumberGenerator
    ) -> UniqueID {
        let random = UniqueID.random(using: &generator)
        return UniqueID(
            high: UInt64(bitPattern: time.milliseconds) << 16 | 0x7000 | random.high & 0x0FFF,
            low: random.low
        )
    }

    package static let zero = UniqueID(high: 0, low: 0)

    /// The byte at `index`, 0 to 15, in network order.
    package subscript(index: Int) -> UInt8 {
        index < 8
            ? UInt8(truncatingIfNeeded: high >> UInt64(56 - index * 8))
            : UInt8(truncatingIfNeeded: low >> UInt64(120 - index * 8))
    }

    /// The sixteen bytes in network order.
    package var bytes: [UInt8] {
        (0..<16).map { self[$0] }
    }

    package var description: String {
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let byte = self[index]
                buffer[position] = digits.utf8Start[Int(byte >> 4)]
                buffer[position + 1] = digits.utf8Start[Int(byte & 15)]
                position += 2
            }
            return 36
        }
    }

    package static func < (left: UniqueID, right: UniqueID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
