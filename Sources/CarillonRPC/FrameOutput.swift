internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import NIOCore

/// Writes frames to a channel, many in one buffer, and counts the unsent bytes. Bound to the event loop.
final class FrameOutput {
    private let codec = MessageCodec()
    private let metrics: RPCMetrics
    private var tally: FrameTally
    /// The largest payload that the peer accepts.
    var maxFrameBytes: Int
    private(set) var unsentBytes = 0

    init(maxFrameBytes: Int, metrics: RPCMetrics) {
        self.maxFrameBytes = maxFrameBytes
        self.metrics = metrics
        tally = FrameTally(.sent, metrics)
    }

    /// Whether a message was dropped after its deadline. Its sender assumes that it was sent, so the connection must end; after
    /// that, both ends compare the calls that they hold.
    private(set) var hasLeftOut = false
    /// Called when the peer has read some bytes.
    var onTaken: (() -> Void)?
    /// When the peer last read something, or when the output was last empty.
    private var tookAt = SystemClock.bootTime()
    /// The size of one write. A small size makes the progress of a slow peer visible.
    private static let chunkBytes = 256 << 10
    /// A peer with too many queued bytes that reads nothing for this long is closed.
    private static let patienceMs: Int64 = 10_000

    /// Whether more than `limit` bytes are queued and the peer reads none of them, or more than four times `limit` are queued.
    func isStuck(limit: Int) -> Bool {
        guard unsentBytes > limit else { return false }
        return unsentBytes > limit * 4 || takesNothing
    }

    /// Whether bytes are queued and the peer has read none of them for `patienceMs`.
    var takesNothing: Bool {
        unsentBytes > 0 && SystemClock.bootTime().milliseconds(since: tookAt) > Self.patienceMs
    }

    /// Writes all items and flushes once.
    func write(_ items: [Outbox.Item], _ context: ChannelHandlerContext) {
        guard !items.isEmpty else { return }
        var buffer = context.channel.allocator.buffer(capacity: min(items.count * 128, Self.chunkBytes))
        for item in items {
            switch item {
            case .envelope(let envelope): append(envelope, to: &buffer)
            case .dated(let envelope, let deadline):
                if SystemClock.bootTime() < deadline {
                    append(envelope, to: &buffer)
                } else {
                    hasLeftOut = true
                    metrics.failure("lease_over")
                }
            case .frame(let frame, let name):
                buffer.writeBytes(frame)
                tally.add(name)
            }
            if buffer.readableBytes >= Self.chunkBytes {
                write(buffer, context)
                buffer = context.channel.allocator.buffer(capacity: Self.chunkBytes)
            }
        }
        tally.flush()
        write(buffer, context)
        context.flush()
    }

    private func write(_ buffer: ByteBuffer, _ context: ChannelHandlerContext) {
        var rest = buffer
        while let slice = rest.readSlice(length: min(rest.readableBytes, Self.chunkBytes)), slice.readableBytes > 0 {
            let bytes = slice.readableBytes
            if unsentBytes == 0 { tookAt = SystemClock.bootTime() }
            unsentBytes += bytes
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in
                self.unsentBytes -= bytes
                self.tookAt = SystemClock.bootTime()
                self.onTaken?()
            }
            context.write(NIOAny(slice), promise: written)
        }
    }

    /// A batch larger than the peer's limit is split into halves; an answer larger than the limit is replaced by an error.
    private func append(_ envelope: Envelope, to buffer: inout ByteBuffer) {
        let size = codec.withFrame(of: envelope) { frame -> Int in
            if frame.count <= maxFrameBytes + FrameEncoder.headerBytes { buffer.writeBytes(frame) }
            return frame.count
        }
        if size <= maxFrameBytes + FrameEncoder.headerBytes {
            tally.add(envelope.message.name)
        } else if let halves = envelope.message.halves {
            append(Envelope(id: envelope.id, halves.0), to: &buffer)
            append(Envelope(id: envelope.id, halves.1), to: &buffer)
        } else if envelope.id != 0 {
            let text =
                "the answer has \(size) bytes, more than the \(maxFrameBytes) of a frame; ask for fewer with `limit`"
            append(
                Envelope(id: envelope.id, .error(ClientError(.resourceExhausted, text, retryable: false))),
                to: &buffer
            )
        } else {
            metrics.failure("oversized_message")
        }
    }
}

extension Message {
    /// Splits a batch of at least two elements into two messages; `nil` for other messages.
    var halves: (Message, Message)? {
        switch self {
        case .dispatch(let time, let calls): split(calls) { .dispatch(clusterTime: time, $0) }
        case .holding(let epoch, let calls): split(calls) { .holding(epoch: epoch, running: $0) }
        case .outcome(let outcomes): split(outcomes) { .outcome($0) }
        case .outcomeAck(let outcomes): split(outcomes) { .outcomeAck($0) }
        case .claimQuery(let claims): split(claims) { .claimQuery($0) }
        case .claimAnswer(let rememberedMs, let claims):
            split(claims) { .claimAnswer(rememberedMs: rememberedMs, $0) }
        case .started(let tokens): split(tokens) { .started($0) }
        case .cancel(let tokens): split(tokens) { .cancel($0) }
        default: nil
        }
    }

    private func split<Element>(_ elements: [Element], _ make: ([Element]) -> Message) -> (Message, Message)? {
        guard elements.count > 1 else { return nil }
        let middle = elements.count / 2
        return (make(Array(elements[..<middle])), make(Array(elements[middle...])))
    }
}
