/// Cuts a stream of bytes into frames: a 4-byte big-endian length, then as many bytes of payload.
///
/// Incremental (bytes may come in any pieces) and bounded: a length over the limit is refused as soon as its four bytes
/// are there, and no memory is set aside for bytes that have not come. Once it has thrown, it throws the same error for ever.
package struct FrameDecoder: ~Copyable {
    /// 4 MiB.
    package static let defaultMaxFrameBytes = 4 << 20

    /// The largest payload that is accepted; may change between frames.
    package var maxFrameBytes: Int
    /// The beginning of a frame whose end has not come yet, header included.
    private var partial: [UInt8] = []
    private var failure: WireError?

    package init(maxFrameBytes: Int = FrameDecoder.defaultMaxFrameBytes) {
        self.maxFrameBytes = maxFrameBytes
    }

    /// How many bytes wait for the rest of their frame.
    package var bufferedBytes: Int { partial.count }

    /// Takes the next bytes of the stream and calls `frame` with the payload of each frame that they complete. The payload
    /// is valid only during that call.
    /// - Throws: `oversized`, or what `frame` throws. The rest of the bytes is dropped then.
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

    /// As above, for bytes in an array.
    package mutating func feed(
        _ bytes: [UInt8],
        frame: (UnsafeRawBufferPointer) throws(WireError) -> Void
    ) throws(WireError) {
        // `withUnsafeBytes` only rethrows untyped errors: the outcome is carried out as a value.
        let outcome = bytes.withUnsafeBytes { buffer -> Result<Void, WireError> in
            do throws(WireError) {
                return .success(try feed(buffer, frame: frame))
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    /// Adds to the partial frame what it lacks. Returns how many bytes it took, `nil` if that was all and not enough.
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
        // A small buffer is kept for the next partial frame, a large one is given back.
        if whole.capacity <= 64 << 10 {
            whole.removeAll(keepingCapacity: true)
            partial = whole
        }
        return consumed
    }

    /// Whether a stream begins as HTTP does, in answers and in requests: the wrong port is the most frequent mistake.
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
                    "what came is HTTP and not Carillon's protocol; REST has a port of its own, the gateway's"
                )
            }
            throw WireError(
                .oversized,
                "a frame announces \(length) bytes; at most \(limit) are accepted here"
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
