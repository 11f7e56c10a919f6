import CarillonCore
import CarillonWire
import TestSupport

/// A worker: the real engine in a process that can be killed, drained and paused.
final class WorkerProcess: Dialer {
    private final class Cell {
        var engine: WorkerEngine

        init(_ engine: consuming WorkerEngine) { self.engine = engine }
    }

    private unowned let world: World
    let name: String
    /// Whether the worker sends false reports while faults are on.
    let isLiar: Bool
    let role = Role.worker
    private(set) var bootID = UniqueID.zero
    /// Increases with each start and end.
    private(set) var life = 0
    private(set) var isAlive = false
    private(set) var isPaused = false
    private var cell: Cell?
    /// The calls that the worker accepted.
    private var calls: [DispatchToken: DispatchedCall] = [:]
    private var deferred: [() -> Void] = []
    private var wakeNumber = 0
    private var clock: ProcessClock

    init(world: World, index: Int) {
        self.world = world
        name = "worker-\(index)"
        isLiar = index == 0 && world.options.lies > 0
        clock = ProcessClock(world: world)
    }

    private var now: BootTime { clock.now.boot }
    var wireNow: WireNow { clock.wireNow }

    func stepWall(byMs milliseconds: Int64) { clock.stepWall(byMs: milliseconds) }

    /// The first message of a connection.
    var hello: Hello {
        Hello(
            role: .worker,
            name: name,
            bootID: bootID,
            maxWorkers: UInt32(world.options.slotsPerWorker),
            version: "simulated"
        )
    }

    /// The number of calls and outcomes that have not been acknowledged.
    var heldCount: Int { cell?.engine.heldCount ?? 0 }

    // MARK: Life

    func start() {
        guard !isAlive else { return }
        life += 1
        isAlive = true
        isPaused = false
        bootID = UniqueID.random(using: &world.random)
        cell = Cell(
            WorkerEngine(
                configuration: WorkerEngineConfiguration(
                    maxWorkers: world.options.slotsPerWorker,
                    userAgent: "Carillon/simulated",
                    drainPatienceMs: 5_000
                )
            )
        )
        for scheduler in world.schedulers { world.network.dial(self, scheduler) }
    }

    func kill() {
        guard isAlive else { return }
        life += 1
        isAlive = false
        isPaused = false
        cell = nil
        calls = [:]
        deferred = []
        world.target.workerEnded(name)
        world.oracle.workerEnded(name)
        world.network.workerEnded(self)
    }

    /// SIGTERM: accepts no more calls, and ends when all outcomes are acknowledged, or after a timeout.
    func drain() {
        if isAlive, !isPaused { tell(.drainRequested) }
    }

    /// Pauses the process. Its boot time continues, as after a suspend, or stands still.
    func pause(forMs milliseconds: Int, clockStandsStill: Bool = false) {
        guard isAlive, !isPaused else { return }
        isPaused = true
        let life = life
        world.oracle.disturbed(worker: name)
        world.after(Int64(milliseconds) * 1_000) { [self] in
            guard self.life == life else { return }
            if clockStandsStill { clock.standStill(forMicroseconds: Int64(milliseconds) * 1_000) }
            isPaused = false
            let work = deferred
            deferred = []
            for item in work where self.life == life { item() }
            if self.life == life { tell(.tick) }
        }
    }

    /// Performs work of this process as soon as the process can run.
    func whenRunning(_ life: Int, _ work: @escaping () -> Void) {
        guard self.life == life else { return }
        if isPaused { deferred.append(work) } else { work() }
    }

    // MARK: Messages to the worker

    func connected(_ link: Link) { tell(.connected(link.id)) }
    func disconnected(_ link: Link) { tell(.disconnected(link.id)) }

    func received(_ envelope: Envelope, over link: Link) {
        switch envelope.message {
        case .lead(let lead, let shards):
            if !shards.isEmpty { world.oracle.heard(name, leaderOf: lead.epoch) }
            tell(.leadAnnounced(link.id, lead, shards: shards))
        case .dispatch(let clusterTime, let calls): dispatched(link.id, clusterTime, calls)
        case .outcomeAck(let outcomes): tell(.acknowledged(link.id, outcomes))
        case .claimQuery(let claims): tell(.claimsQueried(link.id, claims))
        case .cancel(let tokens): tell(.cancelRequested(link.id, tokens))
        default: world.oracle.require(false, "the wire: a worker was given \(envelope.message.name)")
        }
    }

    private func dispatched(_ link: ConnectionID, _ clusterTime: Timestamp, _ dispatched: [DispatchedCall]) {
        for call in dispatched { calls[call.token] = call }
        if dispatched.contains(where: { world.oracle.isOver($0.token.epoch, for: name) }) {
            world.count("worker was given a call of an epoch that is over")
        }
        tell(.dispatched(link, clusterTime: clusterTime, dispatched, receivedAt: now))
    }

    /// The target has ended a call.
    func ended(_ outcome: CallOutcome, startedAt: Int64) {
        tell(
            .ended([
                HTTPResult(
                    token: outcome.token,
                    kind: outcome.kind,
                    startedAt: min(now, clock.boot(at: startedAt)),
                    durationMicroseconds: UInt64(world.elapsed - startedAt),
                    httpStatus: outcome.httpStatus,
                    response: outcome.response,
                    retryAfterMs: outcome.retryAfterMs
                )
            ])
        )
    }

    func tell(_ event: WorkerEvent) {
        guard let cell else { return }
        var actions: [WorkerAction] = []
        cell.engine.handle(event, at: now, into: &actions)
        if case .tick = event {} else { cell.engine.handle(.tick, at: now, into: &actions) }
        let inconsistency = cell.engine.inconsistency
        world.oracle.require(inconsistency == nil || isLiar, "inconsistent state of \(name): \(inconsistency ?? "")")
        let life = life
        for action in actions where self.life == life { perform(action) }
        guard self.life == life, let wake = self.cell?.engine.wake else { return }
        wakeNumber += 1
        let number = wakeNumber
        world.after(max(0, (wake - now) / 1_000) + 200) { [self] in
            guard number == wakeNumber else { return }
            whenRunning(life) { [self] in tell(.tick) }
        }
    }

    private func toScheduler(_ link: ConnectionID, _ message: Message) {
        for message in isLiar ? world.liar.twisted(message) : [message] { world.network.toScheduler(link, message) }
    }

    private func perform(_ action: WorkerAction) {
        switch action {
        case .start(let requests):
            for call in requests.compactMap({ calls[$0.token] }) {
                world.oracle.began(call, by: name)
                world.target.begin(call, by: self)
            }
        case .cut(let tokens): for token in tokens { world.target.cut(token) }
        case .hold(let link, let epoch, let held):
            toScheduler(link, .holding(epoch: epoch, running: held))
        case .report(let link, let outcomes):
            for outcome in outcomes {
                if outcome.kind == .notStarted { world.count("dispatch given back") }
                world.oracle.ended(outcome)
            }
            toScheduler(link, .outcome(outcomes))
        case .refuseLead(let link, let epoch, let shards, let highest):
            world.count("lead refused")
            toScheduler(link, .leadRefused(epoch: epoch, shards: shards, highest: highest))
        case .answerClaims(let link, let rememberedMs, let claims):
            for claim in claims { world.count("claim answered \(claim.state)") }
            toScheduler(link, .claimAnswer(rememberedMs: rememberedMs, claims))
        case .tellStarted(let link, let tokens): toScheduler(link, .started(tokens))
        case .announceDrain(let link): toScheduler(link, .drain)
        case .grant(let link, let granted): toScheduler(link, .credit(granted: granted))
        case .close(let link, let why):
            // A lying worker that grants more credit than it has slots gets more calls than it can start.
            world.oracle.require(isLiar, "a scheduler was cut off over \(link) by \(name): \(why)")
        case .log: break
        case .drained:
            let life = life
            world.after(10_000) { [self] in
                guard self.life == life else { return }
                kill()
                world.after(Int64.random(in: 50_000...2_000_000, using: &world.random)) { [self] in start() }
            }
        }
    }
}

extension CallOutcome {
    init(_ call: DispatchedCall, _ kind: OutcomeKind, status: Int? = nil, retryAfterMs: UInt64? = nil) {
        self.init(
            token: call.token,
            code: call.code,
            shard: call.shard,
            executionID: call.executionID,
            jobID: call.jobID,
            attempt: call.attempt,
            kind: kind,
            httpStatus: status,
            retryAfterMs: retryAfterMs
        )
    }
}
