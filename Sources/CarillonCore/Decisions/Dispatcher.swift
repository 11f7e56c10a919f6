/// What a dispatcher is told at its start.
package struct DispatcherConfiguration: Sendable, Hashable {
    /// Random, new at each process start: the owner of the leases that it takes.
    package var owner: UniqueID
    package var leaseMs: Int
    package var horizonMs: Int
    package var maxOpenExecutions: Int
    /// Bytes of a response that workers keep.
    package var responseLimit: Int
    package var connectTimeoutMs: Int
    /// How long outcomes that nobody waits for are gathered after the last batch before the next one takes them.
    package var recordDelayMs: Int

    package init(
        owner: UniqueID,
        leaseMs: Int = 5_000,
        horizonMs: Int = 500,
        maxOpenExecutions: Int = 250_000,
        responseLimit: Int = 4_096,
        connectTimeoutMs: Int = 10_000,
        recordDelayMs: Int = 20
    ) {
        self.owner = owner
        self.leaseMs = leaseMs
        self.horizonMs = horizonMs
        self.maxOpenExecutions = maxOpenExecutions
        self.responseLimit = responseLimit
        self.connectTimeoutMs = connectTimeoutMs
        self.recordDelayMs = recordDelayMs
    }
}

/// The scheduler's decisions: a value that is told what happened and says what is to be done. It reads no clock, touches no
/// socket and waits for nothing; a runner turns the world into its events and its actions into the world.
///
/// Its life: standby → loading (the lease is ours; jobs and open executions are read) → leading → standby …
package struct Dispatcher: ~Copyable {
    enum Phase {
        case standby
        case loading(Loading)
        case leading
    }

    /// What a take-over has read so far.
    struct Loading {
        var shards: [ShardRecord]
        var executions: [Execution] = []
        var gap: Gap?
        var gapRows: [JobID: [GapRow]] = [:]
        /// What is being read, to be asked again when it fails.
        var step: Step = .jobs

        enum Step {
            case jobs
            case openExecutions
            case jobsNamed([JobID])
            case gapRows(Gap)
        }
    }

    /// The end of a job that is not in memory any more.
    struct Deletion {
        var version: Int64
        /// When it was known to be durable.
        var durableAt: Timestamp?

        /// Whether that row may be older than the end: somebody may have changed it by hand meanwhile.
        func follows(_ job: Job) -> Bool {
            guard job.version > version, let durableAt else { return true }
            return job.updatedAt <= durableAt
        }
    }

    /// What workers said of executions whose rows are in a batch that is not yet durable: such a row may turn out to be one
    /// that is over. It is looked at again in every turn. A worker that says it again is heard once.
    struct EarlyReports {
        var held: [Token: (link: LinkID, call: HeldCall, isMadeAgain: Bool)] = [:]
        var outcomes: [Token: (link: LinkID, outcome: CallOutcome)] = [:]

        var isEmpty: Bool { held.isEmpty && outcomes.isEmpty }
    }

    let configuration: DispatcherConfiguration
    var lease: LeaseKeeper
    var clock = ClusterClock()
    var phase = Phase.standby
    var agenda = Agenda()
    var ledger = ExecutionLedger()
    var ready = ReadyQueue()
    var roster = WorkerRoster()
    var catchUp: CatchUp?
    /// The rows that a gap has already are being looked for: nothing of it is worked off before.
    var gapReading: GapReading?
    /// Of the next gap reading.
    var nextGapReading: UInt64 = 1

    /// Every due time up to here has its row in a batch; what is durable of that lags behind by a commit.
    var materializedThrough = Timestamp.distantPast
    /// Where that was when the last batch was closed: later rows are in none that was sent.
    var sealedThrough = Timestamp.distantPast
    /// The earliest execution whose row stayed open because the database refused its end: the marks stay behind it.
    var abandonedTime: Timestamp?
    /// A batch was settled after a stall: rows after this mark are not yet checked.
    var stallEnd: Timestamp?
    /// When the marks in `shards` were last written.
    var marksWrittenAt = BootTime(nanoseconds: 0)
    var nextSequence: UInt64 = 1
    /// When the last batch left.
    var committedAt = BootTime(nanoseconds: 0)
    var nextToken: UInt64 = 1

    /// What a re-read found and is not taken in yet: a part of it with each batch, so that no batch holds up the rest.
    var refreshed: [PlannedJob] = []
    /// How many of them are taken in.
    var refreshedCount = 0

    var pending = PendingBatch()
    var inFlight: InFlightBatch?
    /// Parts of a batch that was refused: written one by one before anything else.
    var parts: [PendingBatch] = []
    /// Reads that a lost leadership left unanswered: their answers, which come first, are not those of the next one.
    var staleLoads = 0
    /// Jobs deleted a short while ago, with the version of their end: a re-read that began before must not bring them back.
    var deletions = (recent: [JobID: Deletion](), older: [JobID: Deletion]())
    var deletionsTurnAt = BootTime(nanoseconds: 0)

    /// Until when inherited executions wait for a worker to claim them; `nil` when that is over.
    var adoptUntil: BootTime?
    /// The workers that may hold what was inherited: when all of them have answered, the waiting ends. `nil` when the leader
    /// before wrote nothing down; then it takes its whole time.
    var awaited: Set<String>?
    /// The epoch that is held, with its proof; `nil` before the lease was ever taken.
    var leadProof: LeadProof?
    var clusterKey = ClusterKey(secret: [])
    /// Higher epochs than this are asked for: some worker obeys it.
    var epochFloor: Int64 = 0
    /// AT_MOST_ONCE calls became missing, or a worker has come back: somebody may know of them.
    var isClaimQueryDue = false
    /// Cancel requests that wait for the end of their execution.
    var pendingCancels: [PendingCancel] = []
    /// Tokens of late reports whose rows are being read.
    var lookups: Set<Token> = []
    /// A scheduler that has usable workers, by the last answer of the lease, and when that came.
    var standby: (owner: UniqueID, at: BootTime)?
    /// Since when no worker is connected.
    var workerlessSince: BootTime?
    /// When this process last gave the lead to another one.
    var handedOverAt: BootTime?
    /// Since when executions are due, no worker has a free slot, and nothing was dispatched.
    var starvedSince: BootTime?
    var dispatchCount: UInt64 = 0
    /// The instant of the current event.
    var nowBoot = BootTime(nanoseconds: 0)
    var isMaterializationHeld = false
    var isStopping = false
    var hasStopped = false

    /// The latest instant of cluster time that anything was decided at: it never goes back but for a step of the clock.
    var nowMicroseconds: Int64 = 0
    /// Reports that wait for a row.
    var early = EarlyReports()
    /// Rows that were taken over, whose times are still to come and are none of their jobs': the clock went back to before a
    /// change that had left them due.
    var earlierRows: [JobID: Set<ExecutionID>] = [:]
    var outgoing: [LinkID: [DispatchedCall]] = [:]
    var acknowledgements: [LinkID: [AcknowledgedOutcome]] = [:]

    package var figures = Figures()

    /// Counts since the start, for the metrics.
    package struct Figures: Sendable, Hashable {
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
        self.lease = LeaseKeeper(leaseMs: configuration.leaseMs)
    }

    // MARK: What others may see

    /// The epoch, while leading with a lease that is valid at `boot`.
    package func leadingEpoch(at boot: BootTime) -> Int64? {
        guard case .leading = phase, lease.isValid(at: boot) else { return nil }
        return lease.epoch
    }

    /// Until when what this leader says may be believed; `nil` without a lease.
    package var leaseDeadline: BootTime? { lease.deadline }

    package var isLeading: Bool {
        if case .leading = phase { true } else { false }
    }

    package var isReadyToLead: Bool { clock.isSet }
    package var jobCount: Int { agenda.visibleCount }
    package var activeJobCount: Int { agenda.activeCount }
    package var lastFailedCount: Int { agenda.lastFailedCount }
    package var heapSize: Int { agenda.heapCount + ledger.timerCount }
    package var readyQueueDepth: Int { ready.count }
    package var openExecutionCount: Int { ledger.count }

    /// For how many milliseconds executions have been due while none was dispatched, for want of a free slot; `nil` when that is
    /// not so.
    package func starvedMs(at boot: BootTime) -> Int64? { starvedSince.map { boot.milliseconds(since: $0) } }

    /// Workers that obey a later epoch than ours and take no calls, with that epoch.
    package var disobedientWorkers: [(name: String, epoch: Int64)] {
        roster.workers.values.compactMap { worker in worker.obeyedEpoch.map { (worker.name, $0) } }
    }

    package func clusterTime(at boot: BootTime) -> Timestamp { clock.time(at: boot) }

    /// The connected workers as (link, in flight, free slots, draining).
    package var workers: [(link: LinkID, inFlight: Int, freeSlots: Int, isDraining: Bool)] {
        roster.workers.map { ($0.key, $0.value.inFlight, $0.value.freeSlots, $0.value.draining) }
    }

    /// Whether the lease is on its way back.
    package var isReleasing: Bool { lease.state == .releasing }

    var now: Timestamp { Timestamp(milliseconds: nowMicroseconds / 1000) }

    // MARK: Events

    /// Takes in an event. Only `tick` makes the clock's decisions, so a turn of many events ends in one.
    package mutating func handle(
        _ event: Event,
        at now: Now,
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        nowMicroseconds = max(nowMicroseconds, clock.microseconds(at: now.boot))
        nowBoot = max(nowBoot, now.boot)
        switch event {
        case .tick:
            tick(at: now, using: &random, into: &actions)
        case .leaseAnswered(let result, let sentAt):
            leaseAnswered(result, sentAt: sentAt, at: now, into: &actions)
        case .leaseConnectionLost(let text):
            stepDown(text, at: now, into: &actions)
            lease.lost(at: now.boot)
        case .leaseReleased:
            lease.wasReleased()
        case .jobsLoaded(let jobs, let isLast):
            jobsLoaded(jobs, isLast: isLast, at: now, into: &actions)
        case .openExecutionsLoaded(let executions, let isLast):
            openExecutionsLoaded(executions, isLast: isLast, at: now, into: &actions)
        case .gapRowsLoaded(let rows, let isLast):
            gapRowsLoaded(rows, isLast: isLast, at: now, into: &actions)
        case .loadFailed(let text):
            if staleLoads > 0 { staleLoads -= 1 } else { loadFailed(text, into: &actions) }
        case .committed(let result, let epoch, let sequence):
            guard epoch == lease.epoch, let batch = inFlight, batch.sequence == sequence else { return }
            committed(result, batch, at: now, into: &actions)
        case .jobsRefreshed(let jobs):
            if isLeading { refreshed.append(contentsOf: jobs) }
        case .executionFound(let execution, let outcome, let worker, let link):
            executionFound(execution, outcome: outcome, worker: worker, link: link)
        case .executionNotRead(let outcome, let worker, let link):
            if case .leading = phase { actions.append(.findExecution(outcome, worker: worker, link: link)) }
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
            roster.readClock(of: link, microseconds, sentAt: sentAt, receivedAt: receivedAt)
        case .workerReported(let link, let outcomes):
            workerReported(link, outcomes, using: &random, into: &actions)
        case .workerDrained(let link):
            roster.modify(link) { $0.draining = true }
        case .workerLeft(let link):
            workerLeft(link, at: now, into: &actions)
        case .changeRequested(let ticket, let request):
            changeRequested(ticket, request, at: now, into: &actions)
        case .stopRequested:
            isStopping = true
        }
    }

    /// When `tick` wants to be called next, if nothing else happens.
    package func wake(after now: Now) -> BootTime? {
        var wake = lease.wake(after: now.boot)
        func consider(_ time: BootTime?) {
            guard let time else { return }
            wake = min(wake ?? time, time)
        }
        guard case .leading = phase else { return wake }
        consider(adoptUntil)
        consider(roster.wake)
        consider(ledger.firstDeadline)
        consider(pendingCancels.map(\.until).min())
        consider(unansweredWake)
        // Without the lease nothing is done whose time has come: the answer to the renewal will say how it goes on.
        guard lease.isValid(at: now.boot) else { return wake }
        if clock.isSet {
            consider(ledger.firstTimer.map { clock.boot(at: $0) })
            if !isStopping, !isMaterializationHeld, !isBatchStalled, pending.rowCount < batchLimit {
                consider(agenda.firstTime.map { clock.boot(at: $0 - horizonMs) })
            }
        }
        if inFlight == nil {
            consider(marksWrittenAt + marksIntervalMs)
            if !pending.isEmpty { consider(committedAt + Int64(configuration.recordDelayMs)) }
        }
        return wake
    }

    /// How many rows a batch may hold before the rest waits for the next one.
    var batchLimit: Int { 5_000 }

    /// How often the marks in `shards` move on while nothing else is written.
    var marksIntervalMs: Int64 { 5_000 }

    /// How far ahead rows are made: further when many jobs may be due at once, so that a herd's rows are durable in time.
    var horizonMs: Int64 {
        agenda.activeCount > 5_000 ? max(2_000, Int64(configuration.horizonMs)) : Int64(configuration.horizonMs)
    }

    /// Looks at the clocks and does what is due, in the order in which an execution lives.
    private mutating func tick(
        at now: Now,
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        if case .leading = phase {
            endPartings(at: now, into: &actions)
            endOverdueCalls(into: &actions)
            answerLateCancels(into: &actions)
            answerLateChanges(into: &actions)
            assumeAnswers(into: &actions)
            takeEarly(using: &random, into: &actions)
            endAdoption(at: now)
            forgetDeletions(at: now)
            if lease.isValid(at: now.boot) {
                endStall(into: &actions)
                if !isStopping {
                    takeRefreshed(into: &actions)
                    materialize(into: &actions)
                    workOffGap(into: &actions)
                }
                collectDue(at: now)
                dispatchReady()
                queryClaims(into: &actions)
                recordWorkers()
                writeMarks(at: now)
                commit(at: now, into: &actions)
            }
            flush(at: now, into: &actions)
            handOverIfUseless(at: now, into: &actions)
            stopIfDone(into: &actions)
        } else if isStopping {
            stopIfDone(into: &actions)
        }
        guard !isStopping || lease.epoch != nil else { return }
        switch lease.next(at: now.boot) {
        case .acquire:
            actions.append(.acquireLease(above: epochFloor, usableWorkers: usableWorkers(at: now.boot)))
        case .renew(let epoch): actions.append(.renewLease(epoch: epoch))
        case .release, nil: break
        }
    }

    /// Ends the process once what was begun is durable: nothing more is dispatched, and no batch is on its way.
    private mutating func stopIfDone(into actions: inout [Action]) {
        guard isStopping, !hasStopped else { return }
        if case .leading = phase, inFlight != nil || !pending.isEmpty || !parts.isEmpty, lease.epoch != nil { return }
        hasStopped = true
        for link in roster.workers.keys.sorted() {
            if let leadProof { actions.append(.announceLead(link, leadProof, shards: [])) }
        }
        if case .release(let epoch) = lease.release() {
            actions.append(.releaseLease(epoch: epoch))
        }
        phase = .standby
        actions.append(.stopped)
    }

    /// Sends what was gathered in this turn: one message a worker.
    private mutating func flush(at now: Now, into actions: inout [Action]) {
        for (link, calls) in outgoing.sorted(by: { $0.key < $1.key }) where !calls.isEmpty {
            actions.append(.dispatch(link, clusterTime: self.now, calls))
        }
        outgoing.removeAll(keepingCapacity: true)
        for (link, outcomes) in acknowledgements.sorted(by: { $0.key < $1.key }) where !outcomes.isEmpty {
            actions.append(.acknowledge(link, outcomes))
        }
        acknowledgements.removeAll(keepingCapacity: true)
    }

    /// Changes the state of an execution, and with it whether it counts as open for its job.
    mutating func move(_ slot: Int32, to state: OpenExecution.State) {
        if case .dispatched = ledger[slot].state { ledger.clearDeadline(slot) }
        ledger[slot].state = state
        let (wasCounted, isOpen) = (ledger[slot].countsAsOpen, ledger[slot].isOpen)
        guard wasCounted != isOpen else { return }
        ledger[slot].countsAsOpen = isOpen
        agenda.countOpen(ledger[slot].job, by: isOpen ? 1 : -1)
    }

    /// Takes an execution into the ledger.
    @discardableResult
    mutating func enter(_ open: OpenExecution) -> Int32 {
        var open = open
        open.countsAsOpen = open.isOpen
        agenda.countExecution(open.job, by: 1)
        if open.countsAsOpen { agenda.countOpen(open.job, by: 1) }
        return ledger.insert(open)
    }

    /// Takes an execution out of the ledger, and its job with it when that was all that kept it.
    @discardableResult
    mutating func leave(_ slot: Int32) -> OpenExecution {
        let open = takeOut(slot)
        forgetJobIfIdle(open.job)
        return open
    }

    /// The same for one whose job is still to be worked with.
    @discardableResult
    mutating func takeOut(_ slot: Int32) -> OpenExecution {
        let open = ledger.remove(slot)
        if open.countsAsOpen { agenda.countOpen(open.job, by: -1) }
        agenda.countExecution(open.job, by: -1)
        return open
    }

    /// A deleted or hidden job stays in memory only as long as an execution needs it.
    mutating func forgetJobIfIdle(_ job: Int32) {
        let record = agenda[job]
        guard record.deleted || record.hidden, record.executionCount == 0 else { return }
        if record.deleted { deletions.recent[record.id] = Deletion(version: record.version) }
        catchUp?.disarm(job)
        agenda.remove(job)
    }
}
