import CarillonCore
import CarillonWire
import TestSupport

/// A whole cluster in simulated time. A seed determines all events.
final class World {
    let seed: UInt64
    let options: SimulationOptions
    var random: SeededGenerator
    /// Microseconds since the start.
    private(set) var time: Int64 = 0
    private(set) var faultsAreOn = true
    private(set) var coverage: [String: Int] = [:]
    private var timeline = Timeline()
    private var databaseErrorMs: Int64 = 0
    /// The time at which the database's clock stands still.
    private var databaseStandsAt: Timestamp?
    /// The microseconds for which everything was suspended.
    private var suspended: Int64 = 0
    let codec = MessageCodec()
    private(set) var schedulers: [SchedulerProcess] = []
    private(set) var workers: [WorkerProcess] = []
    let plans = Plans()
    private(set) lazy var planSource: ReplyRenderer.PlanSource = {
        // A world is used by one thread only.
        nonisolated(unsafe) let plans = plans
        return { schedule, zone, policy in
            guard let plan = plans.plan(schedule, zone, policy) else {
                return .failure(JobRules.FieldErrors([FieldError(field: "schedule", message: "cannot be read")]))
            }
            return .success(plan)
        }
    }()
    /// The limits that schedulers apply to requests.
    private(set) lazy var rules = JobRules(defaults: JobDefaults(), plan: planSource)
    private(set) lazy var database = Database(world: self)
    private(set) lazy var network = Network(world: self)
    private(set) lazy var target = Target(world: self)
    private(set) lazy var client = ClientProcess(world: self)
    private(set) lazy var clients = Clients(world: self)
    /// The calls dispatched last, to any worker.
    private(set) var recentCalls: [DispatchedCall] = []
    private(set) lazy var liar = Liar(world: self)
    private(set) lazy var historyLoss = HistoryLoss(world: self)
    private(set) lazy var handEditor = HandEditor(world: self)
    private(set) lazy var oracle = Oracle(world: self)

    init(seed: UInt64, options: SimulationOptions) {
        self.seed = seed
        self.options = options
        random = SeededGenerator(seed: seed &+ UInt64(options.draw) &* 0x9E37_79B9)
        schedulers = (0..<options.schedulers).map { SchedulerProcess(world: self, index: $0) }
        workers = (0..<options.workers).map { WorkerProcess(world: self, index: $0) }
    }

    /// Microseconds since the start by an accurate clock, which continues while everything is suspended.
    var elapsed: Int64 { time + suspended }
    var trueTime: Timestamp { Timestamp(seconds: options.beginning) + elapsed / 1_000 }
    var databaseTime: Timestamp { databaseStandsAt ?? trueTime + databaseErrorMs }

    func after(_ microseconds: Int64, _ work: @escaping () -> Void) {
        timeline.add(time + max(0, microseconds), work)
    }

    // MARK: Running

    /// Runs through the faults, waits until no work is left, and returns the failures that the oracle found.
    func run() -> [String] {
        for scheduler in schedulers { scheduler.start() }
        for worker in workers { worker.start() }
        client.start()
        clients.begin()
        planFaults()
        advance(toSecond: options.seconds)
        faultsAreOn = false
        for scheduler in schedulers where !scheduler.isAlive { scheduler.start() }
        for worker in workers where !worker.isAlive { worker.start() }
        // A lying worker keeps unreported calls until they are given up, and is then restarted.
        advance(toSecond: options.seconds + 45)
        oracle.judgeSilence()
        for worker in workers where worker.isLiar {
            worker.kill()
            worker.start()
        }
        // By then all pauses and outages have ended.
        let calm = options.seconds + (options.suspends == 1 || options.suspends == 2 ? 60 + Self.suspendMs / 1_000 : 60)
        advance(toSecond: calm)
        oracle.judgeHandEdits()
        oracle.judgeProgress()
        clients.pauseAll()
        var second = calm + 5
        advance(toSecond: second)
        // With a slow network and one slot a long backlog takes time.
        let limit = calm + (options.delayMs >= 400 ? 1_500 : 340)
        while !isAtRest, second < limit, oracle.problems.isEmpty {
            second += 5
            advance(toSecond: second)
        }
        oracle.judge()
        return oracle.problems
    }

    private var isAtRest: Bool {
        clients.areDone && workers.allSatisfy { $0.heldCount == 0 }
            && !database.store.executions.values.contains { !$0.status.isFinal }
    }

    private func advance(toSecond second: Int) {
        var isOver = false
        timeline.add(Int64(second) * 1_000_000) { isOver = true }
        while !isOver, oracle.problems.isEmpty, let next = timeline.pop() {
            time = next.time
            next.work()
        }
    }

    func remember(_ calls: [DispatchedCall]) {
        recentCalls = (recentCalls + calls).suffix(20)
    }

    // MARK: Faults

    private func planFaults() {
        plan(options.cutsPerSecond) { $0.network.cutOne() }
        plan(options.schedulerKillsPerSecond) { world in
            world.count("scheduler killed")
            world.schedulers.randomElement(using: &world.random).map { world.restart($0) }
        }
        plan(options.schedulerStopsPerSecond) { world in
            world.count("scheduler stopped")
            world.schedulers.randomElement(using: &world.random)?.stop()
        }
        plan(options.workerKillsPerSecond) { world in
            guard let worker = world.workers.randomElement(using: &world.random) else { return }
            if world.random.happens(0.3) {
                world.count("worker drained")
                worker.drain()
            } else {
                world.count("worker killed")
                worker.kill()
                let longest: Int64 = world.options.workerKillsPerSecond >= 1 ? 300_000 : 4_000_000
                world.after(Int64.random(in: 20_000...longest, using: &world.random)) { worker.start() }
            }
        }
        plan(options.pausesPerSecond) { world in
            let standsStill = world.random.happens(world.options.standingClocks)
            if standsStill { world.count("boot time stood still") }
            // A standstill shorter than the lease has no effect.
            let milliseconds = Int.random(in: (standsStill ? 4_000 : 100)...16_000, using: &world.random)
            if world.random.happens(0.6) {
                world.count("scheduler paused")
                let leader = world.random.happens(0.5) ? world.schedulers.first(where: \.isLeading) : nil
                (leader ?? world.schedulers.randomElement(using: &world.random))?
                    .pause(forMs: milliseconds, clockStandsStill: standsStill)
            } else {
                world.count("worker paused")
                world.workers.randomElement(using: &world.random)?
                    .pause(forMs: milliseconds, clockStandsStill: standsStill)
            }
        }
        planSuspend()
        plan(options.storeStallsPerSecond) { world in
            world.count("store stalled")
            world.database.stall(forMs: Int.random(in: 50...7_000, using: &world.random))
        }
        plan(options.storeOutagesPerSecond) { world in
            world.count("store away")
            world.database.goAway(forMs: Int.random(in: 50...9_000, using: &world.random))
        }
        plan(options.isolationsPerSecond) { world in
            guard let leader = world.schedulers.first(where: \.isLeading) else { return }
            world.count("leader isolated from its workers")
            world.network.isolate(leader, forMs: Int.random(in: 2_000...40_000, using: &world.random))
        }
        plan(options.linkStallsPerSecond) { $0.network.stallOne() }
        plan(options.writerStallsPerSecond) { world in
            world.count("writer stalled")
            world.database.stallWriter(forMs: Int.random(in: 2_000...60_000, using: &world.random))
        }
        plan(options.handEditsPerSecond) { $0.handEditor.edit() }
        plan(options.historyLossesPerSecond) { $0.historyLoss.strike() }
        plan(options.clockStepsPerSecond * 2) { $0.stepWallClock() }
        plan(options.clockStepsPerSecond) { world in
            guard world.databaseStandsAt == nil else { return }
            if world.random.happens(0.2) { return world.stopDatabaseClock() }
            let isForward = world.random.happens(0.5)
            if !isForward, world.random.happens(0.5) { return world.failOver(patience: 200) }
            let isLong = world.random.happens(world.options.stepsOfHours)
            if isLong { world.count("clock stepped by hours") }
            let milliseconds = Int64.random(in: 200...(isLong ? 10_800_000 : 20_000), using: &world.random)
            world.stepDatabaseClock(byMs: isForward ? milliseconds : -milliseconds)
        }
    }

    /// Returns whether the clock was set: a stopped clock is left alone.
    func setDatabaseClockBack(byMs milliseconds: Int64) -> Bool {
        guard databaseStandsAt == nil else { return false }
        stepDatabaseClock(byMs: -milliseconds)
        return true
    }

    private func stepDatabaseClock(byMs milliseconds: Int64) {
        count(milliseconds > 0 ? "clock stepped forward" : "clock stepped back")
        databaseErrorMs += milliseconds
        oracle.clockStepped(milliseconds)
    }

    /// Moves the database to a machine whose clock is behind, while the leader is isolated and a worker has a call
    /// whose outcome will not arrive in time.
    private func failOver(patience: Int) {
        let busy = workers.filter { $0.isAlive && !$0.isPaused && $0.heldCount > 0 }
        guard let worker = busy.randomElement(using: &random), databaseStandsAt == nil else {
            guard patience > 0 else { return }
            return after(20_000) { [self] in
                if faultsAreOn { failOver(patience: patience - 1) }
            }
        }
        count("clock stepped back under a new leader")
        stepDatabaseClock(byMs: -Int64.random(in: 8_000...20_000, using: &random))
        if let leader = schedulers.first(where: \.isLeading) { restart(leader) }
        worker.pause(forMs: Int.random(in: 4_000...10_000, using: &random))
    }

    /// Steps a wall clock by hours in either direction, on one machine.
    private func stepWallClock() {
        count("wall clock stepped")
        let milliseconds = Int64.random(in: -10_800_000...10_800_000, using: &random)
        if random.happens(0.5) {
            schedulers.randomElement(using: &random)?.stepWall(byMs: milliseconds)
        } else {
            workers.randomElement(using: &random)?.stepWall(byMs: milliseconds)
        }
    }

    private func stopDatabaseClock() {
        count("database's clock stood still")
        let milliseconds = Int64.random(in: 200...8_000, using: &random)
        databaseStandsAt = databaseTime
        oracle.clockStepped(-milliseconds)
        after(milliseconds * 1_000) { [self] in
            databaseStandsAt = nil
            databaseErrorMs -= milliseconds
            oracle.clockStepped(-milliseconds)
        }
    }

    /// Plans ten minutes in which a process, or everything, is suspended while all clocks continue.
    private func planSuspend() {
        guard options.suspends > 0 else { return }
        after(Int64.random(in: 2_000_000...Int64(options.seconds) * 1_000_000, using: &random)) { [self] in
            switch options.suspends {
            case 1:
                count("leader suspended")
                (schedulers.first(where: \.isLeading) ?? schedulers[0]).pause(forMs: Self.suspendMs)
            case 2:
                count("worker suspended")
                workers.randomElement(using: &random)?.pause(forMs: Self.suspendMs)
            default:
                count("everything suspended")
                suspendEverything()
            }
        }
    }

    private static let suspendMs = 600_000

    private func suspendEverything() {
        suspended += Int64(Self.suspendMs) * 1_000
        oracle.leaderChanged()
        for worker in workers { oracle.disturbed(worker: worker.name) }
        after(0) { [self] in
            for scheduler in schedulers where scheduler.isAlive && !scheduler.isPaused { scheduler.turn() }
            for worker in workers where worker.isAlive && !worker.isPaused { worker.tell(.tick) }
            network.tickAll()
        }
    }

    func restart(_ scheduler: SchedulerProcess) {
        scheduler.kill()
        after(Int64.random(in: 20_000...4_000_000, using: &random)) { scheduler.start() }
    }

    /// Plans an event with a rate per second, while faults are on.
    private func plan(_ perSecond: Double, _ fault: @escaping (World) -> Void) {
        guard perSecond > 0 else { return }
        let wait = Double.random(in: 0..<2, using: &random) / perSecond
        after(Int64(wait * 1_000_000)) { [self] in
            guard faultsAreOn else { return }
            fault(self)
            plan(perSecond, fault)
        }
    }

    // MARK: Coverage

    func count(_ what: String) {
        coverage[what, default: 0] += 1
        trace(what)
    }

    /// Prints a step if tracing is on, to find the cause of a failure.
    func trace(_ text: @autoclosure () -> String) {
        if options.isTracing { print("\(Double(time) / 1_000_000) \(text())") }
    }

    /// Counts enum cases by name, without their associated values.
    func count(_ event: Event) { coverage["event \(Self.name(of: event))", default: 0] += 1 }
    func count(_ action: Action) { coverage["action \(Self.name(of: action))", default: 0] += 1 }
    func count(_ logEvent: DispatcherLogEvent) { coverage["log \(Self.name(of: logEvent))", default: 0] += 1 }

    private static func name(of value: some Any) -> String {
        Mirror(reflecting: value).children.first?.label ?? "\(value)"
    }
}
