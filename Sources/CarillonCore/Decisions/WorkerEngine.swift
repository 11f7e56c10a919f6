/// What a worker is told at its start.
package struct WorkerEngineConfiguration: Sendable, Hashable {
    /// Calls that wait for their start or run at a time.
    package var maxWorkers: Int
    /// Those and the outcomes that no scheduler has acknowledged. A call's slot is free again when it ends, so that the next
    /// one need not wait for a commit; a scheduler that cannot record is felt here.
    package var maxHeld: Int { 4 * maxWorkers }
    /// `Carillon/<version>`.
    package var userAgent: String
    /// A call that has run for this long is told of.
    package var longCallMs: Int64
    /// How long the end of a drain waits, from the last time that anything moved, for someone to take the outcomes.
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

/// The worker's decisions: which calls are held, who is told of them, and how many more may come (proto § 6). A value like
/// the `Dispatcher`: it reads no clock, touches no socket and waits for nothing.
///
/// A call's life: (waiting for its start →) running → unacknowledged → forgotten. From its receipt to its end it has a slot;
/// to its acknowledgement it counts as held, so that a scheduler that cannot record bounds what this process has to remember.
package struct WorkerEngine: ~Copyable {
    /// A connection to a scheduler.
    struct Link {
        /// Both count calls, from Hello on.
        var granted: UInt64 = 0
        var received: UInt64 = 0
        /// When the scheduler was last offered more calls, or used an offer.
        var movedAt: BootTime
        /// A Lead has come, and its Credit has not been sent yet.
        var awaitsGrant = false

        /// Calls that the scheduler may still send.
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
        /// Cluster time when the dispatch was made.
        var clusterTime: Timestamp
        var responseLimit: Int
        var atMostOnce: Bool
        var state: State
        /// The connection over which the outcome was sent last: only an acknowledgement from there counts.
        var reportedTo: ConnectionID?
    }

    enum State {
        /// → running when its time comes, → unacknowledged when it is cancelled or the worker drains.
        case waiting(DispatchedCall)
        /// → unacknowledged. `isLong`: schedulers are told that it runs.
        case running(isLong: Bool)
        /// → forgotten.
        case unacknowledged(CallOutcome)
    }

    /// Counts since the start.
    package struct Counters: Sendable, Hashable {
        /// Calls that went back without having been begun.
        package var returned: UInt64 = 0
        /// Calls whose sender does not lead their shard under their epoch.
        package var stale: UInt64 = 0
        /// Calls that were held, or settled, already.
        package var duplicates: UInt64 = 0
        /// Repeated dispatches of AT_MOST_ONCE attempts that were begun before, answered with what came of them.
        package var refusedRepeats: UInt64 = 0
        /// Outcomes that the scheduler did not accept as they were.
        package var rejected: UInt64 = 0
        /// Acknowledgements of outcomes that were not sent over that connection.
        package var strayAcknowledgements: UInt64 = 0

        package init() {}
    }

    let configuration: WorkerEngineConfiguration
    var links: [ConnectionID: Link] = [:]
    var leaders = LeaderTable()
    /// AT_MOST_ONCE calls that were begun here.
    var memory = AtMostOnceMemory()
    var held = SlotMap<Held>()
    var slots: [DispatchToken: Int32] = [:]
    /// Acknowledged tokens: a dispatch of one of them is an echo.
    var settled: RecentTokens
    /// In nanoseconds of boot time: when a waiting call starts, when a running one becomes a long one.
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
    /// When something last moved, for a drain that nobody listens to.
    private var movedAt = BootTime(nanoseconds: 0)
    package var counters = Counters()

    package init(configuration: WorkerEngineConfiguration) {
        precondition(configuration.maxWorkers > 0, "a worker has at least one slot")
        self.configuration = configuration
        settled = RecentTokens(limit: max(1_024, configuration.maxWorkers * 4))
    }

    // MARK: What others may know

    package var heldCount: Int { held.count }
    /// Calls that can be taken now.
    package var freeCount: Int {
        max(
            0,
            min(configuration.maxWorkers - waitingCount - runningCount, configuration.maxHeld - held.count)
        )
    }
    package var connectionCount: Int { links.count }

    /// Of the connections that lead shards, the one that came last.
    package var leader: ConnectionID? { leaders.leading.last }

    /// The highest epoch under which `leader` leads.
    package var leaderEpoch: Int64? { leader.flatMap { leaders.epoch(of: $0) } }

    /// When `tick` is wanted at the latest.
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

    /// Takes out a call that is not to be made.
    mutating func drop(_ slot: Int32) {
        count(held[slot].state, by: -1)
        slots[held[slot].token] = nil
        timers.remove(slot)
        held.remove(slot)
    }

    /// Forgets an outcome, whatever the result, if the acknowledgement comes from the scheduler that was sent the outcome.
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
