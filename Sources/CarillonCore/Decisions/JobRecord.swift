/// A job in the leader's memory, reduced to what its occurrences and attempts need.
struct JobRecord {
    let id: JobID
    var plan: SchedulePlan?
    var call: HTTPCall
    var executionType: ExecutionType
    var catchUpPolicy: CatchUpPolicy
    var overlapPolicy: OverlapPolicy
    var active: Bool
    var isAdHoc: Bool
    var deleted: Bool
    /// A staged change gives the job another schedule: no rows are inserted, and executions that the change holds do
    /// not start.
    var isHeld = false
    var lastFailed = false
    var limits: ExecutionLimits
    /// The number of executions in the execution table, and how many of them are open (dispatched, running, waiting for
    /// a retry).
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
        isAdHoc = job.isAdHoc
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

    /// Whether the schedule of the job creates executions.
    var isScheduled: Bool { active && !deleted && !isAdHoc && plan != nil }

    /// Whether the due times differ from those of `other`, so that the schedule starts again.
    func isScheduledUnlike(_ other: JobRecord) -> Bool {
        active != other.active || deleted != other.deleted || plan !== other.plan || startsAt != other.startsAt
            || endsAt != other.endsAt
    }

    /// Whether executions with this trigger are not retried, because the job was deleted or paused.
    func hasEnded(for trigger: Trigger) -> Bool {
        deleted || (!active && !isAdHoc && trigger == .schedule)
    }

    /// The reason for ending waiting executions after the job was deleted or paused.
    var endReason: Reason { deleted ? .jobDeleted : .jobPaused }

    func next(after time: Timestamp) -> Timestamp? {
        guard isScheduled else { return nil }
        return plan?.next(after: time, effectiveFrom: effectiveFrom, startsAt: startsAt, endsAt: endsAt)
    }

    /// Whether `time` is a due time of the job.
    func isDue(at time: Timestamp) -> Bool { next(after: time - 1) == time }

    /// The delay before the next attempt, without jitter: the initial delay, doubled after each failed attempt, up to
    /// the maximum.
    func retryDelayMs(afterAttempts attempts: Int) -> Int64 {
        let doublings = max(0, min(attempts - 1, 30))
        let delay = Int64(limits.retryInitialDelayMs) << Int64(doublings)
        return min(delay, Int64(max(retryMaxDelayMs, 0)))
    }
}
