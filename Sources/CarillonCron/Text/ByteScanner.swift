/// Reads ASCII text from the front; a part that does not match consumes nothing.
struct ByteScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Exactly `count` digits.
    mutating func digits(_ count: Int) -> Int? {
        guard position + count <= bytes.count else { return nil }
        var value = 0
        for index in position..<position + count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        position += count
        return value
    }

    /// One to 15 digits.
    mutating func number() -> Int64? {
        var value: Int64 = 0
        let start = position
        while let byte = next, byte &- UInt8(ascii: "0") <= 9 {
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            position += 1
            guard position - start <= 15 else {
                position = start
                return nil
            }
        }
        return position > start ? value : nil
    }
}
