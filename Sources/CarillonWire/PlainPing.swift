/// Ping and Pong as they are usually written: the id, then the body, each number once and in order. Who measures sends them by
/// the thousand, and the way through protobuf-c's structs costs more than all the rest of an answer. A Ping that is written
/// in another way takes that way and means the same.
enum PlainPing {
    private static let idTag: UInt8 = 1 << 3
    private static let pingTag: UInt8 = 4 << 3 | 2
    private static let pongTag: UInt8 = 5 << 3 | 2
    private static let firstTag: UInt8 = 1 << 3
    private static let secondTag: UInt8 = 2 << 3

    /// A length, then at most three numbers of ten bytes, with their tags, and the body's tag and length.
    static let maxPongFrameBytes = 4 + 3 * 11 + 2

    /// `nil`: it is something else, or not written plainly.
    static func read(_ payload: UnsafeRawBufferPointer) -> Envelope? {
        var at = 0
        guard take(idTag, payload, &at), let id = number(payload, &at), take(pingTag, payload, &at),
            at < payload.count, Int(payload[at]) == payload.count - at - 1
        else { return nil }
        at += 1
        guard take(firstTag, payload, &at), let sent = number(payload, &at), at == payload.count else { return nil }
        return Envelope(id: id, .ping(sentMicroseconds: Int64(bitPattern: sent)))
    }

    /// Writes a frame, and returns how many bytes it has.
    static func writePong(
        id: UInt64,
        _ pingSentMicroseconds: Int64,
        _ answeredMicroseconds: Int64,
        to frame: UnsafeMutableRawPointer
    ) -> Int {
        let bytes = frame.assumingMemoryBound(to: UInt8.self)
        var at = 4
        put(idTag, id, bytes, &at)
        bytes[at] = pongTag
        let length = at + 1
        at += 2
        put(firstTag, UInt64(bitPattern: pingSentMicroseconds), bytes, &at)
        put(secondTag, UInt64(bitPattern: answeredMicroseconds), bytes, &at)
        bytes[length] = UInt8(at - length - 1)
        frame.storeBytes(of: UInt32(at - 4).bigEndian, as: UInt32.self)
        return at
    }

    private static func take(_ tag: UInt8, _ payload: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
        guard at < payload.count, payload[at] == tag else { return false }
        at += 1
        return true
    }

    /// A number of at most nine bytes; a longer one is left to those who judge it.
    private static func number(_ payload: UnsafeRawBufferPointer, _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift: UInt64 in stride(from: 0, to: 63, by: 7) {
            guard at < payload.count else { return nil }
            let byte = payload[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func put(_ tag: UInt8, _ number: UInt64, _ bytes: UnsafeMutablePointer<UInt8>, _ at: inout Int) {
        bytes[at] = tag
        at += 1
        var rest = number
        while rest >= 0x80 {
            bytes[at] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
            at += 1
        }
        bytes[at] = UInt8(rest)
        at += 1
    }
}
