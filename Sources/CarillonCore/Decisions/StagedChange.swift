/// A change of a job that is written and not yet durable. The job's record stays as it is until the commit.
struct StagedChange {
    /// The job as it will be.
    let record: JobRecord
    /// The new `effective_from`, if the change gives the job another schedule; `nil` if the schedule stays.
    let restartedAt: Timestamp?
    /// Due times of the old definition after this are made if the change is refused.
    private(set) var cursor: Timestamp
    /// Due times of the new definition up to here are in the change's transaction; `nil` until that is sent.
    var through: Timestamp?
    /// An outage was noticed since: due times of the new definition within that outage are left to the catch-up.
    var hasMissedTimes = false
    /// Held executions that were due and left the ready queue.
    var setAside: [(slot: Int32, id: ExecutionID)] = []

    init(record: JobRecord, restartedAt: Timestamp?) {
        self.record = record
        self.restartedAt = restartedAt
        cursor = restartedAt ?? .distantPast
    }

    /// Whether an execution of the job must not begin before this change is durable or refused.
    func holds(_ open: OpenExecution) -> Bool {
        switch open.state {
        case .inserting, .armed, .ready, .retrying: ends(open) || replaces(open)
        case .claiming, .dispatched, .disconnected, .recovered, .outcomePending, .recording: false
        }
    }

    /// Whether the execution belongs to a due time that the new definition decides anew.
    func replaces(_ open: OpenExecution) -> Bool {
        guard let restartedAt, open.execution.trigger == .schedule, !open.hasBegun else { return false }
        return open.execution.scheduledTime > restartedAt
    }

    /// Whether the execution ends with the change: the job is paused or deleted, and the execution waits for its next attempt.
    func ends(_ open: OpenExecution) -> Bool {
        restartedAt != nil && record.hasEnded(for: open.execution.trigger) && !replaces(open)
    }

    /// The clock went back: due times after `now` come again.
    mutating func clockWentBack(to now: Timestamp) {
        cursor = min(cursor, now)
        through = through.map { min($0, now) }
    }
}
