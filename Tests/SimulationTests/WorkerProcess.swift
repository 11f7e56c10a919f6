import CarillonCore
import TestSupport

/// A worker as the protocol describes it (proto § 6): slots, what it holds, credit, outcomes that nobody has acknowledged.
final class WorkerProcess {
    private struct Held {
        var call: DispatchedCall
        var receivedAt: Int64
        var isLong = false
        var outcome: CallOutcome?
    }

    private struct Link {
        var granted: UInt64 = 0
        var received: UInt64 = 0
        var epoch: Int64?
    }

    private unowned let world: World
    let name: String
    private(set) var bootID = UniqueID.zero
    private(set) var life = 0
    private(set) var isAlive = false
    private(set) var isPaused = false
    private var isDraining = false
    private var held: [Token: Held] = [:]
    private var settled: Set<Token> = []
    private var links: [LinkID: Link] = [:]
    private var highestEpoch: Int64 = 0
    private var deferred: [() -> Void] = []

    init(world: World, index: Int) {
        self.world = world
        name = "worker-\(index)"
    }

    // MARK: Life

    func start() {
        guard !isAlive else { return }
        life += 1
        isAlive = true
        isPaused = false
        isDraining = false
        bootID = UniqueID.random(using: &world.random)
        for scheduler in world.schedulers { world.network.dial(self, scheduler) }
    }

    func kill() {
        guard isAlive else { return }
        life += 1
        isAlive = false
        isPaused = false
        world.target.workerEnded(name)
        world.oracle.disturbed(worker: name)
        world.network.workerEnded(self)
        held = [:]
        settled = []
        links = [:]
        highestEpoch = 0
        deferred = []
    }

    /// SIGTERM: takes nothing more, ends when all is acknowledged, or after a while.
    func drain() {
        guard isAlive, !isDraining else { return }
        isDraining = true
        for link in links.keys.sorted() { world.network.toScheduler(link, .workerDrained(link)) }
        endDrain(life, patience: 50)
    }

    private func endDrain(_ life: Int, patience: Int) {
        world.after(100_000) { [self] in
            guard self.life == life else { return }
            if held.isEmpty || patience == 0 {
                kill()
                world.after(Int64.random(in: 50_000...2_000_000, using: &world.random)) { [self] in start() }
            } else {
                endDrain(life, patience: patience - 1)
            }
        }
    }

    func pause(forMs milliseconds: Int) {
        guard isAlive, !isPaused else { return }
        isPaused = true
        let life = life
        world.network.paused(worker: self, forMs: milliseconds)
        world.after(Int64(milliseconds) * 1_000) { [self] in
            guard self.life == life else { return }
            isPaused = false
            let work = deferred
            deferred = []
            for item in work { item() }
        }
    }

    func whenRunning(_ life: Int, _ work: @escaping () -> Void) {
        guard self.life == life else { return }
        if isPaused { deferred.append(work) } else { work() }
    }

    // MARK: The protocol

    func connected(_ link: LinkID, to scheduler: SchedulerProcess) {
        links[link] = Link()
        if isDraining { world.network.toScheduler(link, .workerDrained(link)) }
    }

    func disconnected(_ link: LinkID) {
        guard let gone = links.removeValue(forKey: link), gone.epoch == highestEpoch, leader != nil else { return }
        reportAll()
    }

    private func leads(_ link: Link) -> Bool { link.epoch == highestEpoch }

    private var leader: LinkID? { links.filter { leads($0.value) }.keys.max() }

    func received(_ message: WorkerMessage, over link: LinkID) {
        guard links[link] != nil else { return }
        switch message {
        case .lead(let epoch, let leads): lead(link, epoch, leads)
        case .dispatch(let calls):
            for call in calls { take(call, over: link) }
            grant()
        case .acknowledge(let tokens):
            for token in tokens where held.removeValue(forKey: token) != nil { settled.insert(token) }
            grant()
        case .cancel(let tokens):
            for token in tokens where held[token]?.outcome == nil { world.target.cut(token) }
        }
    }

    private func lead(_ link: LinkID, _ epoch: Int64, _ leads: Bool) {
        guard epoch >= highestEpoch else { return }
        guard leads else {
            if links[link]?.epoch == epoch { links[link]?.epoch = nil }
            return
        }
        highestEpoch = epoch
        links[link]?.epoch = epoch
        let running = held.values.filter { $0.outcome == nil }.map(\.call).sorted { $0.token < $1.token }
        world.network.toScheduler(
            link,
            .workerHeld(
                link,
                epoch: epoch,
                running.map {
                    HeldCall(token: $0.token, executionID: $0.executionID, jobID: $0.jobID, attempt: $0.attempt)
                }
            )
        )
        report(to: link)
        grant(alsoTo: link)
    }

    private func report(to link: LinkID) {
        let outcomes = held.values.compactMap(\.outcome).sorted { $0.token < $1.token }
        if !outcomes.isEmpty { world.network.toScheduler(link, .workerReported(link, outcomes)) }
    }

    private func reportAll() {
        if let leader { report(to: leader) }
    }

    private func grant(alsoTo asking: LinkID? = nil) {
        guard let leader else { return }
        let offered = links.values.filter(leads).reduce(0) {
            $0 + Int($1.granted > $1.received ? $1.granted - $1.received : 0)
        }
        let free = isDraining ? 0 : max(0, world.options.slotsPerWorker - held.count - offered)
        if free > 0, var link = links[leader] {
            link.granted = max(link.granted, link.received) + UInt64(free)
            links[leader] = link
        }
        for link in Set([leader, asking ?? leader]).sorted() where link == asking || free > 0 {
            world.network.toScheduler(link, .workerGranted(link, links[link]?.granted ?? 0))
        }
    }

    private func take(_ call: DispatchedCall, over link: LinkID) {
        links[link]?.received += 1
        guard call.token.epoch >= highestEpoch else {
            world.count("dispatch of an old epoch")
            return
        }
        guard held[call.token] == nil, !settled.contains(call.token) else { return }
        held[call.token] = Held(call: call, receivedAt: world.time)
        guard !isDraining, held.count <= world.options.slotsPerWorker else {
            world.count("dispatch given back")
            conclude(call.token, CallOutcome(call, .notStarted))
            return
        }
        world.target.begin(call, by: self)
        let life = life
        world.after(1_000_000) { [self] in
            whenRunning(life) { [self] in
                guard held[call.token]?.outcome == nil, held[call.token] != nil, let leader else { return }
                world.network.toScheduler(leader, .workerStarted(leader, [call.token]))
            }
        }
    }

    /// How a call ended.
    func ended(_ outcome: CallOutcome) {
        guard let call = held[outcome.token], call.outcome == nil else { return }
        conclude(outcome.token, outcome)
    }

    private func conclude(_ token: Token, _ outcome: CallOutcome) {
        var outcome = outcome
        outcome.durationMicroseconds = UInt64(world.time - (held[token]?.receivedAt ?? world.time))
        held[token]?.outcome = outcome
        world.oracle.ended(outcome)
        if let leader { world.network.toScheduler(leader, .workerReported(leader, [outcome])) }
    }
}

extension CallOutcome {
    init(_ call: DispatchedCall, _ kind: OutcomeKind, status: Int? = nil, retryAfterMs: UInt64? = nil) {
        self.init(
            token: call.token,
            executionID: call.executionID,
            jobID: call.jobID,
            attempt: call.attempt,
            kind: kind,
            httpStatus: status,
            retryAfterMs: retryAfterMs
        )
    }
}
