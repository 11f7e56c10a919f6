import CarillonCore
import TestSupport

/// Judges a run by the guarantees alone. It knows what was committed, sent, answered and said, and works everything else
/// out in its own, naive way; it shares no decision with the engine.
final class Oracle {
    /// While a job had one definition: due after `from`, up to `to`, and within the job's own bounds.
    struct Period {
        var schedule: NaiveSchedule
        var startsAt: Timestamp?
        var endsAt: Timestamp?
        var from: Timestamp
        var to: Timestamp?

        func contains(_ time: Timestamp, toleranceMs: Int64 = 0) -> Bool {
            time > from - toleranceMs && (to.map { time <= $0 + toleranceMs } ?? true)
                && (startsAt.map { time >= $0 } ?? true) && (endsAt.map { time <= $0 } ?? true)
                && time.milliseconds % 1_000 == 0 && schedule.isDue(time.seconds)
        }

        /// Its due times from `first` to `last`, one second after the other.
        func times(from first: Timestamp, through last: Timestamp) -> [Timestamp] {
            guard first <= last else { return [] }
            return (first.seconds...last.seconds).map { Timestamp(seconds: $0) }
                .filter { $0 >= first && contains($0) }
        }
    }

    /// What a worker remembers of an AT_MOST_ONCE call.
    private struct AttemptKey: Hashable {
        var execution: ExecutionID
        var attempt: Int

        init(_ call: DispatchedCall) { (execution, attempt) = (call.executionID, call.attempt) }
    }

    /// A change by hand that no scheduler has found yet.
    struct Unsettled {
        /// From when on its job's due times are uncertain.
        var from: Timestamp
        /// Microseconds since the beginning.
        var at: Int64
        /// Of the row that was written.
        var version: Int64
    }

    unowned let world: World
    /// The definitions that hold by the schedulers' own writes and reads.
    var known: [JobID: Job] = [:]
    var unsettled: [JobID: Unsettled] = [:]
    var uncertain: [JobID: [Outage]] = [:]
    /// Definitions that somebody wrote by hand.
    var edited: [JobID: [Period]] = [:]
    private(set) var problems: [String] = []
    var periods: [JobID: [Period]] = [:]
    /// Each ends_at that a job ever had.
    private(set) var endings: [JobID: [Timestamp]] = [:]
    private var schedules: [String: NaiveSchedule] = [:]
    private(set) var outcomes: [DispatchToken: CallOutcome] = [:]
    private(set) var latestToken: [ExecutionID: DispatchToken] = [:]
    /// When the database's clock was last set, by a good clock.
    private var clockSetAt: Int64?
    /// Times that came more than once, by the database's clock.
    private var repeated: [Outage] = []
    /// When it was set back while a scheduler was not awake to see it.
    private(set) var unseenStepsBack: [Int64] = []
    /// Executions whose request was sent AT_MOST_ONCE.
    private var sentOnce: [ExecutionID: DispatchToken] = [:]
    /// Each start deadline that a job ever had, in milliseconds; 0 for none.
    var startDeadlines: [JobID: Set<Int64>] = [:]
    /// Jobs that were AT_MOST_ONCE at some time.
    var once: Set<JobID> = []
    private var requests: [ExecutionID: Int] = [:]
    private var dispatchedAt: [DispatchToken: Int64] = [:]
    private(set) var executionOf: [DispatchToken: ExecutionID] = [:]
    private var scheduledTimes: [ExecutionID: Timestamp] = [:]
    var acknowledgedTokens: Set<DispatchToken> = []
    private(set) var dispatchCounts: [ExecutionID: Int] = [:]
    private var attemptNumbers: [DispatchToken: Int] = [:]
    var writers: [Int64: UniqueID] = [:]
    /// Dispatched by one who did not lead any more, or over a connection that is gone: nobody need know of them.
    private var strays: Set<DispatchToken> = []
    private var disturbedAt: [String: Int64] = [:]
    private(set) var leaderChangedAt: Int64 = -1
    /// When each claim became durable, or each call was dispatched.
    var begunAt: [DispatchToken: (time: Int64, elapsed: Int64)] = [:]
    var notedOutages: [UniqueID: [NotedOutage]] = [:]
    var madeByChanges: Set<ExecutionID> = []
    /// While a change that was refused in the end was thought to hold.
    var refusedChanges: [JobID: [Outage]] = [:]
    /// Executions that were made from an outage in each epoch, and are not over.
    var paced: [Int64: Set<ExecutionID>] = [:]
    /// Executions that were given to a worker that lies: what it says of them cannot be checked.
    private(set) var givenToLiar: Set<ExecutionID> = []
    /// Since when which schedulers know how the clock of which worker's process relates to theirs.
    private var clocksRead: [UniqueID: [UniqueID: Int64]] = [:]
    /// When each call began, by the database's clock.
    private var trueStarts: [DispatchToken: Timestamp] = [:]
    /// The highest epoch that each worker has heard of.
    private var epochs: [String: Int64] = [:]
    var lost = LostHistory()
    /// When a request last arrived at a target.
    private(set) var requestedAt: Int64 = 0
    /// The worker processes that sent the request of an AT_MOST_ONCE attempt.
    private var sentBy: [AttemptKey: Set<UniqueID>] = [:]

    init(world: World) {
        self.world = world
    }

    func require(_ condition: Bool, _ text: @autoclosure () -> String) {
        guard !condition, problems.count < 20 else { return }
        problems.append("at \(Double(world.time) / 1_000_000) s: \(text())")
    }

    // MARK: What happens

    func disturbed(worker: String) { disturbedAt[worker] = world.time }
    func workerEnded(_ name: String) {
        disturbed(worker: name)
        epochs[name] = nil
    }
    func leaderChanged() { leaderChangedAt = world.time }

    /// To be told after the step.
    func clockStepped(_ milliseconds: Int64) {
        clockSetAt = world.elapsed
        guard milliseconds < 0 else { return }
        repeated.append(Outage(from: world.databaseTime, to: world.databaseTime - milliseconds))
        if world.schedulers.contains(where: \.isPaused) { unseenStepsBack.append(world.time) }
    }

    /// Whether that time came more than once, by the database's clock. Rows are made for a little ahead.
    func isRepeated(_ time: Timestamp) -> Bool { isRepeated(from: time, through: time) }

    func isRepeated(from: Timestamp, through: Timestamp) -> Bool {
        repeated.contains { through > $0.from - 2_000 && from < $0.to + 2_000 }
    }

    /// Whether any time came more than once.
    var hasRepeatedTimes: Bool { !repeated.isEmpty }

    /// Whether the database's clock was not set since then, nor so shortly before that a leader need not know of it.
    func isSteady(since elapsed: Int64) -> Bool { clockSetAt.map { $0 < elapsed - 15_000_000 } ?? true }

    /// Whether it was not set for a while.
    var isSteady: Bool { isSteady(since: world.elapsed) }

    func noted(_ logEvent: DispatcherLogEvent, by scheduler: SchedulerProcess) {
        if case .outageOpened(let outage) = logEvent { noticed(outage, by: scheduler) }
        // A leader may learn of a step long after it happened.
        guard case .clockStepped(let milliseconds) = logEvent, milliseconds < 0 else { return }
        wentBack(scheduler)
        repeated.append(Outage(from: world.databaseTime, to: world.databaseTime - milliseconds))
    }

    /// Whether something happened since, after which nobody can be expected to know of that dispatch.
    func isDisturbed(_ token: DispatchToken, _ worker: String) -> Bool {
        let since = dispatchedAt[token] ?? 0
        return strays.contains(token) || leaderChangedAt >= since || (disturbedAt[worker] ?? -1) >= since
    }

    func dispatched(
        _ calls: [DispatchedCall],
        by scheduler: SchedulerProcess,
        to worker: String?,
        isConnected: Bool
    ) {
        let shard = world.database.store.shards[0]
        for call in calls {
            judgeStart(of: call, by: scheduler)
            if isLiar(worker) { givenToLiar.insert(call.executionID) }
            require(executionOf[call.token] == nil, "G5: token \(call.token) was used twice")
            executionOf[call.token] = call.executionID
            scheduledTimes[call.executionID] = call.scheduledTime
            dispatchCounts[call.executionID, default: 0] += 1
            dispatchedAt[call.token] = world.time
            begunAt[call.token] = begunAt[call.token] ?? (world.time, world.elapsed)
            latestToken[call.executionID] = lost.later(latestToken[call.executionID], call.token)
            lost.dispatched(call)
            if shard.epoch != call.token.epoch { world.count("dispatched in an epoch that is over") }
            if shard.epoch != call.token.epoch || !isConnected { strays.insert(call.token) }
            if isSteady, !scheduler.hasStoodStill, shard.epoch == call.token.epoch {
                let isValid =
                    (shard.leaseExpiresAt ?? .distantPast) > world.databaseTime
                    || lost.hasLease(call.token, at: world.databaseTime)
                require(isValid, "§5: \(call.executionID) was dispatched without a lease")
            }
            if call.atMostOnce {
                let row = world.database.store.executions[call.executionID]
                require(
                    row?.status == .running && row?.token == call.token || (row?.status.isFinal ?? false)
                        || lost.claims.contains(call.token),
                    "G3: \(call.executionID) was dispatched without a durable claim"
                )
            }
        }
    }

    func isLiar(_ worker: String?) -> Bool { world.workers.contains { $0.isLiar && $0.name == worker } }

    /// A heartbeat told a scheduler what the clock of a worker shows.
    func readClock(of name: String, by scheduler: SchedulerProcess) {
        guard let worker = world.workers.first(where: { $0.name == name }) else { return }
        if clocksRead[scheduler.owner]?[worker.bootID] == nil {
            clocksRead[scheduler.owner, default: [:]][worker.bootID] = world.time
        }
    }

    /// By how much a clock drifts between two looks at the database's.
    private let driftMs: Int64 = 20
    /// How early a call may be: when the database's clock was set back, what is under a second is made up for slowly
    /// (design § 5, Clocks).
    private var earlyMs: Int64 { repeated.isEmpty ? driftMs : 1_000 + driftMs }

    /// A scheduler's word reached a worker.
    func heard(_ worker: String, leaderOf epoch: Int64) { epochs[worker] = max(epochs[worker] ?? 0, epoch) }

    /// Whether a worker has heard of a later epoch.
    func isOver(_ epoch: Int64, for worker: String) -> Bool { epoch < epochs[worker] ?? 0 }

    /// A worker's call is on its way.
    func began(_ call: DispatchedCall, by worker: String) {
        trueStarts[call.token] = world.databaseTime
        require(
            !isOver(call.token.epoch, for: worker),
            "G5: \(worker) took a call of epoch \(call.token.epoch), and had heard of a later one"
        )
    }

    func requested(_ call: DispatchedCall, by worker: String, _ process: UniqueID) {
        let store = world.database.store
        requests[call.executionID, default: 0] += 1
        requestedAt = world.time
        guard !givenToLiar.contains(call.executionID) else { return }
        // One that was dispatched when its job was AT_LEAST_ONCE may be sent however late.
        if let claim = sentOnce[call.executionID], call.token >= claim {
            // The process that sent it refuses the same attempt; only a row tells another process of the claim.
            let isRefused = call.atMostOnce && sentBy[AttemptKey(call), default: []].contains(process)
            require(
                lost.claims.contains(claim) && !isRefused,
                "G3: \(call.executionID) was sent AT_MOST_ONCE, and again"
            )
            world.count("AT_MOST_ONCE call repeated after its claim was lost")
        }
        if call.atMostOnce {
            sentOnce[call.executionID] = call.token
            sentBy[AttemptKey(call), default: []].insert(process)
        }
        guard let row = store.executions[call.executionID], let job = store.jobs[call.jobID] else {
            require(
                isRepeated(call.scheduledTime) || lost.hasRow(call.executionID, of: call.token),
                "G1: \(call.executionID) was called without a row"
            )
            return
        }
        if row.trigger == .schedule, !isRepeated(row.scheduledTime) {
            let isDue =
                periods[job.id, default: []].contains { $0.contains(row.scheduledTime, toleranceMs: driftMs) }
                || isDueByAny(job.id, row.scheduledTime) || lost.called.contains(row.id)
            require(
                isDue,
                "G7: \(job.name ?? "") was called for \(row.scheduledTime.milliseconds), which is no due time of it"
            )
            require(
                !isSteady || row.scheduledTime <= world.databaseTime + earlyMs,
                "G7: \(call.executionID) was called \(row.scheduledTime - world.databaseTime) ms early"
            )
        }
        guard job.overlapPolicy == .skip else { return }
        for (token, other) in world.target.running.sorted(by: { $0.key < $1.key })
        where other.call.jobID == job.id && other.call.executionID != call.executionID
            && !givenToLiar.contains(other.call.executionID)
            && !overlapsLostCall(call.executionID, other.call.executionID)
        {
            require(
                isDisturbed(token, other.worker) || isDisturbed(call.token, worker),
                "overlap: \(call.executionID) was called while \(other.call.executionID) of \(job.name ?? "") ran"
            )
        }
        // A worker that was given up may still make its calls.
        if !isDisturbed(call.token, worker) { checkRetries(before: row, of: job, store) }
    }

    /// No other execution may begin while one waits for its retry.
    private func checkRetries(before row: Execution, of job: Job, _ store: MemoryStore) {
        for other in store.executions.values
        where other.status == .retrying && other.jobID == job.id && other.id != row.id
            && !givenToLiar.contains(other.id) && !overlapsLostCall(row.id, other.id)
        {
            let next = other.nextAttemptAt ?? .distantPast
            let isSettled = other.attempts == requests[other.id, default: 0] && other.lostAttempts == 0
            guard isSettled, isSteady, next > world.databaseTime + 50, !world.clients.cancelled.contains(other.id),
                let token = other.token, !isDisturbed(token, other.worker ?? ""), job.active,
                !world.clients.ended.contains(job.id)
            else { continue }
            require(false, "overlap: \(row.id) was called while \(other.id) of \(job.name ?? "") waited for its retry")
        }
    }

    func ended(_ outcome: CallOutcome) { outcomes[outcome.token] = outcome }

    func isSuccess(_ outcome: CallOutcome) -> Bool { outcome.kind == .answered && outcome.httpStatus == 200 }

    func acknowledged(_ acknowledged: [AcknowledgedOutcome], to worker: String?, by scheduler: SchedulerProcess) {
        guard !isLiar(worker) else { return }
        for (token, result) in acknowledged.map({ ($0.token, $0.result) }) {
            require(
                executionOf[token].map(givenToLiar.contains) ?? true || result != .notIssued && result != .invalid,
                "G6: the outcome of \(token) was not accepted: \(result)"
            )
            guard result != .notIssued else { continue }
            if let id = executionOf[token], lost.hasOutcome(of: id, writtenBy: scheduler.owner) { continue }
            acknowledgedTokens.insert(token)
            if let id = executionOf[token], givenToLiar.contains(id) { continue }
            // That a call was stopped does not say whether its request arrived.
            guard let outcome = outcomes[token], outcome.kind != .notStarted, outcome.kind != .cancelled else {
                continue
            }
            let row = world.database.store.executions[outcome.executionID]
            if row?.status == .unknown, row?.token == token {
                require(false, "G4: the outcome of \(outcome.executionID) was acknowledged, its row says UNKNOWN")
            }
            guard isSuccess(outcome), latestToken[outcome.executionID] == token,
                !isDisturbed(token, row?.worker ?? "")
            else { continue }
            require(
                row?.status.isFinal ?? false,
                "G4: the outcome of \(outcome.executionID) was acknowledged before it was durable"
            )
        }
    }

    func told(of executions: [Execution], by scheduler: SchedulerProcess) {
        for execution in executions where execution.status.isFinal {
            if lost.hasOutcome(of: execution.id, writtenBy: scheduler.owner) { continue }
            let row = world.database.store.executions[execution.id]
            require(row?.status.isFinal ?? false, "G4: \(execution.id) was told of before it was durable")
        }
    }

    func answered(_ result: ChangeResult, by scheduler: SchedulerProcess) {
        if lost.holds(result, writtenBy: scheduler.owner) { return }
        let store = world.database.store
        switch result {
        case .job(let job):
            require(
                (store.jobs[job.id]?.version ?? 0) >= job.version,
                "G4: a change of \(job.name ?? "") was answered and is not there"
            )
        case .deleted(let id):
            require(store.jobs[id]?.deletedAt != nil, "G4: a deletion was answered and has not been made")
        case .execution(let execution):
            guard let row = store.executions[execution.id] else {
                return require(
                    isRepeated(execution.scheduledTime),
                    "G4: \(execution.id) was answered and has no row"
                )
            }
            require(
                !execution.status.isFinal || row.status.isFinal,
                "G4: \(execution.id) was answered before it was durable"
            )
        case .stale, .notOpen, .refused:
            break
        }
    }

    func committed(_ batch: WriteBatch, before: [ExecutionID: Execution]) {
        require(
            writers[batch.epoch, default: batch.owner] == batch.owner,
            "G5: two schedulers wrote in epoch \(batch.epoch)"
        )
        writers[batch.epoch] = batch.owner
        let rows = before.values.sorted { $0.id < $1.id }
        for row in rows where row.status.isFinal && row.status != .unknown {
            let after = world.database.store.executions[row.id]
            require(after == row, "G6: \(row.id) was settled and has changed")
        }
        for row in rows { countAttempts(of: row, then: world.database.store.executions[row.id]) }
        for change in batch.changes {
            guard let job = change.job else { continue }
            let isFuture = change.withdrawals.allSatisfy { $0.time > job.effectiveFrom || isRepeated($0.time) }
            require(isFuture, "G1: a change of \(job.name ?? "") withdrew what was due before it")
            settled(job.id)
            begin(job)
        }
        for row in batch.updates { judgeTimes(of: row, writtenBy: batch.owner) }
        judgeEvidence(of: batch, before: before)
    }

    /// A batch leaves for the database. What waited behind one that was not answered for long is none of its rows: those times
    /// were missed.
    func submitted(_ batch: WriteBatch, by scheduler: SchedulerProcess) {
        // A change keeps the rows of the definition that it ends, and so do parts of a batch that was refused.
        guard world.options.changesPerSecond == 0, world.options.refusedTexts == 0, isGoodTime(for: scheduler) else {
            return
        }
        for row in batch.inserts where row.trigger == .schedule && row.status == .pending {
            guard dispatchCounts[row.id] == nil, !batch.changes.contains(where: { $0.job?.id == row.jobID }) else {
                continue
            }
            let age = world.databaseTime - row.createdAt
            require(age < 9_000, "G8: the row of \(row.id) has waited \(age) ms behind a batch")
        }
    }

    private func isGoodTime(for scheduler: SchedulerProcess) -> Bool {
        world.options.clockStepsPerSecond == 0 && world.options.handEditsPerSecond == 0 && !scheduler.hasStoodStill
            && scheduler.slumberMs == 0 && world.options.suspends == 0
    }

    /// A worker that reports nothing for so long has lost its calls.
    func judgeSilence() {
        // Without another worker its calls wait.
        guard world.options.writerStallsPerSecond == 0, world.options.storeStallsPerSecond == 0,
            world.options.workers > 1
        else { return }
        for row in world.database.store.executions.values.sorted(by: { $0.id < $1.id }) where !row.status.isFinal {
            guard let token = latestToken[row.id], let since = dispatchedAt[token], since > leaderChangedAt,
                givenToLiar.contains(row.id), let job = world.database.store.jobs[row.jobID]
            else { continue }
            // An AT_MOST_ONCE execution waits longer for the truth.
            guard !once.contains(job.id) else { continue }
            let waited = (world.time - since) / 1_000
            require(
                waited < Int64(job.timeoutMs) + 25_000,
                "G2: \(row.id) has waited \(waited) ms for a worker that reports nothing"
            )
        }
    }

    /// Whatever a worker says, a call began and ended between its due time and now; an honest one's start is exact.
    private func judgeTimes(of row: Execution, writtenBy owner: UniqueID) {
        guard world.options.clockStepsPerSecond == 0, world.schedulers.allSatisfy({ !$0.hasStoodStill }) else { return }
        let latest = world.databaseTime + 1_000
        let isPast = [row.actualStartTime, row.finishedAt].compactMap(\.self).allSatisfy { $0 <= latest }
        require(isPast && row.durationMicroseconds ?? 0 >= 0, "G6: \(row.id) is recorded to end in the future")
        // A call that was stopped is reported as begun when it was stopped, here.
        guard world.options.hasGoodClocks, row.status != .cancelled, row.attempts == 1, row.lostAttempts == 0,
            let token = row.token, let worker = world.workers.first(where: { $0.name == row.worker }),
            let readAt = clocksRead[owner]?[worker.bootID], (begunAt[token]?.time ?? 0) > readAt,
            let start = row.actualStartTime, let began = trueStarts[token], !givenToLiar.contains(row.id),
            !isDisturbed(token, row.worker ?? ""), world.schedulers.allSatisfy({ $0.slumberMs == 0 })
        else { return }
        let tolerance = Int64(world.options.delayMs) + 50
        require(abs(start - began) <= tolerance, "drift: the start of \(row.id) is wrong by \(start - began) ms")
    }

    /// However often a call is reported, it is the same attempt of its execution.
    private func countAttempts(of row: Execution, then after: Execution?) {
        guard let after, let token = after.token, after.attempts > row.attempts, !givenToLiar.contains(row.id) else {
            return
        }
        let number = attemptNumbers.updateValue(after.attempts, forKey: token) ?? after.attempts
        require(
            number == after.attempts,
            "G6: attempt \(number) of \(row.id) was reported again, and counted as attempt \(after.attempts)"
        )
    }

    /// When that execution was due, as it was dispatched.
    func scheduledTime(of id: ExecutionID) -> Timestamp { scheduledTimes[id] ?? .distantPast }

    func period(of job: Job) -> Period {
        Period(
            schedule: schedule(job),
            startsAt: job.startsAt,
            endsAt: job.endsAt,
            from: job.effectiveFrom,
            to: nil
        )
    }

    private func schedule(_ job: Job) -> NaiveSchedule {
        let key = "\(job.schedule) \(job.timeZone) \(job.daylightPolicy)"
        if let schedule = schedules[key] { return schedule }
        let schedule = NaiveSchedule(job.schedule, zone: job.timeZone, policy: job.daylightPolicy)
        schedules[key] = schedule
        return schedule
    }

    /// A definition holds from its effective_from on, if it is another one.
    func begin(_ job: Job) {
        if job.executionType == .atMostOnce { once.insert(job.id) }
        hasStartDeadline(job)
        guard !job.isAdHoc else { return }
        let old = known.updateValue(job, forKey: job.id)
        if let endsAt = job.endsAt { endings[job.id, default: []].append(endsAt) }
        let isScheduled = job.active && job.deletedAt == nil
        let isSame =
            old.map {
                $0.effectiveFrom == job.effectiveFrom && $0.active == job.active && $0.schedule == job.schedule
                    && $0.timeZone == job.timeZone && $0.daylightPolicy == job.daylightPolicy
                    && $0.startsAt == job.startsAt && $0.endsAt == job.endsAt && $0.deletedAt == job.deletedAt
            } ?? false
        if isSame { return }
        if let last = periods[job.id]?.indices.last, periods[job.id]?[last].to == nil {
            periods[job.id]?[last].to = job.effectiveFrom
        }
        if isScheduled {
            world.count("schedule \(job.daylightPolicy) in \(job.timeZone)")
            periods[job.id, default: []].append(period(of: job))
        }
    }
}
