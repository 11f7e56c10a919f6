/// The configuration of a worker engine.
package struct WorkerEngineConfiguration: Sendable, Hashable {
    /// The maximum number of calls that wait for their start or run.
    package var maxWorkers: Int
    /// The maximum number of these calls plus unacknowledged outcomes. A slot is free when its call ends, without
    /// waiting for a commit; this limit applies if the scheduler cannot record outcomes.
    package var maxHeld: Int { 4 * maxWorkers }
    /// `Carillon/<version>`.
    package var userAgent: String
    /// A call that has run for this long is reported as running.
    package var longCallMs: Int64
    /// How long a drain waits after the last activity for a scheduler to acknowledge the outcomes.
    package var drainPatienceMs: Int64

    package init(
        maxWorkers: Int,
        userAgent: String,
        longCallMs: Int64 = 1_000,
        drainPatienceMs: Int64 = 30_000
    ) {
        self.maxWorkers = maxWorkers
        self.userAgent = userAgent
        self.longCallMs = longCallMs
        self.drainPatienceMs = drainPatienceMs
    }
}

/// The worker's decisions: which calls it holds, what it reports, and how many calls it accepts. Like `Dispatcher` it
/// reads no clock, uses no socket and never waits.
///
/// The states of a call: waiting for its start → running → unacknowledged → forgotten. It has a slot until it ends, and
/// is held until it is acknowledged, which bounds memory.
package struct WorkerEngine: ~Copyable {
    /// A connection to a scheduler.
    struct Link {
        /// Both count the calls since Hello.
        var granted: UInt64 = 0
        var received: UInt64 = 0
        /// When the scheduler's offer was last raised or used.
        var movedAt: BootTime
        /// A Lead has arrived, and its Credit was not sent yet.
        var awaitsGrant = false

        /// How many calls the scheduler may still send.
        var offered: Int { granted > received ? Int(clamping: granted - received) : 0 }
    }

    struct Held {
        var token: DispatchToken
        var code: AuthenticationCode
        var shard: UInt8
        var executionID: ExecutionID
        var jobID: JobID
        var attempt: Int
        var receivedAt: BootTime
        /// The cluster time of the dispatch.
        var clusterTime: Timestamp
        var responseLimit: Int
        var atMostOnce: Bool
        var state: State
        /// The connection over which the outcome was last sent: only an acknowledgement from it counts.
        var reportedTo: ConnectionID?
    }

    enum State {
        /// → running at its time; → unacknowledged if it is cancelled or the worker drains.
        case waiting(DispatchedCall)
        /// → unacknowledged. `isLong`: the start was reported to the scheduler.
        case running(isLong: Bool)
        /// → forgotten.
        case unacknowledged(CallOutcome)
    }

    /// Counters since the start.
    package struct Counters: Sendable, Hashable {
        /// Calls returned without being started.
        package var returned: UInt64 = 0
        /// Calls whose sender does not lead their shard under their epoch.
        package var stale: UInt64 = 0
        /// Calls that were already held or settled.
        package var duplicates: UInt64 = 0
        /// Repeated dispatches of AT_MOST_ONCE attempts that started earlier, answered with their outcome.
        package var refusedRepeats: UInt64 = 0
        /// Outcomes that the scheduler rejected or corrected.
        package var rejected: UInt64 = 0
        /// Acknowledgements of outcomes that were not sent over that connection.
        package var strayAcknowledgements: UInt64 = 0

        package init() {}
    }

    let configuration: WorkerEngineConfiguration
    var links: [ConnectionID: Link] = [:]
    var leaders = LeaderTable()
    /// AT_MOST_ONCE calls that this process started.
    var memory = AtMostOnceMemory()
    var held = SlotMap<Held>()
    var slots: [DispatchToken: Int32] = [:]
    /// Acknowledged tokens; a dispatch with one of them is a duplicate.
    var settled: RecentTokens
    /// In nanoseconds of boot time: the start of a waiting call, or the time at which a running call becomes
    /// long-running.
    var timers = TimerHeap()
    /// Outcomes that are sent to the leaders of their shards at the end of the turn.
    var unreported: [DispatchToken] = []
    /// When an unused offer of slots moves to another leader.
    var creditWake: BootTime?
    package private(set) var runningCount = 0
    package private(set) var waitingCount = 0
    package private(set) var unacknowledgedCount = 0
    package private(set) var isDraining = false
    private(set) var hasDrained = false
    /// The last activity, for a drain without a scheduler.
    private var movedAt = BootTime(nanoseconds: 0)
    package var counters = Counters()

    package init(configuration: WorkerEngineConfiguration) {
        precondition(configuration.maxWorkers > 0, "a worker needs at least one slot")
        self.configuration = configuration
        settled = RecentTokens(limit: max(1_024, configuration.maxWorkers * 4))
    }

    // MARK: State for other components

    package var heldCount: Int { held.count }
    /// How many calls can be accepted now.
    package var freeCount: Int {
        max(
            0,
            min(configuration.maxWorkers - waitingCount - runningCount, configuration.maxHeld - held.count)
        )
    }
    package var connectionCount: Int { links.count }

    /// The latest connection that leads a shard.
    package var leader: ConnectionID? { leaders.leading.last }

    /// The highest epoch under which `leader` leads.
    package var leaderEpoch: Int64? { leader.flatMap { leaders.epoch(of: $0) } }

    /// The latest time for the next `tick`.
    package var wake: BootTime? {
        var times = [timers.first.map { BootTime(nanoseconds: $0.time) }, creditWake].compactMap { $0 }
        if isDraining, !hasDrained, runningCount == 0 { times.append(movedAt + configuration.drainPatienceMs) }
        return times.min()
    }

    // MARK: Events

    package mutating func handle(_ event: WorkerEvent, at now: BootTime, into actions: inout [WorkerAction]) {
        memory.begin(at: now)
        switch event {
        case .tick:
            act(at: now, into: &actions)
        case .connected(let link):
            links[link] = Link(movedAt: now)
            if isDraining { actions.append(.announceDrain(link)) }
        case .disconnected(let link):
            disconnected(link, into: &actions)
        case .leadAnnounced(let link, let lead, let shards):
            movedAt = now
            leadAnnounced(link, lead, shards, into: &actions)
        case .dispatched(let link, let clusterTime, let calls, let receivedAt):
            dispatched(link, clusterTime: clusterTime, calls, receivedAt: receivedAt, into: &actions)
        case .cancelRequested(let link, let tokens):
            cancel(tokens, from: link, into: &actions)
        case .acknowledged(let link, let outcomes):
            movedAt = now
            for outcome in outcomes { acknowledged(outcome, over: link, into: &actions) }
        case .claimsQueried(let link, let claims):
            claimsQueried(link, claims, at: now, into: &actions)
        case .ended(let results):
            movedAt = now
            for result in results { ended(result, at: now) }
        case .drainRequested:
            drain(at: now, into: &actions)
        }
    }

    private mutating func act(at now: BootTime, into actions: inout [WorkerAction]) {
        let becameLong = startDue(at: now, into: &actions)
        report(becameLong: becameLong, into: &actions)
        grant(at: now, into: &actions)
        endDrain(at: now, into: &actions)
    }

    // MARK: Held calls

    mutating func hold(_ call: Held) -> Int32 {
        let slot = held.insert(call)
        slots[call.token] = slot
        count(call.state, by: 1)
        return slot
    }

    mutating func move(_ slot: Int32, to state: State) {
        count(held[slot].state, by: -1)
        count(state, by: 1)
        held[slot].state = state
    }

    /// Removes a call that will not be made.
    mutating func drop(_ slot: Int32) {
        count(held[slot].state, by: -1)
        slots[held[slot].token] = nil
        timers.remove(slot)
        held.remove(slot)
    }

    /// Forgets an outcome with any result, if the acknowledgement comes from the scheduler to which it was sent.
    private mutating func acknowledged(
        _ outcome: AcknowledgedOutcome,
        over link: ConnectionID,
        into actions: inout [WorkerAction]
    ) {
        guard let slot = slots[outcome.token], case .unacknowledged = held[slot].state else { return }
        guard held[slot].reportedTo == link || InjectedFault.believesAnyAcknowledgement.isActive else {
            counters.strayAcknowledgements += 1
            return
        }
        if outcome.result == .notIssued || outcome.result == .invalid {
            counters.rejected += 1
            actions.append(.log(.outcomeRejected(held[slot].executionID, outcome.result)))
        }
        count(held[slot].state, by: -1)
        slots[outcome.token] = nil
        held.remove(slot)
        settled.insert(outcome.token)
    }

    private mutating func count(_ state: State, by change: Int) {
        switch state {
        case .waiting: waitingCount += change
        case .running: runningCount += change
        case .unacknowledged: unacknowledgedCount += change
        }
    }

    // MARK: The end

    private mutating func drain(at now: BootTime, into actions: inout [WorkerAction]) {
        guard !isDraining else { return }
        isDraining = true
        movedAt = now
        for link in links.keys.sorted() { actions.append(.announceDrain(link)) }
        for slot in held.slots {
            if case .waiting = held[slot].state { giveBack(slot) }
        }
        actions.append(.log(.draining(running: runningCount, unacknowledged: unacknowledgedCount)))
    }

    private mutating func endDrain(at now: BootTime, into actions: inout [WorkerAction]) {
        guard isDraining, !hasDrained, runningCount == 0, waitingCount == 0 else { return }
        if !slots.isEmpty {
            guard movedAt + configuration.drainPatienceMs <= now else { return }
            let executions = held.slots.prefix(20).map { held[$0].executionID }
            actions.append(.log(.undelivered(count: held.count, executions)))
        }
        hasDrained = true
        actions.append(.drained)
    }
}
