/// What the leader keeps of a job in memory: what its occurrences and attempts need, and no more.
struct JobRecord {
    let id: JobID
    var plan: SchedulePlan?
    var call: HTTPCall
    var executionType: ExecutionType
    var catchUpPolicy: CatchUpPolicy
    var overlapPolicy: OverlapPolicy
    var active: Bool
    var hidden: Bool
    var deleted: Bool
    var lastFailed = false
    var limits: ExecutionLimits
    /// Executions in the ledger, and of these the open ones (dispatched, running, waiting for a retry).
    var executionCount: Int32 = 0
    var openCount: Int32 = 0
    var effectiveFrom: Timestamp
    var startsAt: Timestamp?
    var endsAt: Timestamp?
    var version: Int64

    init(_ planned: PlannedJob) {
        let job = planned.job
        id = job.id
        plan = planned.plan
        call = job.call
        executionType = job.executionType
        catchUpPolicy = job.catchUpPolicy
        overlapPolicy = job.overlapPolicy
        active = job.active
        hidden = job.hidden
        deleted = job.deletedAt != nil
        limits = job.limits
        effectiveFrom = job.effectiveFrom
        startsAt = job.startsAt
        endsAt = job.endsAt
        version = job.version
    }

    var timeoutMs: Int32 { limits.timeoutMs }
    var maxRetries: Int32 { limits.maxRetries }
    var retryMaxDelayMs: Int32 { limits.retryMaxDelayMs }
    var catchUpWindowMs: Int32 { limits.catchUpWindowMs }
    var priority: Int32 { limits.priority }

    /// Whether its schedule makes executions at all.
    var isScheduled: Bool { active && !deleted && !hidden && plan != nil }

    /// Whether it has other due times than `other`, so that its schedule begins anew.
    func isScheduledUnlike(_ other: JobRecord) -> Bool {
        active != other.active || deleted != other.deleted || plan !== other.plan || startsAt != other.startsAt
            || endsAt != other.endsAt
    }

    /// Whether nothing that `trigger` made is tried again: the job was deleted or paused.
    func hasEnded(for trigger: Trigger) -> Bool {
        deleted || (!active && !hidden && trigger == .schedule)
    }

    func next(after time: Timestamp) -> Timestamp? {
        guard isScheduled else { return nil }
        return plan?.next(after: time, effectiveFrom: effectiveFrom, startsAt: startsAt, endsAt: endsAt)
    }

    /// Whether that is one of its due times.
    func isDue(at time: Timestamp) -> Bool { next(after: time - 1) == time }

    /// The delay before the next attempt, after so many have failed, without its jitter: the initial delay, doubled with
    /// each, at most the longest.
    func retryDelayMs(afterAttempts attempts: Int) -> Int64 {
        let doublings = max(0, min(attempts - 1, 30))
        let delay = Int64(limits.retryInitialDelayMs) << Int64(doublings)
        return min(delay, Int64(max(retryMaxDelayMs, 0)))
    }
}

/// All jobs of the shards that are led, and a heap of when each has its next due time that has no row yet.
struct Agenda {
    private var jobs = Slab<JobRecord>()
    private var slots: [JobID: Int32] = [:]
    private var heap = TimerHeap()
    /// Of jobs whose schedule makes executions.
    private(set) var activeCount = 0
    /// Of jobs that are listed.
    private(set) var visibleCount = 0
    /// Of jobs whose last execution failed.
    private(set) var lastFailedCount = 0

    var heapCount: Int { heap.count }
    var count: Int { slots.count }
    var allSlots: [Int32] { jobs.slots }

    func slot(of id: JobID) -> Int32? { slots[id] }

    subscript(slot: Int32) -> JobRecord { jobs[slot] }

    /// The earliest due time without a row.
    var firstTime: Timestamp? { heap.first.map { Timestamp(milliseconds: $0.time) } }
    var first: (time: Timestamp, slot: Int32)? {
        heap.first.map { (Timestamp(milliseconds: $0.time), $0.key) }
    }

    /// Adds a job, or puts a record in the place of the one it has; its counts of executions stay.
    @discardableResult
    mutating func put(_ record: JobRecord) -> Int32 {
        guard let slot = slots[record.id] else {
            let slot = jobs.insert(record)
            slots[record.id] = slot
            count(record, by: 1)
            return slot
        }
        count(jobs[slot], by: -1)
        var record = record
        record.executionCount = jobs[slot].executionCount
        record.openCount = jobs[slot].openCount
        record.lastFailed = jobs[slot].lastFailed && !record.deleted
        jobs[slot] = record
        count(record, by: 1)
        return slot
    }

    /// Forgets a job. Only when it has no executions in the ledger.
    mutating func remove(_ slot: Int32) {
        heap.remove(slot)
        let record = jobs.remove(slot)
        count(record, by: -1)
        slots[record.id] = nil
    }

    mutating func removeAll() {
        self = Agenda()
    }

    /// Sets the job's next due time to the first after `time`.
    mutating func arm(_ slot: Int32, after time: Timestamp) {
        if let next = jobs[slot].next(after: time) {
            heap.set(slot, to: next.milliseconds)
        } else {
            heap.remove(slot)
        }
    }

    func nextTime(of slot: Int32) -> Timestamp? {
        heap.time(of: slot).map { Timestamp(milliseconds: $0) }
    }

    mutating func countExecution(_ slot: Int32, by difference: Int32) {
        jobs[slot].executionCount += difference
    }

    mutating func countOpen(_ slot: Int32, by difference: Int32) {
        jobs[slot].openCount += difference
    }

    mutating func setLastFailed(_ slot: Int32, _ failed: Bool) {
        guard jobs[slot].lastFailed != failed, !jobs[slot].deleted else { return }
        jobs[slot].lastFailed = failed
        lastFailedCount += failed ? 1 : -1
    }

    /// What of it contradicts itself, for tests: indexes, counts, and timers that are no due times.
    var inconsistency: String? {
        guard jobs.isConsistent, heap.isConsistent else { return "the agenda's table or heap is broken" }
        let records = jobs.slots.map { ($0, jobs[$0]) }
        guard slots.count == records.count, records.allSatisfy({ slots[$0.1.id] == $0.0 }) else {
            return "the agenda's index of jobs is wrong"
        }
        guard activeCount == records.count(where: { $0.1.isScheduled }),
            visibleCount == records.count(where: { !$0.1.hidden && !$0.1.deleted }),
            lastFailedCount == records.count(where: { $0.1.lastFailed })
        else { return "the agenda's counts of jobs are wrong" }
        for key in heap.keys {
            guard let time = heap.time(of: key), let record = jobs.row(key) else { return "a due time has no job" }
            let due = Timestamp(milliseconds: time)
            guard record.next(after: due - 1) == due else {
                return "\(record.id) waits for \(time), which is no due time"
            }
        }
        return nil
    }

    private mutating func count(_ record: JobRecord, by difference: Int) {
        if record.isScheduled { activeCount += difference }
        if !record.hidden && !record.deleted { visibleCount += difference }
        if record.lastFailed { lastFailedCount += difference }
    }
}
