/// Puts the 4-byte big-endian length before a payload.
package enum FrameEncoder {
    package static let headerBytes = 4

    /// Appends a whole frame.
    package static func append(payload: [UInt8], to output: inout [UInt8]) {
        output.reserveCapacity(output.count + headerBytes + payload.count)
        appendHeader(payloadBytes: payload.count, to: &output)
        output.append(contentsOf: payload)
    }

    /// Appends the length alone.
    package static func appendHeader(payloadBytes: Int, to output: inout [UInt8]) {
        let length = UInt32(payloadBytes)
        output.append(UInt8(truncatingIfNeeded: length >> 24))
        output.append(UInt8(truncatingIfNeeded: length >> 16))
        output.append(UInt8(truncatingIfNeeded: length >> 8))
        output.append(UInt8(truncatingIfNeeded: length))
    }

    /// The frame around a payload.
    package static func frame(payload: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        append(payload: payload, to: &output)
        return output
    }
}
