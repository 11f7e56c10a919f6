/// The scheduler's decisions: a value that receives events and returns actions. It reads no clock, uses no socket and
/// never waits; a runner supplies events and performs actions.
///
/// Phases: standby → loading (the lease is held; jobs and open executions are read) → leading → standby …
package struct Dispatcher: ~Copyable {
    let configuration: DispatcherConfiguration
    var leadership: Leadership
    var jobTable = JobTable()
    /// Changes of jobs that are not durable yet, and the requests waiting for them.
    var changes = ChangeQueue()
    var executionTable = ExecutionTable()
    var materializer = Materializer()
    var backlog = Backlog()
    /// The current wait for workers after a take-over; `nil` when it is over.
    var recovery: Recovery?
    var log = CommitLog()
    var pool = WorkerPool()
    var reports = ReportInbox()
    package var counters = Counters()

    /// Counters since the start, for the metrics.
    package struct Counters: Sendable, Hashable {
        package var lateReports: UInt64 = 0
        /// Reports whose token was not issued to the reporting worker.
        package var foreignReports: UInt64 = 0
        /// Reports that contradict themselves or an earlier report.
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

    // MARK: State for other components

    /// The epoch, while leading with a lease that is valid at `boot`.
    package func leadingEpoch(at boot: BootTime) -> Int64? {
        guard case .leading = leadership.phase, leadership.lease.isValid(at: boot) else { return nil }
        return leadership.lease.epoch
    }

    /// The end of the lease; `nil` without a lease.
    package var leaseDeadline: BootTime? { leadership.lease.deadline }

    package var isLeading: Bool { leadership.isLeading }

    package var isReadyToLead: Bool { leadership.clock.isSet }
    package var jobCount: Int { jobTable.visibleCount }
    package var activeJobCount: Int { jobTable.activeCount }
    package var lastFailedCount: Int { jobTable.lastFailedCount }
    package var heapSize: Int { jobTable.heapCount + executionTable.timerCount }
    package var readyQueueDepth: Int { pool.ready.count }
    package var openExecutionCount: Int { executionTable.count }

    /// For how many milliseconds due executions have been waiting because no worker has a free slot; `nil` if none is
    /// waiting.
    package func starvedMs(at boot: BootTime) -> Int64? { pool.starvedSince.map { boot.milliseconds(since: $0) } }

    /// Workers that take no calls because they accept only a later epoch, with that epoch.
    package var disobedientWorkers: [(name: String, epoch: Int64)] {
        pool.roster.workers.values.compactMap { worker in worker.obeyedEpoch.map { (worker.name, $0) } }
    }

    package func clusterTime(at boot: BootTime) -> Timestamp { leadership.clock.time(at: boot) }

    /// The connected workers: connection, calls in flight, free slots, draining.
    package var workers: [(link: ConnectionID, inFlight: Int, freeSlots: Int, isDraining: Bool)] {
        pool.roster.workers.map { ($0.key, $0.value.inFlight, $0.value.freeSlots, $0.value.draining) }
    }

    /// Whether the lease is being released.
    package var isReleasing: Bool { leadership.lease.state == .releasing }

    var now: Timestamp { leadership.now }

    // MARK: Events

    /// Handles an event. Only `tick` acts on the time, so that a turn with many events ends with one tick.
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
