/// The scheduler's decisions: a value that is told what happened and says what is to be done. It reads no clock, touches no
/// socket and waits for nothing; a runner turns the world into its events and its actions into the world.
///
/// Its life: standby → loading (the lease is ours; jobs and open executions are read) → leading → standby …
package struct Dispatcher: ~Copyable {
    let configuration: DispatcherConfiguration
    var leadership: Leadership
    var jobTable = JobTable()
    /// Changes of jobs that are not durable yet, and the requests behind them.
    var changes = ChangeQueue()
    var executionTable = ExecutionTable()
    var materializer = Materializer()
    var backlog = Backlog()
    /// What a take-over waits for; `nil` when that is over.
    var recovery: Recovery?
    var log = CommitLog()
    var pool = WorkerPool()
    var reports = ReportInbox()
    package var counters = Counters()

    /// Counts since the start, for the metrics.
    package struct Counters: Sendable, Hashable {
        package var lateReports: UInt64 = 0
        /// Reports whose token was not issued to the worker that sent them.
        package var foreignReports: UInt64 = 0
        /// Reports that contradict themselves or an earlier one.
        package var invalidReports: UInt64 = 0
        /// Calls that were not reported within their timeout and a grace period.
        package var overdueCalls: UInt64 = 0
        package var lostAttempts: UInt64 = 0
        package var succeededAttempts: UInt64 = 0
        package var failedAttempts: UInt64 = 0
        package var unsentAttempts: UInt64 = 0
        package var cancelledAttempts: UInt64 = 0
        package var returnedAttempts: UInt64 = 0

        package init() {}
    }

    package init(configuration: DispatcherConfiguration) {
        self.configuration = configuration
        leadership = Leadership(leaseMs: configuration.leaseMs)
    }

    // MARK: What others may see

    /// The epoch, while leading with a lease that is valid at `boot`.
    package func leadingEpoch(at boot: BootTime) -> Int64? {
        guard case .leading = leadership.phase, leadership.lease.isValid(at: boot) else { return nil }
        return leadership.lease.epoch
    }

    /// Until when what this leader says may be believed; `nil` without a lease.
    package var leaseDeadline: BootTime? { leadership.lease.deadline }

    package var isLeading: Bool { leadership.isLeading }

    package var isReadyToLead: Bool { leadership.clock.isSet }
    package var jobCount: Int { jobTable.visibleCount }
    package var activeJobCount: Int { jobTable.activeCount }
    package var lastFailedCount: Int { jobTable.lastFailedCount }
    package var heapSize: Int { jobTable.heapCount + executionTable.timerCount }
    package var readyQueueDepth: Int { pool.ready.count }
    package var openExecutionCount: Int { executionTable.count }

    /// For how many milliseconds executions have been due while none was dispatched, for want of a free slot; `nil` when that is
    /// not so.
    package func starvedMs(at boot: BootTime) -> Int64? { pool.starvedSince.map { boot.milliseconds(since: $0) } }

    /// Workers that obey a later epoch than ours and take no calls, with that epoch.
    package var disobedientWorkers: [(name: String, epoch: Int64)] {
        pool.roster.workers.values.compactMap { worker in worker.obeyedEpoch.map { (worker.name, $0) } }
    }

    package func clusterTime(at boot: BootTime) -> Timestamp { leadership.clock.time(at: boot) }

    /// The connected workers as (link, in flight, free slots, draining).
    package var workers: [(link: ConnectionID, inFlight: Int, freeSlots: Int, isDraining: Bool)] {
        pool.roster.workers.map { ($0.key, $0.value.inFlight, $0.value.freeSlots, $0.value.draining) }
    }

    /// Whether the lease is on its way back.
    package var isReleasing: Bool { leadership.lease.state == .releasing }

    var now: Timestamp { leadership.now }

    // MARK: Events

    /// Takes in an event. Only `tick` makes the clock's decisions, so a turn of many events ends in one.
    package mutating func handle(
        _ event: Event,
        at now: Now,
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        leadership.advance(to: now.boot)
        switch event {
        case .tick:
            tick(at: now, using: &random, into: &actions)
        case .leaseAnswered(let result, let sentAt):
            leaseAnswered(result, sentAt: sentAt, at: now, into: &actions)
        case .leaseConnectionLost(let text):
            stepDown(text, at: now, into: &actions)
            leadership.lease.lost(at: now.boot)
        case .leaseReleased:
            leadership.lease.wasReleased()
        case .jobsLoaded(let jobs, let isLast):
            jobsLoaded(jobs, isLast: isLast, at: now, into: &actions)
        case .openExecutionsLoaded(let executions, let isLast):
            openExecutionsLoaded(executions, isLast: isLast, at: now, into: &actions)
        case .outageRowsLoaded(let rows, let isLast):
            outageRowsLoaded(rows, isLast: isLast, at: now, into: &actions)
        case .loadFailed(let text):
            if !leadership.isStale(true) { loadFailed(text, into: &actions) }
        case .committed(let result, let epoch, let sequence):
            guard epoch == leadership.lease.epoch, let sent = log.take(sequence) else { return }
            committed(result, sent, at: now, into: &actions)
        case .jobsRefreshed(let jobs):
            if isLeading { changes.noteFound(jobs) }
        case .jobRead(let planned):
            jobRead(planned, at: now, into: &actions)
        case .executionFound(let execution, let outcome, let worker, let link):
            executionFound(execution, outcome: outcome, worker: worker, link: link)
        case .executionNotRead(let outcome, let worker, let link):
            if case .leading = leadership.phase { actions.append(.findExecution(outcome, worker: worker, link: link)) }
        case .workerJoined(let link, let name, let bootID, let maxWorkers, let features):
            workerJoined(link, name: name, bootID: bootID, maxWorkers, features, at: now, into: &actions)
        case .workerHeld(let link, let epoch, let held):
            workerHeld(link, epoch: epoch, held, into: &actions)
        case .workerGranted(let link, let granted):
            workerGranted(link, granted, into: &actions)
        case .workerStarted(let link, let tokens):
            workerStarted(link, tokens)
        case .workerRefusedLead(let link, let epoch, let highest):
            workerRefusedLead(link, epoch: epoch, highest: highest, at: now, into: &actions)
        case .workerAnsweredClaims(let link, let rememberedMs, let claims):
            workerAnsweredClaims(link, rememberedMs: rememberedMs, claims)
        case .workerClockRead(let link, let microseconds, let sentAt, let receivedAt):
            pool.roster.readClock(of: link, microseconds, sentAt: sentAt, receivedAt: receivedAt)
        case .workerReported(let link, let outcomes):
            workerReported(link, outcomes, using: &random, into: &actions)
        case .workerDrained(let link):
            pool.roster.modify(link) { $0.draining = true }
        case .workerLeft(let link):
            workerLeft(link, at: now, into: &actions)
        case .changeRequested(let requestID, let request):
            changeRequested(requestID, request, at: now, into: &actions)
        case .stopRequested:
            leadership.isStopping = true
        }
    }
}
