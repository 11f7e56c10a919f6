import CarillonCore
import CarillonWire
import TestSupport

/// A scheduler: the real dispatcher in a process that can be killed, stopped and paused.
final class SchedulerProcess {
    private final class Cell {
        var dispatcher: Dispatcher

        init(_ dispatcher: consuming Dispatcher) { self.dispatcher = dispatcher }
    }

    private unowned let world: World
    let index: Int
    /// Increases with each start and end. Events of an earlier life are ignored.
    private(set) var life = 0
    private(set) var isAlive = false
    private(set) var isPaused = false
    private(set) var isStopping = false
    private var cell: Cell?
    private var random: SeededGenerator
    private var inbox: [Event] = []
    /// Events that a resumed process has received but not handled yet.
    private var unread: [Event] = []
    private var isBlind = false
    private var isTurnQueued = false
    private var wakeNumber = 0
    private var deferred: [() -> Void] = []
    /// Unanswered changes, with the time of the request.
    private var unanswered: [RequestID: Int64] = [:]
    private(set) var owner = UniqueID.zero
    private var clock: ProcessClock
    /// The process's clock stood still while its lease expired, so the process assumes that it still leads.
    private(set) var hasStoodStill = false
    /// The last pause: its end, in microseconds since the start, and its duration.
    private var lastPause: (until: Int64, milliseconds: Int64) = (0, 0)
    /// The maximum additional age of the information that the process acts on, because of a current or recent pause.
    var slumberMs: Int64 { lastPause.until > world.time - 15_000_000 ? lastPause.milliseconds : 0 }
    /// The session of the lease connection.
    var session: Int?
    /// Reads are answered in order.
    var readsEnd: Int64 = 0
    var readsInLine = 0

    /// The jobs that a take-over read.
    private var jobsAtTakeOver: [Job] = []
    private var editSearch = EditSearch()
    /// The address of the leader, as last received.
    private(set) var leaderAddress: String?
    private let leaseMs = 5_000
    private(set) lazy var requests = RequestRunner(world: world, scheduler: self)

    init(world: World, index: Int) {
        self.world = world
        self.index = index
        random = SeededGenerator(seed: world.random.next())
        clock = ProcessClock(world: world)
    }

    var now: Now { clock.now }
    var wireNow: WireNow { clock.wireNow }

    func stepWall(byMs milliseconds: Int64) { clock.stepWall(byMs: milliseconds) }

    /// The Welcome for a new connection.
    var welcome: Welcome {
        let epoch = cell?.dispatcher.leadingEpoch(at: now.boot)
        return Welcome(
            serverID: owner,
            leading: epoch != nil,
            epoch: epoch,
            shards: epoch == nil ? [] : Array(0..<16),
            heartbeatMs: UInt32(ConnectionLimits().heartbeatMs),
            maxFrameBytes: UInt32(ConnectionLimits().maxFrameBytes),
            serverTime: now.wall,
            version: "simulated",
            leaderAddress: leaderAddress
        )
    }

    var isLeading: Bool {
        isAlive && !isPaused && leads
    }

    /// Whether the process leads according to its dispatcher.
    var leads: Bool { cell?.dispatcher.leadingEpoch(at: now.boot) != nil }

    var leadership: LeadershipStatus {
        if let epoch = cell?.dispatcher.leadingEpoch(at: now.boot) { return .leading(epoch: epoch) }
        return .standingBy(leader: leaderAddress == address ? nil : leaderAddress)
    }

    var clusterTime: Timestamp { cell?.dispatcher.clusterTime(at: now.boot) ?? .distantPast }
    /// The cluster time at the start of the scheduler's turn.
    private(set) var clusterTimeBefore: Timestamp = .distantPast

    var address: String { "scheduler-\(index)" }

    var openCount: Int { cell?.dispatcher.openExecutionCount ?? 0 }

    // MARK: Life

    func start() {
        guard !isAlive else { return }
        life += 1
        isAlive = true
        isStopping = false
        owner = UniqueID.random(using: &world.random)
        let horizonMs = [300, 500, 1_500].randomElement(using: &world.random) ?? 500
        cell = Cell(
            Dispatcher(
                configuration: DispatcherConfiguration(
                    owner: owner,
                    leaseMs: leaseMs,
                    horizonMs: horizonMs,
                    maxOpenExecutions: world.options.maxOpenExecutions
                )
            )
        )
        inbox = []
        (isBlind, unread) = (false, [])
        deferred = []
        isTurnQueued = false
        isPaused = false
        leaderAddress = nil
        hasStoodStill = false
        lastPause = (0, 0)
        queueTurn()
        planRefresh()
    }

    func kill() {
        guard isAlive else { return }
        life += 1
        isAlive = false
        isPaused = false
        cell = nil
        unanswered = [:]
        world.database.processEnded(self)
        world.network.schedulerEnded(self)
        requests.processEnded()
        world.oracle.leaderChanged()
    }

    func stop() {
        guard isAlive, !isStopping else { return }
        isStopping = true
        post(.stopRequested)
    }

    /// Pauses the process. Its boot time continues, as after a suspend, or stands still.
    func pause(forMs milliseconds: Int, clockStandsStill: Bool = false) {
        guard isAlive, !isPaused else { return }
        isPaused = true
        lastPause = (world.time + Int64(milliseconds) * 1_000, Int64(milliseconds))
        let life = life
        world.network.paused(scheduler: self)
        world.oracle.leaderChanged()
        world.after(Int64(milliseconds) * 1_000) { [self] in
            guard self.life == life else { return }
            if clockStandsStill { clock.standStill(forMicroseconds: Int64(milliseconds) * 1_000) }
            isPaused = false
            hasStoodStill = hasStoodStill || clockStandsStill
            world.oracle.leaderChanged()
            let work = deferred
            deferred = []
            for item in work { item() }
            // The process may handle due timers before it handles the events that arrived meanwhile.
            if clockStandsStill || world.random.happens(0.5) {
                beBlind(forMicroseconds: Int64.random(in: 0...1_500_000, using: &world.random))
            }
            turn()
        }
    }

    private func beBlind(forMicroseconds microseconds: Int64) {
        let life = life
        (isBlind, unread, inbox) = (true, inbox, [])
        world.after(microseconds) { [self] in
            guard self.life == life, isBlind else { return }
            (isBlind, unread, inbox) = (false, [], unread)
            if !isPaused { queueTurn() }
        }
    }

    /// Performs work of this process as soon as the process can run.
    func whenRunning(_ life: Int, _ work: @escaping () -> Void) {
        guard self.life == life else { return }
        if isPaused { deferred.append(work) } else { work() }
    }

    // MARK: Turns

    func post(_ event: Event) {
        guard isAlive else { return }
        guard !isBlind else { return unread.append(event) }
        inbox.append(event)
        queueTurn()
    }

    private func queueTurn() {
        guard !isTurnQueued, !isPaused else { return }
        isTurnQueued = true
        let life = life
        world.after(Int64.random(in: 10...300, using: &world.random)) { [self] in
            guard self.life == life else { return }
            isTurnQueued = false
            if !isPaused { turn() }
        }
    }

    func turn() {
        guard let cell else { return }
        var actions: [Action] = []
        clusterTimeBefore = clusterTime
        let events = inbox
        inbox = []
        for event in events {
            world.count(event)
            if world.options.isTracing { trace(event) }
            if case .leaseAnswered(.heldByOther(let leader, _), _) = event { leaderAddress = leader }
            if case .changeRequested(let requestID, let request) = event, !request.waitsForAnEnd {
                unanswered[requestID] = world.time
            }
            cell.dispatcher.handle(event, at: now, using: &random, into: &actions)
        }
        cell.dispatcher.handle(.tick, at: now, using: &random, into: &actions)
        // A turn without events and actions cannot have changed any state.
        if !events.isEmpty || !actions.isEmpty { checkBooks() }
        let life = life
        for action in actions where self.life == life { perform(action) }
        if self.life == life { requests.lookAtLeadership() }
        guard self.life == life, let wake = self.cell?.dispatcher.wake(after: now) else { return queueWake(2_000_000) }
        queueWake(min(2_000_000, max(0, (wake - now.boot) / 1_000)))
    }

    private func checkBooks() {
        let inconsistency = cell?.dispatcher.inconsistency
        world.oracle.require(inconsistency == nil, "inconsistent state of \(address): \(inconsistency ?? "")")
        checkAnswers()
    }

    /// Each change must be answered within a lease; a cancel after the call had time to end.
    func checkAnswers() {
        guard slumberMs == 0, let (requestID, since) = unanswered.min(by: { $0.value < $1.value }) else { return }
        let waited = (world.time - since) / 1_000
        world.oracle.require(
            waited < 30_000,
            "request \(requestID) to \(address) has waited \(waited) ms for its answer"
        )
    }

    private func queueWake(_ microseconds: Int64) {
        wakeNumber += 1
        let (life, number) = (life, wakeNumber)
        world.after(microseconds + Int64.random(in: 10...900, using: &world.random)) { [self] in
            if self.life == life, number == wakeNumber, !isPaused { turn() }
        }
    }

    private func perform(_ action: Action) {
        world.count(action)
        if world.options.isTracing { trace(action) }
        let database = world.database
        switch action {
        case .acquireLease(let floor, let usableWorkers):
            database.lease(
                .acquire(above: floor, usableWorkers: usableWorkers),
                self,
                owner: owner,
                leaseMs: leaseMs
            )
        case .handOverLease(let epoch, let standby):
            database.lease(.handOver(epoch, to: standby), self, owner: owner, leaseMs: leaseMs)
        case .renewLease(let epoch): database.lease(.renew(epoch), self, owner: owner, leaseMs: leaseMs)
        case .releaseLease(let epoch): database.lease(.release(epoch), self, owner: owner, leaseMs: leaseMs)
        case .loadJobs:
            load({ [self] store in
                jobsAtTakeOver = store.livingJobs
                return jobsAtTakeOver
            }) { [world] in .jobsLoaded($0.map(world.plans.planned), isLast: $1) }
        case .loadJobsNamed(let ids):
            load({ store in ids.compactMap { store.jobs[$0] } }) { [world] in
                .jobsLoaded($0.map(world.plans.planned), isLast: $1)
            }
        case .loadOpenExecutions(let since):
            load({ $0.openExecutions(since: since) }) { .openExecutionsLoaded($0, isLast: $1) }
        case .loadOutageRows(let outage):
            load({ $0.outageRows(outage) }) { .outageRowsLoaded($0, isLast: $1) }
        case .findExecution(let outcome, let worker, let link):
            database.read(
                self,
                { [$0.executions[outcome.executionID]] },
                { rows, _ in
                    .executionFound(rows.first ?? nil, outcome: outcome, worker: worker, link: link)
                },
                failed: .executionNotRead(outcome, worker: worker, link: link)
            )
        case .commit(let batch):
            world.oracle.submitted(batch, by: self)
            database.commit(batch, self)
        case .announceLead(let link, let lead, let shards):
            world.network.toWorker(link, .lead(lead, shards: shards))
        case .dispatch(let link, let clusterTime, let calls):
            world.remember(calls)
            world.oracle.dispatched(
                calls,
                by: self,
                to: world.network.dialerName(of: link),
                isConnected: world.network.isOpen(link)
            )
            world.network.toWorker(link, .dispatch(clusterTime: clusterTime, calls))
        case .acknowledge(let link, let outcomes):
            // Outcomes of a liar are acknowledged even after its connection has ended.
            world.oracle.acknowledged(outcomes, to: world.network.formerDialerName(of: link), by: self)
            world.network.toWorker(link, .outcomeAck(outcomes))
        case .queryClaims(let link, let claims): world.network.toWorker(link, .claimQuery(claims))
        case .refuseWorker(let link, let error): world.network.refuse(link, why: error.text)
        case .cancelCalls(let link, let tokens): world.network.toWorker(link, .cancel(tokens))
        case .reply(let requestID, let result):
            unanswered[requestID] = nil
            requests.answered(requestID, result)
        case .recorded(let executions): world.oracle.told(of: executions, by: self)
        case .beginEditSearch(let clusterTime): editSearch.begin(clusterTime: clusterTime, boot: now.boot)
        case .extendEditSearch: editSearch.wentBack(to: clusterTime)
        case .log(let logEvent):
            world.count(logEvent)
            world.oracle.noted(logEvent, by: self)
            if case .leadershipLost = logEvent { world.oracle.leaderChanged() }
            if case .leading = logEvent { world.oracle.tookOver(jobsAtTakeOver, by: self) }
        case .stopped:
            let life = life
            world.after(15_000) { [self] in
                guard self.life == life else { return }
                kill()
                world.after(Int64.random(in: 100_000...3_000_000, using: &world.random)) { [self] in start() }
            }
        }
    }

    // MARK: Changes in the store

    private func planRefresh() {
        let life = life
        world.after(Int64(world.options.refreshSeconds) * 1_000_000) { [self] in
            whenRunning(life) { [self] in
                if isLeading { refresh() }
                planRefresh()
            }
        }
    }

    /// Polls for changes in the store since the last poll, like the real process.
    func refresh() {
        guard let clusterTime = cell?.dispatcher.clusterTime(at: now.boot) else { return }
        world.count("changes by hand looked for")
        let look = editSearch.look(clusterTime: clusterTime, boot: now.boot)
        world.database.read(
            self,
            { $0.jobs(changedSince: look.since) },
            { [self] jobs, isLast in
                if isLast { editSearch.found(look) }
                return .jobsRefreshed(jobs.map(world.plans.planned))
            },
            failed: nil
        )
    }

    private func trace(_ event: Event) {
        switch event {
        case .leaseAnswered, .jobsLoaded, .outageRowsLoaded: break
        case .jobsRefreshed(let jobs): world.trace("[\(index)] <- jobs refreshed \(jobs.map { Self.text($0.job) })")
        case .changeRequested(let requestID, let request):
            let (kind, job) = request.summary
            world.trace("[\(index)] <- asked \(requestID) to \(kind) \(job.map(Self.text) ?? "")")
        default: world.trace("[\(index)] <- \(event)")
        }
    }

    private static func text(_ job: Job) -> String {
        let state = job.deletedAt != nil ? "deleted" : job.active ? "active" : "paused"
        let bounds =
            "\(job.startsAt.map { "\($0.milliseconds)" } ?? "")...\(job.endsAt.map { "\($0.milliseconds)" } ?? "")"
        return
            "\(job.name ?? "") v\(job.version) \(job.schedule) \(state) from \(job.effectiveFrom.milliseconds) \(bounds)"
    }

    private func trace(_ action: Action) {
        switch action {
        case .acquireLease, .renewLease, .recorded: break
        case .commit(let batch):
            world.trace(
                """
                [\(index)] commit \(batch.epoch)/\(batch.sequence) through \(batch.materializedThrough?.milliseconds ?? 0) \
                outage \(String(describing: batch.outage)) changes \(batch.changes.map { "\($0.job.map(Self.text) ?? "a run") -\($0.withdrawals.map(\.time.milliseconds)) +\($0.inserts.map(\.scheduledTime.milliseconds))" }) \
                withdrawals \(batch.withdrawals) inserts \(batch.inserts.map { "\($0.id) \($0.status)" }) \
                starts \(batch.starts.map(\.id)) updates \(batch.updates.map { "\($0.id) \($0.status) \($0.attempts)" })
                """
            )
        case .dispatch(let link, _, let calls):
            world.trace(
                "[\(index)] dispatch over \(link) \(calls.map { "\($0.executionID) \($0.attempt) \($0.token)" })"
            )
        default: world.trace("[\(index)] \(action)")
        }
    }

    private func load<Row>(_ rows: @escaping (MemoryStore) -> [Row], _ event: @escaping ([Row], Bool) -> Event) {
        world.database.read(self, rows, event, failed: .loadFailed("simulated"))
    }
}

extension ChangeRequest {
    /// Whether the response is sent when an execution ends, however long that takes.
    fileprivate var waitsForAnEnd: Bool {
        if case .executeNow(_, let wait, _) = self { wait } else { false }
    }
}
