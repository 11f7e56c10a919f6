internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import Logging
internal import NIOCore

/// The dialling end of one connection. Runs on its event loop.
final class DialedHandler: ChannelInboundHandler, OutboxOwner {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Callbacks to the keeper of the connections: the end of the handshake, and the end of the connection.
    struct Reports {
        var established: (DialedConnection) -> Void
        /// `connection` is nil when the handshake was not completed.
        var ended: (_ connection: DialedConnection?, _ why: String) -> Void
    }

    struct Setup {
        var role: Role
        var hello: Hello
        var limits: ConnectionLimits
        var scheduler: String
        var address: String
        var owner: any DialedConnectionOwner
        var metrics: RPCMetrics
        var reports: Reports
    }

    private let setup: Setup
    private let id = ConnectionNumber.next()
    private var state: ClientConnectionState
    private var decoder: FrameDecoder
    private let codec = MessageCodec()
    private let output: FrameOutput
    private var tally: FrameTally
    private var outbox: Outbox?
    private var connection: DialedConnection?
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var inbox: [Envelope] = []
    private var answers: [RawAnswer] = []
    /// Replies to the bytes being decoded. They are written after decoding, with one flush: SwiftNIO may read from within a failing
    /// write, and the decoder must not be entered twice.
    private var replies: [Outbox.Item] = []
    private var isDecoding = false
    /// When the bytes being decoded were received.
    private var arrival: WireNow?
    private var isOver = false

    init(_ setup: Setup) {
        self.setup = setup
        state = ClientConnectionState(role: setup.role, limits: setup.limits, at: WireNow.current)
        decoder = FrameDecoder(maxFrameBytes: setup.limits.maxFrameBytes)
        output = FrameOutput(maxFrameBytes: setup.limits.maxFrameBytes, metrics: setup.metrics)
        tally = FrameTally(.received, setup.metrics)
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        outbox = Outbox(loop: context.eventLoop, owner: self)
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard timer == nil, !isOver else { return }
        output.write([.envelope(Envelope(.hello(setup.hello)))], context)
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(why: "the connection was closed")
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        flushInbox()
        end(why: "the scheduler closed the connection")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        flushInbox()
        end(why: FailureText.of(error))
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        isDecoding = true
        // All messages of one read have the same arrival time.
        arrival = WireNow.current
        unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
            do throws(WireError) {
                let buffered = decoder.bufferedBytes
                try decoder.feed(bytes) { (payload) throws(WireError) in receive(payload, context) }
                if decoder.bufferedBytes > buffered { perform(state.handle(.receivedBytes, at: now), context) }
            } catch {
                perform(state.handle(.failedToDecode(error), at: now), context)
            }
        }
        arrival = nil
        isDecoding = false
        tally.flush()
        let answered = takeReplies()
        if !isOver { output.write(answered, context) }
    }

    private func takeReplies() -> [Outbox.Item] {
        defer { replies = [] }
        return replies
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flushInbox()
        context.fireChannelReadComplete()
    }

    // MARK: Incoming

    private var now: WireNow { arrival ?? WireNow.current }

    private func receive(_ payload: UnsafeRawBufferPointer, _ context: ChannelHandlerContext) {
        guard !isOver else { return }
        do throws(WireError) {
            if setup.role == .client, connection != nil {
                let (id, body) = try MessageCodec.peek(payload)
                if id != 0, MessageCodec.answerFields ~= body || body == MessageCodec.errorField {
                    tally.add(MessageCodec.name(ofBody: body))
                    answers.append(RawAnswer(id: id, body: body, payload: Array(payload)))
                    return perform(state.handle(.receivedAnswer, at: now), context)
                }
            }
            let envelope = try codec.decode(payload: payload)
            tally.add(envelope.message.name)
            if case .pong = envelope.message, envelope.id != 0 {
                answers.append(RawAnswer(id: envelope.id, body: RawAnswer.pong, payload: []))
            }
            let action = state.handle(.received(envelope), at: now)
            if case .deliver = action { inbox.append(envelope) } else { perform(action, context) }
        } catch {
            perform(state.handle(.failedToDecode(error), at: now), context)
        }
    }

    private func flushInbox() {
        guard let connection else { return }
        if !inbox.isEmpty {
            let envelopes = inbox
            inbox = []
            setup.owner.received(envelopes, from: connection)
        }
        if !answers.isEmpty {
            let complete = answers
            answers = []
            setup.owner.answered(complete, from: connection)
        }
    }

    // MARK: Outgoing

    func drainOutbox() {
        guard let outbox, let context else { return }
        let closing = outbox.drain { items in
            if !isOver { output.write(items, context) }
        }
        if let closing { leave(why: closing, saying: .goodbye(why: closing)) }
    }

    private func perform(_ action: ClientConnectionState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .none, .deliver, .measured: break
        case .established(let welcome):
            timer?.cancel()
            timer = nil
            establish(welcome)
        case .send(let envelope):
            if isDecoding { replies.append(.envelope(envelope)) } else { output.write([.envelope(envelope)], context) }
        case .close(let why, let refusal):
            leave(why: why, saying: refusal == nil ? .goodbye(why: why) : nil)
        }
        if !isOver { schedule(context) }
    }

    private func establish(_ welcome: Welcome) {
        guard let outbox else { return }
        output.maxFrameBytes = Int(welcome.maxFrameBytes)
        let connection = DialedConnection(
            id: id,
            scheduler: setup.scheduler,
            address: setup.address,
            welcome: welcome,
            outbox: outbox
        )
        self.connection = connection
        setup.metrics.connections(1)
        setup.reports.established(connection)
        setup.owner.established(connection)
    }

    // MARK: Closing

    private func leave(why: String, saying message: Message?) {
        guard !isOver, let context else { return }
        flushInbox()
        let last = takeReplies() + (message.map { [.envelope(Envelope($0))] } ?? [])
        // Called first: bytes that SwiftNIO reads from within a failing write are ignored afterwards.
        end(why: why)
        output.write(last, context)
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.context?.close(promise: nil)
        }
    }

    private func end(why: String) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        timer = nil
        _ = state.handle(.ended(why: why), at: now)
        outbox?.end()
        setup.metrics.countEnd(why)
        if let connection {
            setup.metrics.connections(-1)
            setup.owner.ended(connection, why: why)
        }
        setup.reports.ended(connection, why)
        connection = nil
    }

    private func schedule(_ context: ChannelHandlerContext) {
        guard let deadline = state.deadline, timer == nil else { return }
        let delay = max(1_000_000, deadline - SystemClock.bootTime())
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) {
            self.timer = nil
            guard !self.isOver, let context = self.context else { return }
            self.perform(self.state.handle(.ticked, at: self.now), context)
        }
    }
}

extension RawAnswer {
    /// The field number of Pong in the envelope.
    static let pong: UInt32 = 5
}
