/// Splits a byte stream into frames: a 4-byte big-endian length, then a payload of that length.
///
/// Incremental (bytes may arrive in any pieces) and bounded: an excessive length is refused as soon as its four bytes are there,
/// and no memory is reserved for bytes that have not arrived. After an error, every call throws the same error.
package struct FrameDecoder: ~Copyable {
    /// 4 MiB.
    package static let defaultMaxFrameBytes = 4 << 20

    /// The largest accepted payload; may change between frames.
    package var maxFrameBytes: Int
    /// The start of an incomplete frame, with its header.
    private var partial: [UInt8] = []
    private var failure: WireError?

    package init(maxFrameBytes: Int = FrameDecoder.defaultMaxFrameBytes) {
        self.maxFrameBytes = maxFrameBytes
    }

    /// The bytes of the incomplete frame.
    package var bufferedBytes: Int { partial.count }

    /// Processes the next bytes of the stream; calls `frame` with the payload of each completed frame. The payload is valid only
    /// during that call.
    /// - Throws: `oversized`, or the error of `frame`. The rest of the bytes is dropped.
    package mutating func feed(
        _ bytes: UnsafeRawBufferPointer,
        frame: (UnsafeRawBufferPointer) throws(WireError) -> Void
    ) throws(WireError) {
        if let failure { throw failure }
        do throws(WireError) {
            var rest = bytes
            if !partial.isEmpty {
                guard let consumed = try completePartial(rest, frame: frame) else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
            }
            while rest.count >= 4 {
                let length = try FrameDecoder.checkedLength(rest, limit: maxFrameBytes)
                guard rest.count - 4 >= length else { break }
                try frame(UnsafeRawBufferPointer(rebasing: rest[4..<4 + length]))
                rest = UnsafeRawBufferPointer(rebasing: rest[(4 + length)...])
            }
            partial.append(contentsOf: rest)
        } catch {
            failure = error
            partial = []
            throw error
        }
    }

    /// Like the function above, for an array.
    package mutating func feed(
        _ bytes: [UInt8],
        frame: (UnsafeRawBufferPointer) throws(WireError) -> Void
    ) throws(WireError) {
        // `withUnsafeBytes` rethrows only untyped errors, so the error is returned as a value.
        let outcome = bytes.withUnsafeBytes { buffer -> Result<Void, WireError> in
            do throws(WireError) {
                return .success(try feed(buffer, frame: frame))
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    /// Completes the partial frame. Returns the number of bytes used, or `nil` if the frame is still incomplete.
    private mutating func completePartial(
        _ bytes: UnsafeRawBufferPointer,
        frame: (UnsafeRawBufferPointer) throws(WireError) -> Void
    ) throws(WireError) -> Int? {
        var consumed = 0
        if partial.count < 4 {
            consumed = min(4 - partial.count, bytes.count)
            partial.append(contentsOf: bytes[0..<consumed])
            guard partial.count == 4 else { return nil }
        }
        let limit = maxFrameBytes
        let length = try partial.withHeader { (header) throws(WireError) in
            try FrameDecoder.checkedLength(header, limit: limit)
        }
        let missing = min(4 + length - partial.count, bytes.count - consumed)
        partial.append(contentsOf: bytes[consumed..<consumed + missing])
        consumed += missing
        guard partial.count == 4 + length else { return nil }
        var whole: [UInt8] = []
        swap(&whole, &partial)
        try whole.withPayload(frame)
        // A small buffer is kept for the next partial frame, a large one is released.
        if whole.capacity <= 64 << 10 {
            whole.removeAll(keepingCapacity: true)
            partial = whole
        }
        return consumed
    }

    /// Whether a stream starts like HTTP, request or response. A wrong port is the most frequent mistake.
    private static func isHTTP(_ header: UnsafeRawBufferPointer) -> Bool {
        ["HTTP", "GET ", "POST", "PUT ", "HEAD", "DELE", "PATC", "OPTI", "CONN", "TRAC", "PRI "].contains {
            header.prefix(4).elementsEqual($0.utf8)
        }
    }

    private static func checkedLength(_ header: UnsafeRawBufferPointer, limit: Int) throws(WireError) -> Int {
        let length = Int(UInt32(bigEndian: header.loadUnaligned(as: UInt32.self)))
        guard length <= limit else {
            if FrameDecoder.isHTTP(header) {
                throw WireError(
                    .malformed,
                    "received HTTP instead of the Carillon protocol; the REST API is on the gateway's port"
                )
            }
            throw WireError(
                .oversized,
                "a frame announces \(length) bytes; the limit is \(limit)"
            )
        }
        return length
    }
}

extension [UInt8] {
    fileprivate func withHeader<R>(
        _ body: (UnsafeRawBufferPointer) throws(WireError) -> R
    ) throws(WireError) -> R {
        let outcome = withUnsafeBytes { buffer -> Result<R, WireError> in
            do throws(WireError) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    fileprivate func withPayload(
        _ body: (UnsafeRawBufferPointer) throws(WireError) -> Void
    ) throws(WireError) {
        try withHeader { (buffer) throws(WireError) in
            try body(UnsafeRawBufferPointer(rebasing: buffer[4...]))
        }
    }
}
