import CarillonCore
import CarillonWire
import TestSupport

/// A connection between a worker or a client and a scheduler: bytes in both directions, with a decoder and the real
/// connection state at each end. Frames are split anywhere. Data in transit is lost when the connection is cut,
/// including partial frames.
final class Link {
    enum End {
        case scheduler
        case dialer
    }

    let id: ConnectionID
    let dialer: any Dialer
    let scheduler: SchedulerProcess
    private let dialerLife: Int
    private let schedulerLife: Int
    private unowned let world: World
    private unowned let network: Network
    /// Whether bytes of each end still reach the other.
    private var isOpenToScheduler = true
    private var isOpenToDialer = true
    private var server: ServerConnectionState
    private var client: ClientConnectionState
    private var serverDecoder = FrameDecoder(maxFrameBytes: ConnectionLimits().maxHandshakeBytes)
    private var clientDecoder = FrameDecoder()
    private var serverHasEnded = false
    private var clientHasEnded = false
    private var isConnected = false
    private var lastToScheduler: Int64 = 0
    private var lastToDialer: Int64 = 0

    init(_ id: ConnectionID, _ dialer: any Dialer, _ scheduler: SchedulerProcess, _ network: Network, _ world: World) {
        self.id = id
        self.dialer = dialer
        self.scheduler = scheduler
        self.network = network
        self.world = world
        dialerLife = dialer.life
        schedulerLife = scheduler.life
        server = ServerConnectionState(limits: ConnectionLimits(), at: scheduler.wireNow)
        client = ClientConnectionState(role: dialer.role, limits: ConnectionLimits(), at: dialer.wireNow)
    }

    var hasEnded: Bool { serverHasEnded && clientHasEnded }
    var isOpen: Bool { isOpenToScheduler && isOpenToDialer }

    private func isOpen(from end: End) -> Bool { end == .scheduler ? isOpenToDialer : isOpenToScheduler }

    func begin() {
        send(Envelope(.hello(dialer.hello)), from: .dialer)
        planTick(.scheduler)
        planTick(.dialer)
    }

    // MARK: Bytes

    func send(_ envelope: Envelope, from end: End) {
        guard isOpen(from: end), !hasEnded(end) else { return }
        var bytes: [UInt8] = []
        world.codec.encode(envelope, into: &bytes)
        guard world.random.happens(world.options.halfFrames) else { return deliver(bytes, from: end) }
        world.count("frame cut in two")
        let place = Int.random(in: 1..<bytes.count, using: &world.random)
        deliver(Array(bytes[..<place]), from: end)
        deliver(Array(bytes[place...]), from: end)
    }

    private func deliver(_ bytes: [UInt8], from end: End) {
        arrive(from: end) { [self] in
            switch end {
            case .scheduler: receiveAtDialer(bytes)
            case .dialer: receiveAtScheduler(bytes)
            }
        }
    }

    /// The other end receives the data later, in the same order, unless the connection is cut first.
    private func arrive(from end: End, _ work: @escaping () -> Void) {
        let time: Int64
        switch end {
        case .scheduler:
            lastToDialer = max(lastToDialer, world.time + network.latency())
            time = lastToDialer
        case .dialer:
            lastToScheduler = max(lastToScheduler, world.time + network.latency())
            time = lastToScheduler
        }
        world.after(time - world.time) { [self] in
            guard isOpen(from: end) else { return }
            whenRunning(end == .scheduler ? .dialer : .scheduler, work)
        }
    }

    private func whenRunning(_ end: End, _ work: @escaping () -> Void) {
        switch end {
        case .scheduler: scheduler.whenRunning(schedulerLife, work)
        case .dialer: dialer.whenRunning(dialerLife, work)
        }
    }

    private func receiveAtScheduler(_ bytes: [UInt8]) {
        guard !serverHasEnded else { return }
        let buffered = serverDecoder.bufferedBytes
        do throws(WireError) {
            try serverDecoder.feed(bytes) { (payload) throws(WireError) in
                let envelope = try world.codec.decode(payload: payload)
                perform(server.handle(.received(envelope), at: scheduler.wireNow), envelope)
            }
            if serverDecoder.bufferedBytes > buffered {
                perform(server.handle(.receivedBytes, at: scheduler.wireNow), nil)
            }
        } catch {
            perform(server.handle(.failedToDecode(error), at: scheduler.wireNow), nil)
        }
        serverDecoder.maxFrameBytes = server.maxFrameBytes
    }

    private func receiveAtDialer(_ bytes: [UInt8]) {
        guard !clientHasEnded else { return }
        let buffered = clientDecoder.bufferedBytes
        do throws(WireError) {
            try clientDecoder.feed(bytes) { (payload) throws(WireError) in
                let envelope = try world.codec.decode(payload: payload)
                perform(client.handle(.received(envelope), at: dialer.wireNow), envelope)
            }
            if clientDecoder.bufferedBytes > buffered {
                perform(client.handle(.receivedBytes, at: dialer.wireNow), nil)
            }
        } catch {
            perform(client.handle(.failedToDecode(error), at: dialer.wireNow), nil)
        }
    }

    // MARK: Actions of the connection states

    private func perform(_ action: ServerConnectionState.Action, _ envelope: Envelope?) {
        switch action {
        case .none: break
        case .welcome(let hello):
            world.count("wire welcome")
            send(Envelope(.welcome(scheduler.welcome)), from: .scheduler)
            guard dialer.role == .worker else { break }
            scheduler.post(
                .workerJoined(
                    id,
                    name: hello.name,
                    bootID: hello.bootID,
                    maxWorkers: Int(hello.maxWorkers ?? 0),
                    features: Set(hello.features)
                )
            )
        case .deliver:
            if let envelope { deliverToScheduler(envelope) }
        case .send(let envelope): send(envelope, from: .scheduler)
        case .measured(let reading):
            world.count("wire skew measured")
            if dialer.role == .worker, let microseconds = reading.clockMicroseconds {
                let roundTripMs = reading.receivedAt.milliseconds(since: reading.sentAt)
                if roundTripMs <= 2 * Int64(world.options.delayMs) + 20 {
                    world.oracle.readClock(of: dialer.name, by: scheduler)
                }
                scheduler.post(
                    .workerClockRead(
                        id,
                        microseconds: microseconds,
                        sentAt: reading.sentAt,
                        receivedAt: reading.receivedAt
                    )
                )
            }
            let skewMs = reading.skewMs
            let skew = dialer.wireNow.wallMicroseconds - scheduler.wireNow.wallMicroseconds
            // If a clock stood still or a process was paused meanwhile, the measurement is not checked.
            if abs(skewMs - Double(skew) / 1_000) > 200 { world.count("wire skew is off") }
        case .close(let why, let error):
            world.oracle.require(error == nil, "the wire: \(dialer.name) was closed: \(why)")
            close(.scheduler, why)
        }
    }

    private func perform(_ action: ClientConnectionState.Action, _ envelope: Envelope?) {
        switch action {
        case .none: break
        case .established:
            isConnected = true
            dialer.connected(self)
        case .deliver:
            if let envelope { dialer.received(envelope, over: self) }
        case .send(let envelope): send(envelope, from: .dialer)
        case .measured: world.count("wire skew measured")
        case .close(let why, let refusal):
            let isBroken = refusal != nil || why.hasPrefix("undecodable") || why.hasPrefix("out of state")
            world.oracle.require(!isBroken, "the wire: \(dialer.name) closed: \(why)")
            close(.dialer, why)
        }
    }

    private func deliverToScheduler(_ envelope: Envelope) {
        switch envelope.message {
        case .holding(let epoch, let running): scheduler.post(.workerHeld(id, epoch: epoch, running))
        case .credit(let granted): scheduler.post(.workerGranted(id, granted))
        case .started(let tokens): scheduler.post(.workerStarted(id, tokens))
        case .outcome(let outcomes): scheduler.post(.workerReported(id, outcomes))
        case .drain: scheduler.post(.workerDrained(id))
        case .leadRefused(let epoch, _, let highest):
            scheduler.post(.workerRefusedLead(id, epoch: epoch, highest: highest))
        case .claimAnswer(let rememberedMs, let claims):
            scheduler.post(.workerAnsweredClaims(id, rememberedMs: rememberedMs, claims))
        case .request(let request): scheduler.requests.handle(request, id: envelope.id, over: self)
        default: world.oracle.require(false, "the wire: a scheduler was given \(envelope.message.name)")
        }
    }

    // MARK: Timers

    private func planTick(_ end: End) {
        let wait =
            switch end {
            case .scheduler: server.deadline.map { $0 - scheduler.wireNow.boot }
            case .dialer: client.deadline.map { $0 - dialer.wireNow.boot }
            }
        guard let wait, !hasEnded(end) else { return }
        world.after(max(1_000, wait / 1_000 + 1)) { [self] in
            whenRunning(end) { [self] in
                tick(end)
                planTick(end)
            }
        }
    }

    /// Passes the time to the connection state.
    func tick(_ end: End) {
        guard !hasEnded(end) else { return }
        switch end {
        case .scheduler: perform(server.handle(.ticked, at: scheduler.wireNow), nil)
        case .dialer: perform(client.handle(.ticked, at: dialer.wireNow), nil)
        }
    }

    // MARK: Closing

    private func hasEnded(_ end: End) -> Bool { end == .scheduler ? serverHasEnded : clientHasEnded }

    /// One end closes the connection; the other end gets its final message if data still passes.
    func close(_ end: End, _ why: String) {
        guard !hasEnded(end) else { return }
        world.count(why.hasPrefix("silent") ? "wire silence" : "wire closed")
        send(Envelope(.goodbye(why: why)), from: end)
        arrive(from: end) { [self] in
            (isOpenToScheduler, isOpenToDialer) = (false, false)
            finish(end == .scheduler ? .dialer : .scheduler)
        }
        finish(end)
    }

    /// No data passes any more, and neither end is notified.
    func cut() {
        (isOpenToScheduler, isOpenToDialer) = (false, false)
        world.oracle.disturbed(worker: dialer.name)
    }

    /// Data from that end is lost; data from the other end still arrives.
    func cut(from end: End) {
        switch end {
        case .scheduler: isOpenToDialer = false
        case .dialer: isOpenToScheduler = false
        }
        world.oracle.disturbed(worker: dialer.name)
    }

    /// Data from that end is delayed for a while.
    func stall(from end: End, forMs milliseconds: Int) {
        let until = world.time + Int64(milliseconds) * 1_000
        switch end {
        case .scheduler: lastToDialer = max(lastToDialer, until)
        case .dialer: lastToScheduler = max(lastToScheduler, until)
        }
    }

    /// The end is notified that the connection is closed.
    func notices(_ end: End, afterMs milliseconds: Int) {
        world.after(Int64(milliseconds) * 1_000 + 100) { [self] in
            whenRunning(end) { [self] in finish(end) }
        }
    }

    private func finish(_ end: End) {
        guard !hasEnded(end) else { return }
        world.oracle.disturbed(worker: dialer.name)
        switch end {
        case .scheduler:
            serverHasEnded = true
            _ = server.handle(.ended(why: ""), at: scheduler.wireNow)
            if dialer.role == .worker {
                scheduler.post(.workerLeft(id))
            } else if scheduler.life == schedulerLife {
                scheduler.requests.connectionEnded(id)
            }
        case .dialer:
            clientHasEnded = true
            _ = client.handle(.ended(why: ""), at: dialer.wireNow)
            if isConnected { dialer.disconnected(self) }
            network.redial(dialer, scheduler)
        }
        if hasEnded { network.forget(self) }
    }
}
