package import CarillonCore
internal import CarillonRuntime
package import CarillonWire
package import Logging
internal import Synchronization

/// Runs the worker engine: translates network, HTTP results and time into its events, and carries out its actions.
package final class WorkerService: SchedulerReceiver {
    /// Creates the HTTP client; the argument receives its results.
    package typealias CallerMaker = (@escaping @Sendable ([HTTPResult]) -> Void) -> any HTTPCaller

    private let configuration: WorkerConfiguration
    private let dialer: any SchedulerDialer
    private let caller: any HTTPCaller
    private let metrics: WorkerMetrics
    private let logger: Logger
    private let eventLoop: EventLoopThread<WorkerEvent>
    private let engine: LockedWorkerEngine
    private let schedulers = Schedulers()
    private let drained = Latch()
    private let disconnected = Latch()

    package init(
        configuration: WorkerConfiguration,
        dialer: any SchedulerDialer,
        metrics: WorkerMetrics,
        logger: Logger,
        makeCaller: CallerMaker
    ) {
        self.configuration = configuration
        self.dialer = dialer
        self.metrics = metrics
        self.logger = logger
        engine = LockedWorkerEngine(configuration.engine)
        let turn = Turn()
        let eventLoop = EventLoopThread<WorkerEvent>(name: "engine") { events, now in turn.run(&events, now.boot) }
        self.eventLoop = eventLoop
        let answers = AnswerLog(logger)
        caller = makeCaller { [metrics] results in
            metrics.record(results)
            answers.note(results)
            eventLoop.post(.ended(results))
        }
        turn.service = self
    }

    /// Starts to dial the schedulers. Returns at once.
    package func start() {
        eventLoop.start()
        let hello = Hello(
            role: .worker,
            name: configuration.name,
            bootID: configuration.bootID,
            maxWorkers: UInt32(clamping: configuration.engine.maxWorkers),
            version: configuration.version
        )
        dialer.start(hello: { hello }, receiver: self)
    }

    /// Takes no more calls, finishes running calls, delivers their outcomes, and disconnects. Returns when that is done.
    package func drain() async {
        eventLoop.post(.drainRequested)
        await drained.wait()
        dialer.stop()
        if schedulers.count > 0 { await disconnected.wait(limitMs: 1_000) }
        caller.shutdown()
        eventLoop.stop()
    }

    /// Whether the worker can take calls, and if not, why.
    package var readiness: (isReady: Bool, text: String) {
        let status = metrics.status
        if status.isDraining {
            return (
                false, "draining: \(status.running) calls running, \(status.unacknowledged) outcomes not yet recorded"
            )
        }
        if let epoch = status.leaderEpoch {
            return (true, "taking calls from \(status.leaderAddress ?? "the leader"), epoch \(epoch)")
        }
        guard status.connections > 0 else { return (false, "no scheduler is connected") }
        return (false, "none of the \(status.connections) connected schedulers leads")
    }

    // MARK: One turn of the engine

    fileprivate func run(_ events: inout [WorkerEvent], at now: BootTime) -> BootTime? {
        var actions: [WorkerAction] = []
        for event in events { engine.handle(event, at: now, into: &actions) }
        events.removeAll(keepingCapacity: true)
        engine.handle(.tick, at: now, into: &actions)
        perform(actions)
        metrics.update(engine.status { self.schedulers.entry($0)?.address })
        return engine.wake
    }

    /// Starts calls first. Messages of one turn for one scheduler are sent together.
    private func perform(_ actions: [WorkerAction]) {
        var outgoing: [ConnectionID: [Envelope]] = [:]
        var hasDrained = false
        for action in actions {
            switch action {
            case .start(let requests): caller.start(requests)
            case .cut(let tokens): caller.cancel(tokens)
            case .hold(let link, let epoch, let calls):
                outgoing[link, default: []].append(Envelope(.holding(epoch: epoch, running: calls)))
            case .report(let link, let outcomes): outgoing[link, default: []].append(Envelope(.outcome(outcomes)))
            case .refuseLead(let link, let epoch, let shards, let highest):
                outgoing[link, default: []].append(
                    Envelope(.leadRefused(epoch: epoch, shards: shards, highest: highest))
                )
            case .answerClaims(let link, let rememberedMs, let claims):
                outgoing[link, default: []].append(Envelope(.claimAnswer(rememberedMs: rememberedMs, claims)))
            case .tellStarted(let link, let tokens): outgoing[link, default: []].append(Envelope(.started(tokens)))
            case .announceDrain(let link): outgoing[link, default: []].append(Envelope(.drain))
            case .grant(let link, let granted): outgoing[link, default: []].append(Envelope(.credit(granted: granted)))
            case .close(let link, let why):
                logger.error("scheduler violated the protocol; closing the connection", metadata: ["why": "\(why)"])
                schedulers.entry(link)?.link.close(why: why)
            case .log(let logEvent): log(logEvent)
            case .drained: hasDrained = true
            }
        }
        for (link, envelopes) in outgoing { schedulers.entry(link)?.link.send(envelopes) }
        if hasDrained { drained.open() }
    }

    private func log(_ logEvent: WorkerLogEvent) {
        switch logEvent {
        case .leaderChanged(let link, let epoch):
            logger.info(
                "taking calls",
                metadata: ["scheduler": "\(schedulers.entry(link)?.address ?? "unknown")", "epoch": "\(epoch)"]
            )
        case .leaderLost(let epoch, let shards):
            logger.warning(
                "no scheduler leads; keeping unrecorded outcomes",
                metadata: ["last_epoch": "\(epoch)", "shards": "\(shards)"]
            )
        case .leadRefused(let link, let epoch, let highest):
            logger.warning(
                "scheduler leads with an outdated epoch; refusing its calls",
                metadata: [
                    "scheduler": "\(schedulers.entry(link)?.address ?? "unknown")", "epoch": "\(epoch)",
                    "highest_epoch": "\(highest)",
                ]
            )
        case .outcomeRejected(let execution, let result):
            logger.warning(
                "outcome rejected or corrected by the scheduler",
                metadata: ["execution": "\(execution)", "result": "\(result)"]
            )
        case .draining(let running, let unacknowledged):
            logger.info("draining", metadata: ["running": "\(running)", "unacknowledged": "\(unacknowledged)"])
        case .undelivered(let count, let executions):
            logger.error(
                "outcomes not delivered: no scheduler accepted them",
                metadata: [
                    "outcomes": "\(count)", "executions": "\(executions.map(\.description).joined(separator: ","))",
                ]
            )
        }
    }

    // MARK: The network

    package func connected(
        _ connection: ConnectionID,
        to scheduler: String,
        welcome: Welcome,
        link: any PeerLink
    ) {
        schedulers.add(connection, Schedulers.Entry(address: scheduler, link: link))
        // The dialer logs the connection and its end.
        eventLoop.post(.connected(connection))
    }

    package func received(_ envelopes: [Envelope], from connection: ConnectionID) {
        let now = SystemClock.bootTime()
        eventLoop.post(contentsOf: envelopes.compactMap { event(of: $0.message, from: connection, at: now) })
    }

    private func event(of message: Message, from connection: ConnectionID, at now: BootTime) -> WorkerEvent? {
        switch message {
        case .lead(let lead, let shards): .leadAnnounced(connection, lead, shards: shards)
        case .dispatch(let clusterTime, let calls):
            .dispatched(connection, clusterTime: clusterTime, calls, receivedAt: now)
        case .outcomeAck(let outcomes): .acknowledged(connection, outcomes)
        case .claimQuery(let claims): .claimsQueried(connection, claims)
        case .cancel(let tokens): .cancelRequested(connection, tokens)
        default: nil
        }
    }

    package func disconnected(_ connection: ConnectionID, why: String) {
        guard schedulers.remove(connection) else { return }
        eventLoop.post(.disconnected(connection))
        if schedulers.count == 0, metrics.status.isDraining { disconnected.open() }
    }
}

/// Gives the event loop's closure access to the service that owns the event loop. Set once, before the event loop starts.
private final class Turn: Sendable {
    private struct WeakService: Sendable {
        weak var service: WorkerService?
    }

    private let held = Mutex<WeakService>(WeakService())

    var service: WorkerService? {
        get { held.withLock { $0.service } }
        set { held.withLock { $0.service = newValue } }
    }

    func run(_ events: inout [WorkerEvent], _ now: BootTime) -> BootTime? {
        service?.run(&events, at: now)
    }
}
