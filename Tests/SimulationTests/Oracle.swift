import CarillonCore
import TestSupport

/// Judges a run by the guarantees alone. The oracle observes commits, messages, responses and reports, and derives
/// everything else with its own simple code. It shares no decision code with the engine.
final class Oracle {
    /// A period in which a job had one definition: due after `from`, up to `to`, and within the job's own bounds.
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

        /// The due times from `first` to `last`, checked second by second.
        func times(from first: Timestamp, through last: Timestamp) -> [Timestamp] {
            guard first <= last else { return [] }
            return (first.seconds...last.seconds).map { Timestamp(seconds: $0) }
                .filter { $0 >= first && contains($0) }
        }
    }

    /// A change in the store that no scheduler has found yet.
    struct Unsettled {
        /// The time from which the job's due times are uncertain.
        var from: Timestamp
        /// Microseconds since the start.
        var at: Int64
        /// The version of the row.
        var version: Int64
    }

    unowned let world: World
    /// The definitions in force according to the schedulers' own writes and reads.
    var known: [JobID: Job] = [:]
    var unsettled: [JobID: Unsettled] = [:]
    var uncertain: [JobID: [Outage]] = [:]
    /// SQL edits that the latest take-over found, up to the mark that it found, until a batch of it is durable.
    var foundBeforeLoss: [JobID: Outage] = [:]
    /// Definitions written directly in the store.
    var edited: [JobID: [Period]] = [:]
    private(set) var problems: [String] = []
    var periods: [JobID: [Period]] = [:]
    /// Every ends_at that a job ever had.
    private(set) var endings: [JobID: [Timestamp]] = [:]
    private var schedules: [String: NaiveSchedule] = [:]
    private(set) var outcomes: [DispatchToken: CallOutcome] = [:]
    private(set) var latestToken: [ExecutionID: DispatchToken] = [:]
    /// The time of the last step of the database's clock, by an accurate clock.
    private var clockSetAt: Int64?
    /// Periods that occurred more than once, by the database's clock.
    private var repeated: [Outage] = []
    /// Steps back of the database's clock while a scheduler was suspended.
    private(set) var unseenStepsBack: [Int64] = []
    /// Executions whose request was sent AT_MOST_ONCE.
    private var sentOnce: [ExecutionID: DispatchToken] = [:]
    /// Every start deadline that a job ever had, in milliseconds; 0 for none.
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
    /// Dispatched by a former leader, or over a lost connection: their outcomes may be unknown to all schedulers.
    private var strays: Set<DispatchToken> = []
    private var disturbedAt: [String: Int64] = [:]
    private(set) var leaderChangedAt: Int64 = -1
    /// The time when each claim became durable, or each call was dispatched.
    var begunAt: [DispatchToken: (time: Int64, elapsed: Int64)] = [:]
    var notedOutages: [UniqueID: [NotedOutage]] = [:]
    var madeByChanges: Set<ExecutionID> = []
    /// Periods in which a change that was finally refused was assumed to hold.
    var refusedChanges: [JobID: [Outage]] = [:]
    /// How many outages the writer of a batch had noticed when it sent the batch. Later ones say nothing about its rows.
    var outagesWhenSubmitted: [BatchKey: Int] = [:]
    /// Executions that a refused batch skipped for an overlap, while another execution of their job was open.
    var overlappedWhenRefused: Set<ExecutionID> = []
    /// Open executions that were inserted after an outage, by epoch.
    var paced: [Int64: Set<ExecutionID>] = [:]
    /// Executions dispatched to a lying worker: its reports about them cannot be checked.
    private(set) var givenToLiar: Set<ExecutionID> = []
    /// By scheduler and worker process: the time since which the scheduler knows the offset of the worker's clock.
    private var clocksRead: [UniqueID: [UniqueID: Int64]] = [:]
    /// The start of each call, by the database's clock.
    private var trueStarts: [DispatchToken: Timestamp] = [:]
    /// The highest epoch that each worker has received.
    private var epochs: [String: Int64] = [:]
    var lost = LostHistory()
    /// When a request last arrived at a target.
    private(set) var requestedAt: Int64 = 0
    /// The worker processes that sent the request of an AT_MOST_ONCE execution, with the latest attempt.
    private var sentBy: [ExecutionID: [UniqueID: Int]] = [:]

    init(world: World) {
        self.world = world
    }

    func require(_ condition: Bool, _ text: @autoclosure () -> String) {
        guard !condition, problems.count < 20 else { return }
        problems.append("at \(Double(world.time) / 1_000_000) s: \(text())")
    }

    // MARK: Observations

    func disturbed(worker: String) { disturbedAt[worker] = world.time }
    func workerEnded(_ name: String) {
        disturbed(worker: name)
        epochs[name] = nil
    }
    func leaderChanged() { leaderChangedAt = world.time }

    /// Called after the step.
    func clockStepped(_ milliseconds: Int64) {
        clockSetAt = world.elapsed
        guard milliseconds < 0 else { return }
        repeated.append(Outage(from: world.databaseTime, to: world.databaseTime - milliseconds))
        if world.schedulers.contains(where: \.isPaused) { unseenStepsBack.append(world.time) }
    }

    /// Whether that time occurred more than once, by the database's clock. Rows are written a little ahead.
    func isRepeated(_ time: Timestamp) -> Bool { isRepeated(from: time, through: time) }

    func isRepeated(from: Timestamp, through: Timestamp) -> Bool {
        repeated.contains { through > $0.from - 2_000 && from < $0.to + 2_000 }
    }

    /// Whether any time came more than once.
    var hasRepeatedTimes: Bool { !repeated.isEmpty }

    /// The earliest time that the clock was set back to from `time`; `time` itself if it was not set back.
    func firstTime(of time: Timestamp) -> Timestamp {
        repeated.filter { $0.from < time && time <= $0.to }.map(\.from).min() ?? time
    }

    /// Whether the database's clock was not set since then, and not so shortly before that a leader may not have
    /// noticed.
    func isSteady(since elapsed: Int64) -> Bool { clockSetAt.map { $0 < elapsed - 15_000_000 } ?? true }

    /// Whether the clock was not set for a while.
    var isSteady: Bool { isSteady(since: world.elapsed) }

    func noted(_ logEvent: DispatcherLogEvent, by scheduler: SchedulerProcess) {
        if case .outageOpened(let outage) = logEvent { noticed(outage, by: scheduler) }
        // A leader may notice a step long after it happened.
        guard case .clockStepped(let milliseconds) = logEvent, milliseconds < 0 else { return }
        wentBack(scheduler)
        // The note tells what is certain of the step. Behind a stalled store the leader's own clock may have gone on for longer
        // by the old time, and that came again, too.
        let end = max(world.databaseTime - milliseconds, scheduler.clusterTimeBefore)
        repeated.append(Outage(from: world.databaseTime, to: end))
    }

    /// Whether an event occurred after which the dispatch may be unknown to all schedulers.
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

    /// A heartbeat gave a scheduler the time of a worker's clock.
    func readClock(of name: String, by scheduler: SchedulerProcess) {
        guard let worker = world.workers.first(where: { $0.name == name }) else { return }
        if clocksRead[scheduler.owner]?[worker.bootID] == nil {
            clocksRead[scheduler.owner, default: [:]][worker.bootID] = world.time
        }
    }

    /// The drift of a clock between two readings of the database's clock.
    private let driftMs: Int64 = 20
    /// How early a call may be: after a step back of the database's clock, less than a second is corrected gradually.
    private var earlyMs: Int64 { repeated.isEmpty ? driftMs : 1_000 + driftMs }

    /// A message of a scheduler reached a worker.
    func heard(_ worker: String, leaderOf epoch: Int64) { epochs[worker] = max(epochs[worker] ?? 0, epoch) }

    /// Whether a worker has received a later epoch.
    func isOver(_ epoch: Int64, for worker: String) -> Bool { epoch < epochs[worker] ?? 0 }

    /// A worker has sent the request of a call.
    func began(_ call: DispatchedCall, by worker: String) {
        trueStarts[call.token] = world.databaseTime
        require(
            !isOver(call.token.epoch, for: worker),
            "G5: \(worker) accepted a call of epoch \(call.token.epoch) after a later epoch"
        )
    }

    func requested(_ call: DispatchedCall, by worker: String, _ process: UniqueID) {
        let store = world.database.store
        requests[call.executionID, default: 0] += 1
        requestedAt = world.time
        guard !givenToLiar.contains(call.executionID) else { return }
        // An execution dispatched while its job was AT_LEAST_ONCE may be sent at any later time.
        if let claim = sentOnce[call.executionID], call.token >= claim {
            // The process that sent it refuses this and earlier attempts; only a row tells another process of the claim.
            let isRefused = call.atMostOnce && sentBy[call.executionID]?[process] ?? 0 >= call.attempt
            require(
                lost.claims.contains(claim) && !isRefused,
                "G3: \(call.executionID) was sent AT_MOST_ONCE and then sent again"
            )
            world.count("AT_MOST_ONCE call repeated after its claim was lost")
        }
        if call.atMostOnce {
            sentOnce[call.executionID] = call.token
            let latest = sentBy[call.executionID]?[process] ?? 0
            sentBy[call.executionID, default: [:]][process] = max(latest, call.attempt)
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
                "G7: \(job.name ?? "") was called for \(row.scheduledTime.milliseconds), which is not a due time of the job"
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

    /// No other execution may start while one waits for its retry.
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
            // A stopped call does not show whether its request arrived.
            guard let outcome = outcomes[token], outcome.kind != .notStarted, outcome.kind != .cancelled else {
                continue
            }
            let row = world.database.store.executions[outcome.executionID]
            if row?.status == .unknown, row?.token == token {
                require(false, "G4: the outcome of \(outcome.executionID) was acknowledged, but its row is UNKNOWN")
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
            require(row?.status.isFinal ?? false, "G4: \(execution.id) was shown before it was durable")
        }
    }

    func answered(_ result: ChangeResult, by scheduler: SchedulerProcess) {
        if lost.holds(result, writtenBy: scheduler.owner) { return }
        let store = world.database.store
        switch result {
        case .job(let job):
            require(
                (store.jobs[job.id]?.version ?? 0) >= job.version,
                "G4: a change of \(job.name ?? "") was answered but is not stored"
            )
        case .deleted(let id):
            require(store.jobs[id]?.deletedAt != nil, "G4: a deletion was answered but is not stored")
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
        foundBeforeLoss = [:]
        let rows = before.values.sorted { $0.id < $1.id }
        for row in rows where row.status.isFinal && row.status != .unknown {
            let after = world.database.store.executions[row.id]
            require(after == row, "G6: \(row.id) was final but has changed")
        }
        for row in rows { countAttempts(of: row, then: world.database.store.executions[row.id]) }
        for change in batch.changes {
            guard let job = change.job else { continue }
            let isFuture = change.withdrawals.allSatisfy { $0.time > job.effectiveFrom || isRepeated($0.time) }
            require(isFuture, "G1: a change of \(job.name ?? "") withdrew an earlier due time")
            settled(job.id)
            begin(job)
        }
        for row in batch.updates { judgeTimes(of: row, writtenBy: batch.owner) }
        judgeEvidence(of: batch, before: before)
    }

    /// A batch is sent to the database. Due times that waited too long behind an unanswered batch must not be among its
    /// rows: those were missed.
    func submitted(_ batch: WriteBatch, by scheduler: SchedulerProcess) {
        outagesWhenSubmitted[BatchKey(batch)] = notedOutages[batch.owner]?.count ?? 0
        // A change keeps the rows of the definition that it ends, and so do parts of a refused batch.
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

    /// A worker without reports for too long loses its calls.
    func judgeSilence() {
        // Without another worker its calls wait.
        guard world.options.writerStallsPerSecond == 0, world.options.storeStallsPerSecond == 0,
            world.options.workers > 1
        else { return }
        for row in world.database.store.executions.values.sorted(by: { $0.id < $1.id }) where !row.status.isFinal {
            guard let token = latestToken[row.id], let since = dispatchedAt[token], since > leaderChangedAt,
                givenToLiar.contains(row.id), let job = world.database.store.jobs[row.jobID]
            else { continue }
            // An AT_MOST_ONCE execution waits longer for its report.
            guard !once.contains(job.id) else { continue }
            let waited = (world.time - since) / 1_000
            require(
                waited < Int64(job.timeoutMs) + 25_000,
                "G2: \(row.id) has waited \(waited) ms for a worker that reports no outcomes"
            )
        }
    }

    /// Every recorded call started and ended between its due time and now. An honest worker's start is exact.
    private func judgeTimes(of row: Execution, writtenBy owner: UniqueID) {
        guard world.options.clockStepsPerSecond == 0, world.schedulers.allSatisfy({ !$0.hasStoodStill }) else { return }
        let latest = world.databaseTime + 1_000
        let isPast = [row.actualStartTime, row.finishedAt].compactMap(\.self).allSatisfy { $0 <= latest }
        require(isPast && row.durationMicroseconds ?? 0 >= 0, "G6: \(row.id) has an end time in the future")
        // A stopped call is reported with the time of the stop as its start.
        guard world.options.hasGoodClocks, row.status != .cancelled, row.attempts == 1, row.lostAttempts == 0,
            let token = row.token, let worker = world.workers.first(where: { $0.name == row.worker }),
            let readAt = clocksRead[owner]?[worker.bootID], (begunAt[token]?.time ?? 0) > readAt,
            let start = row.actualStartTime, let began = trueStarts[token], !givenToLiar.contains(row.id),
            !isDisturbed(token, row.worker ?? ""), world.schedulers.allSatisfy({ $0.slumberMs == 0 })
        else { return }
        let tolerance = Int64(world.options.delayMs) + 50
        require(abs(start - began) <= tolerance, "drift: the start of \(row.id) is wrong by \(start - began) ms")
    }

    /// All reports of a call count as the same attempt.
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

    /// The due time of an execution, as dispatched.
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

    /// A definition holds from its effective_from on, if it differs from the previous one.
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
