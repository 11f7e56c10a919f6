package import CarillonCore
internal import CarillonCron
internal import CarillonSystem
package import CarillonWire
package import Logging
internal import Synchronization

/// A scheduler: turns the world into the dispatcher's events and its actions into the world. It decides nothing.
package final class SchedulerService: PeerReceiver {
    private let configuration: SchedulerConfiguration
    private let store: any JobStore
    private let logger: Logger
    private let metrics: SchedulerMetrics
    private let pump: Pump<Event>
    private let box: DispatcherBox
    private let peers = Peers()
    private let watchers = Watchers()
    private let tickets = Tickets()
    private let catalog: PlanCatalog
    private let zones: any ZoneSource
    private let rules: JobRules
    private let desk: RequestDesk
    private let status: StatusBoard
    private let refresher: Refresher
    private let driftLog: DriftLog
    private let losses: RateLimitedLog
    private let refusals: RefusalLog

    package init(
        configuration: SchedulerConfiguration,
        store: any JobStore,
        reader: any HistoryReader,
        zones: any ZoneSource,
        metrics: SchedulerMetrics,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.zones = zones
        self.metrics = metrics
        self.logger = logger
        let catalog = PlanCatalog(zones: zones)
        let rules = JobRules(defaults: configuration.defaults) { catalog.plan($0, $1, $2) }
        let status = StatusBoard()
        let box = DispatcherBox(Dispatcher(configuration: configuration.dispatcher))
        let turn = Turn()
        // Whoever leads wakes for each renewal of the lease: this is only for a turn that asked for none in vain.
        let pump = Pump<Event>(name: "dispatcher", maxSleepMs: 2_000) { events, now in turn.run(&events, now) }
        self.catalog = catalog
        self.rules = rules
        self.status = status
        self.box = box
        self.pump = pump
        self.driftLog = DriftLog(logger: logger)
        self.losses = RateLimitedLog(logger)
        self.refusals = RefusalLog(logger)
        self.refresher = Refresher(
            everyMs: configuration.refreshIntervalMs,
            store: store,
            rules: rules,
            logger: logger,
            pump: pump,
            clusterTime: { status.clusterTime() }
        )
        self.desk = RequestDesk(
            configuration: configuration,
            store: store,
            reader: reader,
            catalog: catalog,
            rules: rules,
            tickets: tickets,
            watchers: watchers,
            peers: peers,
            status: status,
            zones: zones,
            refresher: refresher,
            pump: pump,
            logger: logger
        )
        turn.service = self
    }

    /// Begins to ask for the lease. Returns at once.
    /// - Parameter address: host:port at which clients and workers reach this scheduler.
    package func start(address: String) {
        status.ownAddress = address
        pump.start()
    }

    /// Looks for changes made by hand and for new time zone data, and keeps the partitions in order, until cancelled.
    package func maintain() async {
        await refresher.run(
            retentionDays: configuration.retentionDays,
            isLeading: { self.status.current.isLeading },
            reloadZones: {
                let changed = self.zones.reload()
                self.catalog.forget(zones: changed)
                return changed
            }
        )
    }

    /// Hands over: dispatches nothing more, records what was begun, gives the lease back. Returns when that is done, or
    /// after `limitMs`.
    package func stop(limitMs: Int = 8_000) async {
        pump.post(.stopRequested)
        await box.waitUntilStopped(limitMs: limitMs)
        pump.stop()
        tickets.refuseAll(ClientError(.unavailable, "this scheduler is stopping; try again"))
    }

    /// Whether clients can be served, and why not.
    package var readiness: (isReady: Bool, text: String) { status.readiness(of: store.health, limitMs: leaseMs) }

    private var leaseMs: Int64 { Int64(configuration.dispatcher.leaseMs) }

    /// To be called the moment the lease connection dies.
    package func leaseConnectionLost(_ text: String) {
        pump.post(.leaseConnectionLost(text))
    }

    // MARK: One turn of the dispatcher

    fileprivate func run(_ events: inout [Event], at now: Now) -> BootTime? {
        let (actions, leaseDeadline) = box.turn(events, at: now)
        events.removeAll(keepingCapacity: true)
        for action in actions { perform(action, leaseDeadline) }
        let end = SystemClock.now()
        refusals.write(at: end.boot)
        let before = status.current
        status.update(box.status(at: end, leaderAddress: before.leaderAddress))
        tellClients(before, status.current)
        metrics.update(status.current, peers: peers)
        return box.wake(after: end)
    }

    /// Clients learn of a take-over from the Lead. Only workers need its proof.
    private func tellClients(_ before: Status, _ after: Status) {
        guard before.isLeading != after.isLeading || before.epoch != after.epoch else { return }
        if after.isLeading, let epoch = after.epoch {
            peers.sendToClients(.lead(LeadProof(epoch: epoch), shards: Array(0..<16)))
        } else if before.isLeading, let epoch = before.epoch {
            peers.sendToClients(.lead(LeadProof(epoch: epoch), shards: []))
        }
    }

    private func perform(_ action: Action, _ leaseDeadline: BootTime?) {
        switch action {
        case .acquireLease(let floor, let usableWorkers):
            lease(
                .acquireLease(
                    owner: configuration.dispatcher.owner,
                    address: status.ownAddress,
                    leaseMs: configuration.dispatcher.leaseMs,
                    above: floor,
                    usableWorkers: usableWorkers
                )
            )
        case .handOverLease(let epoch, let standby):
            store.submit(
                .releaseLease(owner: configuration.dispatcher.owner, epoch: epoch, standby: standby)
            ) { _ in }
        case .renewLease(let epoch):
            lease(
                .renewLease(
                    owner: configuration.dispatcher.owner,
                    epoch: epoch,
                    leaseMs: configuration.dispatcher.leaseMs
                )
            )
        case .releaseLease(let epoch):
            store.submit(.releaseLease(owner: configuration.dispatcher.owner, epoch: epoch)) { [box, pump] _ in
                pump.post(.leaseReleased)
                box.released()
            }
        case .loadJobs: load(.loadJobs)
        case .loadJobsNamed(let ids): load(.loadJobsNamed(ids))
        case .loadOpenExecutions(let since): load(.loadOpenExecutions(since: since))
        case .loadGapRows(let gap): load(.loadGapRows(gap))
        case .commit(let batch): commit(batch)
        case .findExecution(let outcome, let worker, let link):
            store.submit(.findExecution(outcome.executionID)) { [pump] answer in
                if case .execution(let execution) = answer {
                    pump.post(.executionFound(execution, outcome: outcome, worker: worker, link: link))
                } else {
                    pump.post(.executionNotRead(outcome, worker: worker, link: link))
                }
            }
        case .announceLead(let link, let lead, let shards):
            peers.send(.lead(lead, shards: shards), to: link)
        case .dispatch(let link, let clusterTime, let calls):
            if let leaseDeadline {
                peers.send(.dispatch(clusterTime: clusterTime, calls), to: link, before: leaseDeadline)
            }
        case .acknowledge(let link, let outcomes): peers.send(.outcomeAck(outcomes), to: link)
        case .cancelCalls(let link, let tokens): peers.send(.cancel(tokens), to: link)
        case .queryClaims(let link, let claims): peers.send(.claimQuery(claims), to: link)
        case .refuseWorker(let link, let error):
            peers.send(.error(error), to: link)
            peers.link(link)?.close(why: error.text)
        case .reply(let ticket, let result): tickets.answer(ticket, result)
        case .recorded(let executions):
            metrics.record(executions)
            driftLog.look(at: executions)
            watchers.tell(executions)
        case .note(let note): log(note)
        case .stopped: box.stopped()
        }
    }

    private func lease(_ request: StoreRequest) {
        let sentAt = SystemClock.bootTime()
        store.submit(request) { [pump, status] answer in
            switch answer {
            case .lease(let result):
                if case .heldByOther(let leader, _) = result { status.setLeader(leader) }
                pump.post(.leaseAnswered(result, sentAt: sentAt))
            case .leaseConnectionLost(let text), .failed(let text):
                pump.post(.leaseConnectionLost(text))
            default:
                break
            }
        }
    }

    private func load(_ request: StoreRequest) {
        store.submit(request) { [pump, rules] answer in
            switch answer {
            case .jobs(let jobs, let isLast): pump.post(.jobsLoaded(jobs.map(rules.planned), isLast: isLast))
            case .openExecutions(let rows, let isLast): pump.post(.openExecutionsLoaded(rows, isLast: isLast))
            case .gapRows(let rows, let isLast): pump.post(.gapRowsLoaded(rows, isLast: isLast))
            case .failed(let text): pump.post(.loadFailed(text))
            default: break
            }
        }
    }

    private func commit(_ batch: WriteBatch) {
        let (epoch, sequence) = (batch.epoch, batch.sequence)
        store.submit(.commit(batch)) { [pump] answer in
            if case .commit(let result) = answer { pump.post(.committed(result, epoch: epoch, sequence: sequence)) }
        }
    }

    private func log(_ note: Note) {
        switch note {
        case .leadershipTaken(let epoch, let clusterTime):
            refresher.jobsAreRead(at: clusterTime)
            logger.info("lease taken", metadata: ["epoch": "\(epoch)"])
        case .leadershipLost(let why):
            logger.warning("lease lost", metadata: ["why": "\(why)"])
            watchers.end(with: ClientError(.notLeader, "this scheduler leads no longer"))
        case .leadHandedOver(let standby):
            logger.warning(
                "no worker is connected; handing the lead to a scheduler that has workers",
                metadata: ["scheduler": "\(standby)"]
            )
        case .leading(let epoch, let jobs, let open):
            logger.info("leading", metadata: ["epoch": "\(epoch)", "jobs": "\(jobs)", "open_executions": "\(open)"])
        case .gapOpened(let gap):
            logger.warning(
                "catching up on missed times",
                metadata: [
                    "from": "\(RFC3339.format(milliseconds: gap.from.milliseconds))",
                    "to": "\(RFC3339.format(milliseconds: gap.to.milliseconds))",
                ]
            )
        case .gapClosed: logger.info("caught up")
        case .clockStepped(let milliseconds):
            logger.warning("the database's clock stepped", metadata: ["milliseconds": "\(milliseconds)"])
            if milliseconds < 0 { refresher.clockWentBack(by: -milliseconds) }
        case .loadFailed(let text):
            losses.log(
                .warning,
                key: text,
                "reading failed; asking again",
                metadata: ["error": "\(text)"],
                at: SystemClock.bootTime()
            )
        case .workerLost(let name, let count):
            // One that takes calls and leaves again and again does not fill the log.
            losses.log(
                .warning,
                key: name,
                "worker lost",
                metadata: ["worker": "\(name)", "executions": "\(count)"],
                at: SystemClock.bootTime()
            )
        case .rowRefused(let text): refusals.add(text, at: SystemClock.bootTime())
        case .workerNameInUse(let name):
            losses.log(
                .warning,
                key: "name \(name)",
                "worker refused: its name is in use",
                metadata: ["worker": "\(name)"],
                at: SystemClock.bootTime()
            )
        case .reportRejected(let worker, let why):
            losses.log(
                .warning,
                key: "report \(worker)",
                "report of a worker not accepted as it stands",
                metadata: ["worker": "\(worker)", "why": "\(why)"],
                at: SystemClock.bootTime()
            )
        case .leadRefused(let worker, let highest, let isProven):
            losses.log(
                .warning,
                key: "lead \(worker)",
                isProven
                    ? "worker obeys a later epoch; taking the lease again above it"
                    : "worker obeys an epoch that this cluster never held; restart the worker",
                metadata: ["worker": "\(worker)", "epoch": "\(highest)"],
                at: SystemClock.bootTime()
            )
        case .callOverdue(let worker, let execution):
            losses.log(
                .warning,
                key: "overdue \(worker)",
                "worker did not report a call in time; the attempt counts as lost",
                metadata: ["worker": "\(worker)", "execution": "\(execution)"],
                at: SystemClock.bootTime()
            )
        case .batchStalled(let milliseconds):
            logger.warning(
                "database answered a write late; due times missed meanwhile follow the catch-up policy",
                metadata: ["milliseconds": "\(milliseconds)"]
            )
        case .materializationHeld(let count):
            logger.error("too many open executions, due times wait", metadata: ["open_executions": "\(count)"])
        }
    }

    // MARK: The network

    package func answer(to hello: Hello) -> Result<Welcome, ClientError> {
        if hello.role == .worker, isNameInUse(by: hello) {
            losses.log(
                .warning,
                key: "name \(hello.name)",
                "worker refused: its name is in use",
                metadata: ["worker": "\(hello.name)"],
                at: SystemClock.bootTime()
            )
            return .failure(.workerNameInUse(hello.name))
        }
        return .success(welcome)
    }

    /// Whether another process is connected under the name. The dispatcher refuses what comes in between.
    private func isNameInUse(by hello: Hello) -> Bool {
        peers.workers.contains { $0.peer.hello.name == hello.name && $0.peer.hello.bootID != hello.bootID }
    }

    private var welcome: Welcome {
        let current = status.current
        return Welcome(
            serverID: configuration.dispatcher.owner,
            leading: current.isLeading,
            epoch: current.epoch,
            shards: current.isLeading ? Array(0..<16) : [],
            heartbeatMs: UInt32(configuration.heartbeatMs),
            maxFrameBytes: UInt32(configuration.maxFrameBytes),
            serverTime: status.clusterTime(),
            version: configuration.version,
            leaderAddress: current.isLeading ? status.ownAddress : current.leaderAddress
        )
    }

    package func connected(_ peer: AcceptedPeer) {
        if peer.hello.role == .client { desk.open(peer.id) }
        peers.add(peer)
        logger.debug("connected", metadata: ["peer": "\(peer.hello.name)", "address": "\(peer.address)"])
        guard peer.hello.role == .worker else { return }
        logger.info("worker connected", metadata: ["worker": "\(peer.hello.name)", "address": "\(peer.address)"])
        pump.post(
            .workerJoined(
                peer.id,
                name: peer.hello.name,
                bootID: peer.hello.bootID,
                maxWorkers: Int(peer.hello.maxWorkers ?? 0),
                features: Set(peer.hello.features)
            )
        )
    }

    package func received(_ envelopes: [Envelope], from connection: ConnectionID) {
        for envelope in envelopes {
            switch envelope.message {
            case .holding(let epoch, let running): pump.post(.workerHeld(connection, epoch: epoch, running))
            case .credit(let granted): pump.post(.workerGranted(connection, granted))
            case .started(let tokens): pump.post(.workerStarted(connection, tokens))
            case .outcome(let outcomes): pump.post(.workerReported(connection, outcomes))
            case .drain: pump.post(.workerDrained(connection))
            case .leadRefused(let epoch, _, let highest):
                pump.post(.workerRefusedLead(connection, epoch: epoch, highest: highest))
            case .claimAnswer(let rememberedMs, let claims):
                pump.post(.workerAnsweredClaims(connection, rememberedMs: rememberedMs, claims))
            case .request(let request):
                if let peer = peers.peer(connection) { desk.handle(request, id: envelope.id, from: peer) }
            case .unknown:
                let error = ClientError(
                    .unimplemented,
                    "this scheduler does not know that message; it may be older than you"
                )
                peers.link(connection)?.send([Envelope(id: envelope.id, .error(error))])
            default:
                break
            }
        }
    }

    package func measured(_ reading: PeerClockReading, of connection: ConnectionID) {
        peers.setSkew(reading.skewMs, of: connection)
        guard let microseconds = reading.clockMicroseconds else { return }
        pump.post(
            .workerClockRead(
                connection,
                microseconds: microseconds,
                sentAt: reading.sentAt,
                receivedAt: reading.receivedAt
            )
        )
    }

    package func filled(_ connection: ConnectionID, _ isFull: Bool) {
        desk.hold(connection, isFull)
    }

    package func disconnected(_ connection: ConnectionID, why: String) {
        desk.forget(connection)
        guard let peer = peers.remove(connection) else { return }
        watchers.removeAll(of: connection)
        guard peer.hello.role == .worker else { return }
        logger.info("worker disconnected", metadata: ["worker": "\(peer.hello.name)", "why": "\(why)"])
        pump.post(.workerLeft(connection))
    }
}

/// Lets the pump's closure reach the service that owns the pump. Set once, before the pump starts.
private final class Turn: Sendable {
    private let held = Mutex<WeakService>(WeakService())

    private struct WeakService: Sendable {
        weak var service: SchedulerService?
    }

    var service: SchedulerService? {
        get { held.withLock { $0.service } }
        set { held.withLock { $0.service = newValue } }
    }

    func run(_ events: inout [Event], _ now: Now) -> BootTime? {
        service?.run(&events, at: now)
    }
}
