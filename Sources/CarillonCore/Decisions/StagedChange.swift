/// A change of a job that is not durable yet. The job's record stays unchanged until the commit.
struct StagedChange {
    /// The new definition of the job.
    let record: JobRecord
    /// The new `effective_from` if the change has a new schedule; `nil` if the schedule stays.
    let restartedAt: Timestamp?
    /// If the change is refused, due times of the old definition after this time are inserted.
    private(set) var cursor: Timestamp
    /// Due times of the new definition up to this time are in the change's transaction; `nil` until it is sent.
    var through: Timestamp?
    /// An outage opened since: due times of the new definition within it are left to the catch-up.
    var hasMissedTimes = false
    /// Held executions that were due and left the ready queue.
    var setAside: [(slot: Int32, id: ExecutionID)] = []

    init(record: JobRecord, restartedAt: Timestamp?) {
        self.record = record
        self.restartedAt = restartedAt
        cursor = restartedAt ?? .distantPast
    }

    /// Whether an execution of the job must not start before this change is durable or refused.
    func holds(_ open: OpenExecution) -> Bool {
        switch open.state {
        case .inserting, .armed, .ready, .retrying: ends(open) || replaces(open)
        case .claiming, .dispatched, .disconnected, .recovered, .outcomePending, .recording: false
        }
    }

    /// Whether the execution belongs to a due time that the new definition replaces.
    func replaces(_ open: OpenExecution) -> Bool {
        guard let restartedAt, open.execution.trigger == .schedule, !open.hasBegun else { return false }
        return open.execution.scheduledTime > restartedAt
    }

    /// Whether the execution ends with the change: the job is paused or deleted while the execution waits for its next
    /// attempt.
    func ends(_ open: OpenExecution) -> Bool {
        restartedAt != nil && record.hasEnded(for: open.execution.trigger) && !replaces(open)
    }

    /// The clock stepped back: due times after `now` come again.
    mutating func clockWentBack(to now: Timestamp) {
        cursor = min(cursor, now)
        through = through.map { min($0, now) }
    }
}
