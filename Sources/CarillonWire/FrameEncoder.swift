/// Prefixes payloads with their 4-byte big-endian length.
package enum FrameEncoder {
    package static let headerBytes = 4

    /// Appends a complete frame.
    package static func append(payload: [UInt8], to output: inout [UInt8]) {
        output.reserveCapacity(output.count + headerBytes + payload.count)
        appendHeader(payloadBytes: payload.count, to: &output)
        output.append(contentsOf: payload)
    }

    /// Appends only the length.
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
