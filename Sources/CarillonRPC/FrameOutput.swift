internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import NIOCore

/// Writes frames to a channel, many in one buffer, and knows how many bytes the peer has not taken yet. Bound to the loop.
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

    /// Whether something was left out because its time was over. Whoever sent it believes that it went out: the connection
    /// must end, so that both ends compare what they hold.
    private(set) var hasLeftOut = false
    /// Called when the peer has taken something.
    var onTaken: (() -> Void)?
    /// When the peer last took something, or had taken everything.
    private var tookAt = SystemClock.bootTime()
    /// What is written at once, so that a slow peer, too, is seen to take a part.
    private static let chunkBytes = 256 << 10
    /// A peer that takes nothing for so long, with too much in line, does not read.
    private static let patienceMs: Int64 = 10_000

    /// Whether the peer has more than `limit` bytes in line and takes none, or more than four times as much in any case.
    func isStuck(limit: Int) -> Bool {
        guard unsentBytes > limit else { return false }
        return unsentBytes > limit * 4 || takesNothing
    }

    /// Whether the peer has something in line, and has taken none of it for long.
    var takesNothing: Bool {
        unsentBytes > 0 && SystemClock.bootTime().milliseconds(since: tookAt) > Self.patienceMs
    }

    /// Writes, and flushes once.
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

    /// A batch that is larger than the peer accepts goes out in halves; an answer that is, as an error.
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
    /// Two messages that say the same together, for those that are batches of at least two.
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
