internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import Logging
internal import NIOCore

/// One accepted connection: translates bytes into events of its state, and the state's actions into bytes and calls of the
/// receiver. Runs on the connection's event loop.
final class ServerPeerHandler: ChannelDuplexHandler, OutboxOwner {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// The limit of concurrent watches of one client.
    private static let maxWatches = 256
    /// Above this many unsent bytes, the client is not read from and none of its requests start, until half is sent.
    private static let unreadLimit = 4 << 20
    /// Above this many bytes of unanswered requests, the client is not read from until half of them are answered.
    private static let unansweredLimit = 16 << 20
    /// The time for the peer to read the last message.
    private static let farewell = TimeAmount.seconds(1)

    private let shared: ServerShared
    private let id = ConnectionNumber.next()
    private var state: ServerConnectionState
    private var decoder: FrameDecoder
    private let codec = MessageCodec()
    private let output: FrameOutput
    private var tally: FrameTally
    private var outbox: Outbox?
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?

    private var inbox: [Envelope] = []
    /// Replies to the bytes being decoded. They are written after decoding, with one flush: SwiftNIO may read from within a failing
    /// write, and the decoder must not be entered twice.
    private var replies: [Envelope] = []
    private var isDecoding = false
    /// When the bytes being decoded were received.
    private var arrival: WireNow?
    private var role: Role?
    private var isConnected = false
    private var isLeaving = false
    /// Unanswered requests with their size in bytes, and watches.
    private var inFlight: [UInt64: Int] = [:]
    private var inFlightBytes = 0
    private var watches: Set<UInt64> = []
    private var isHoldingReads = false
    private var isFull = false
    private var wantsRead = false

    init(shared: ServerShared) {
        self.shared = shared
        let limits = shared.configuration.limits
        state = ServerConnectionState(limits: limits, at: WireNow.current)
        decoder = FrameDecoder(maxFrameBytes: limits.maxHandshakeBytes)
        output = FrameOutput(maxFrameBytes: limits.maxFrameBytes, metrics: shared.metrics)
        tally = FrameTally(.received, shared.metrics)
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        outbox = Outbox(loop: context.eventLoop, owner: self)
        output.onTaken = { [weak self] in self?.balanceReads() }
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard timer == nil, !isLeaving else { return }
        guard shared.opened(id, { [outbox] in outbox?.close(why: $0) }) else {
            let text = "this scheduler has \(shared.configuration.maxConnections) connections already"
            shared.metrics.failure("too_many_connections")
            shared.refusals.log(
                .warning,
                key: "too_many_connections",
                "connection refused: limit reached",
                metadata: ["peer": "\(address(context))", "why": "\(text)"]
            )
            return leave(why: text, saying: .error(ClientError(.resourceExhausted, text)))
        }
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(why: "the connection was closed")
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        flushInbox()
        end(why: "the peer closed the connection")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        flushInbox()
        end(why: "\(error)")
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLeaving else { return }
        let buffer = unwrapInboundIn(data)
        isDecoding = true
        // All messages of one read have the same arrival time.
        arrival = WireNow.current
        buffer.withUnsafeReadableBytes { bytes in
            do throws(WireError) {
                let buffered = decoder.bufferedBytes
                try decoder.feed(bytes) { (payload) throws(WireError) in receive(payload, context) }
                if decoder.bufferedBytes > buffered { perform(state.handle(.receivedBytes, at: now), context) }
            } catch {
                perform(state.handle(.failedToDecode(error), at: now), context)
            }
        }
        decoder.maxFrameBytes = state.maxFrameBytes
        arrival = nil
        isDecoding = false
        tally.flush()
        write(takeReplies(), context)
    }

    private func takeReplies() -> [Envelope] {
        defer { replies = [] }
        return replies
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flushInbox()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if isHoldingReads { wantsRead = true } else { context.read() }
    }

    // MARK: Incoming

    private var now: WireNow { arrival ?? WireNow.current }

    private func receive(_ payload: UnsafeRawBufferPointer, _ context: ChannelHandlerContext) {
        guard !isLeaving else { return }
        let event: ServerConnectionState.Event
        do throws(WireError) {
            let envelope = try codec.decode(payload: payload)
            tally.add(envelope.message.name)
            event = .received(envelope)
        } catch {
            tally.add("undecodable")
            event = .failedToDecode(error)
        }
        let action = state.handle(event, at: now)
        if case .deliver = action, case .received(let envelope) = event {
            deliver(envelope, bytes: payload.count, context)
        } else {
            perform(action, context)
        }
    }

    private func deliver(_ envelope: Envelope, bytes: Int, _ context: ChannelHandlerContext) {
        guard case .request(let request) = envelope.message else {
            inbox.append(envelope)
            return
        }
        switch request {
        case .stopWatching:
            guard watches.remove(envelope.id) != nil else { return }
        case .watchExecutions:
            guard isFree(envelope.id, context) else { return }
            guard watches.count < ServerPeerHandler.maxWatches else {
                let text = "too many watches; a connection can have \(ServerPeerHandler.maxWatches)"
                return write([Envelope(id: envelope.id, .error(ClientError(.resourceExhausted, text)))], context)
            }
            watches.insert(envelope.id)
        default:
            guard isFree(envelope.id, context) else { return }
            inFlight[envelope.id] = bytes
            inFlightBytes += bytes
        }
        inbox.append(envelope)
        balanceReads()
    }

    private func isFree(_ id: UInt64, _ context: ChannelHandlerContext) -> Bool {
        guard inFlight[id] != nil || watches.contains(id) else { return true }
        let text = "out of state: id \(id) belongs to a request that is not answered yet"
        leave(why: text, saying: .error(ClientError(.invalidArgument, text)))
        return false
    }

    private func flushInbox() {
        guard !inbox.isEmpty, isConnected else { return }
        let envelopes = inbox
        inbox = []
        shared.receiver.received(envelopes, from: id)
    }

    /// A client with too many unanswered requests or unsent answers is not read from until half of them are gone. While too many
    /// answers are unsent, its queued requests do not start either.
    private func balanceReads() {
        guard role == .client, isConnected else { return }
        let (requests, limit) = (inFlight.count, shared.configuration.limits.maxRequestsInFlight)
        let (unread, unanswered) = (ServerPeerHandler.unreadLimit, ServerPeerHandler.unansweredLimit)
        if output.unsentBytes > unread {
            setFull(true)
        } else if output.unsentBytes <= unread / 2 {
            setFull(false)
        }
        if isFull || requests > limit || inFlightBytes > unanswered {
            holdReads(true)
        } else if requests <= limit / 2, inFlightBytes <= unanswered / 2 {
            holdReads(false)
        }
    }

    private func setFull(_ full: Bool) {
        guard full != isFull else { return }
        isFull = full
        shared.receiver.filled(id, full)
    }

    private func holdReads(_ hold: Bool) {
        guard hold != isHoldingReads else { return }
        isHoldingReads = hold
        _ = state.handle(.listening(!hold), at: now)
        if !hold, wantsRead {
            wantsRead = false
            context?.read()
        }
    }

    // MARK: Outgoing

    func drainOutbox() {
        guard let outbox, let context else { return }
        let closing = outbox.drain { items in
            for case .envelope(let envelope) in items where envelope.id != 0 {
                switch envelope.message {
                case .answer: settle(envelope.id)
                case .error: if !settle(envelope.id) { watches.remove(envelope.id) }
                default: break
                }
            }
            if !isLeaving { output.write(items, context) }
            balanceReads()
        }
        if output.isStuck(limit: shared.configuration.maxQueuedBytes) { return dropSlowReader(context) }
        if output.hasLeftOut {
            let why = "lease expired before a dispatch was written"
            leave(why: why, saying: .goodbye(why: why))
        }
        if let closing { leave(why: closing, saying: .goodbye(why: closing)) }
    }

    /// Removes the request. Returns whether it existed.
    @discardableResult
    private func settle(_ id: UInt64) -> Bool {
        guard let bytes = inFlight.removeValue(forKey: id) else { return false }
        inFlightBytes -= bytes
        return true
    }

    private func write(_ envelopes: [Envelope], _ context: ChannelHandlerContext) {
        guard !envelopes.isEmpty, !isLeaving else { return }
        guard !isDecoding else {
            replies += envelopes
            return
        }
        output.write(envelopes.map(Outbox.Item.envelope), context)
        balanceReads()
        if output.isStuck(limit: shared.configuration.maxQueuedBytes) { dropSlowReader(context) }
    }

    private func dropSlowReader(_ context: ChannelHandlerContext) {
        guard !isLeaving || isConnected else { return }
        let why = "slow reader: \(output.unsentBytes) bytes are queued"
        shared.metrics.failure("slow_reader")
        shared.refusals.log(
            .warning,
            key: "slow_reader",
            "slow reader; closing the connection",
            metadata: ["peer": "\(address(context))", "queued_bytes": "\(output.unsentBytes)"]
        )
        isLeaving = true
        end(why: why)
        context.close(promise: nil)
    }

    private func perform(_ action: ServerConnectionState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .none, .deliver: break
        case .welcome(let hello):
            // The next deadline is no longer the handshake's.
            timer?.cancel()
            timer = nil
            welcome(hello, context)
        case .send(let envelope): write([envelope], context)
        case .measured(let reading): shared.receiver.measured(reading, of: id)
        case .close(let why, let error):
            leave(why: why, saying: error.map(Message.error) ?? .goodbye(why: why))
        }
        if !isLeaving { schedule(context) }
    }

    private func welcome(_ hello: Hello, _ context: ChannelHandlerContext) {
        guard let outbox else { return }
        let limits = shared.configuration.limits
        var welcome: Welcome
        switch shared.receiver.answer(to: hello) {
        case .success(let answer): welcome = answer
        case .failure(let refusal): return leave(why: refusal.text, saying: .error(refusal))
        }
        welcome.protocolVersion = min(hello.protocolVersion, ProtocolVersion.current)
        welcome.heartbeatMs = UInt32(clamping: limits.heartbeatMs)
        welcome.maxFrameBytes = UInt32(clamping: limits.maxFrameBytes)
        role = hello.role
        isConnected = true
        write([Envelope(.welcome(welcome))], context)
        shared.metrics.connections(1)
        shared.receiver.connected(AcceptedPeer(id: id, hello: hello, address: address(context), link: outbox))
    }

    private func address(_ context: ChannelHandlerContext) -> String {
        context.remoteAddress.map(HostPort.text) ?? "unknown"
    }

    // MARK: Closing

    /// Sends a last message, gives the peer a moment to read it, and closes.
    private func leave(why: String, saying message: Message) {
        guard !isLeaving, let context else { return }
        flushInbox()
        isLeaving = true
        shared.metrics.countEnd(why)
        if let kind = RPCMetrics.failure(ofEnd: why) {
            // Rate-limited, because a peer may do this a thousand times a second.
            shared.refusals.log(
                .warning,
                key: kind,
                "protocol violation; closing the connection",
                metadata: ["peer": "\(address(context))", "kind": "\(kind)", "why": "\(why)"]
            )
        } else if !isConnected {
            shared.logger.debug(
                "connection refused",
                metadata: ["peer": "\(address(context))", "why": "\(why)"]
            )
        }
        output.write((takeReplies() + [Envelope(message)]).map(Outbox.Item.envelope), context)
        end(why: why)
        // Only the output is closed first. An immediate close could discard bytes that the peer has not read yet.
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: ServerPeerHandler.farewell) {
            self.context?.close(promise: nil)
        }
    }

    private func end(why: String) {
        timer?.cancel()
        timer = nil
        _ = state.handle(.ended(why: why), at: now)
        outbox?.end()
        shared.closed(id)
        inbox = []
        guard isConnected else { return }
        isConnected = false
        shared.metrics.connections(-1)
        shared.receiver.disconnected(id, why: why)
    }

    private func schedule(_ context: ChannelHandlerContext) {
        guard let deadline = state.deadline else { return }
        // Received messages only move the deadline back, so a timer that fires early schedules itself again.
        guard timer == nil else { return }
        let delay = max(1_000_000, deadline - SystemClock.bootTime())
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) {
            self.timer = nil
            guard !self.isLeaving, let context = self.context else { return }
            // While reads are paused, a peer counts as alive only if it reads something now and then.
            let isHeldWithoutProgress = self.isHoldingReads && self.output.takesNothing
            if isHeldWithoutProgress || self.output.isStuck(limit: self.shared.configuration.maxQueuedBytes) {
                return self.dropSlowReader(context)
            }
            self.perform(self.state.handle(.ticked, at: self.now), context)
        }
    }
}
