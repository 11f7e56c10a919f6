/// Validates strings of the protocol: UTF-8 (RFC 3629) without NUL.
package enum TextScan {
    package enum Problem {
        case nul
        case notUTF8
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The first problem of the bytes and its offset; `nil` for valid text.
    package static func problem(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> (problem: Problem, offset: Int)? {
        var position = 0
        while position < count {
            // ASCII without NUL, eight bytes at a time.
            while count - position >= 8 {
                let word = UnsafeRawPointer(bytes + position).loadUnaligned(as: UInt64.self)
                if (word | (word &- ones)) & tops != 0 { break }
                position += 8
            }
            guard position < count else { break }
            let byte = bytes[position]
            if byte == 0 { return (.nul, position) }
            if byte < 0x80 {
                position += 1
                continue
            }
            guard let length = sequenceLength(bytes + position, count - position) else { return (.notUTF8, position) }
            position += length
        }
        return nil
    }

    static func containsNUL(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var position = 0
        while count - position >= 8 {
            let word = UnsafeRawPointer(bytes + position).loadUnaligned(as: UInt64.self)
            if (word &- ones) & ~word & tops != 0 { return true }
            position += 8
        }
        while position < count {
            if bytes[position] == 0 { return true }
            position += 1
        }
        return false
    }

    /// The length of a well-formed sequence of two to four bytes at this position (RFC 3629, section 4).
    private static func sequenceLength(_ bytes: UnsafePointer<UInt8>, _ available: Int) -> Int? {
        let first = bytes[0]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: length = 3
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard available >= length, second ~= bytes[1] else { return nil }
        for index in 2..<max(2, length) where !(0x80...0xBF ~= bytes[index]) { return nil }
        return length
    }
}
