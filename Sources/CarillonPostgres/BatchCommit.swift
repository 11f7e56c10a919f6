internal import CarillonCore
internal import Logging

/// The way of one batch into the database, through whatever happens to the connection.
struct BatchCommit {
    private let batch: WriteBatch
    private let plan: BatchPlan
    private let keeper: SessionKeeper
    private let logger: Logger
    private var stage = Stage.send
    private var lockWaits = 0
    private var partitionFailures = 0
    private var warnedAt: Int64?

    private enum Stage {
        case send
        /// The answer was lost: whether it was committed is to be found out.
        case settle
        /// It is durable; what its inserts found is to be read.
        case check
    }

    init(batch: WriteBatch, keeper: SessionKeeper, logger: Logger) {
        self.batch = batch
        self.plan = BatchPlan(batch)
        self.keeper = keeper
        self.logger = logger
    }

    /// Goes on until the batch is committed, fenced off or refused; `nil` when `sleep` says that the process ends.
    mutating func run(days: inout Set<Day>, sleep: (_ ms: Int) -> Bool) -> CommitResult? {
        while true {
            do throws(DatabaseError) {
                if let result = try attempt(&days) { return result }
            } catch {
                let (result, waitMs) = consider(error, &days)
                if let result { return result }
                guard sleep(waitMs) else { return nil }
            }
        }
    }

    private mutating func attempt(_ days: inout Set<Day>) throws(DatabaseError) -> CommitResult? {
        switch stage {
        case .send:
            try makeDays(&days)
            _ = try keeper.open()
            stage = .settle
            let results = try keeper.run(plan.steps)
            let isShort = plan.insertSteps.contains { results[$0.step].affected < $0.count }
            guard isShort else { return .committed(notPending: []) }
            stage = .check
            return nil
        case .settle:
            return try settle()
        case .check:
            return .committed(notPending: try notPending())
        }
    }

    // MARK: Partitions

    private func makeDays(_ days: inout Set<Day>) throws(DatabaseError) {
        for day in plan.days.subtracting(days).sorted() {
            _ = try keeper.run([Self.makeDayStep(day)])
            days.insert(day)
        }
    }

    /// A date's binary form is days since 2000-01-01; text is plainer, and is cast by the server.
    static func makeDayStep(_ day: Day) -> Step {
        let parameters = Parameters()
        parameters.add(day.date)
        return Step(Statement("make_day", "SELECT carillon_make_day($1::text::date)"), parameters)
    }

    // MARK: Unknown commits

    private static let readShard = Statement(
        "settle",
        "SELECT owner, epoch, commit_owner, commit_sequence FROM shards WHERE shard = 0 FOR UPDATE"
    )

    /// Reads what the last commit was, behind a session that may still be at it: the lock waits for its end.
    private mutating func settle() throws(DatabaseError) -> CommitResult? {
        let results = try keeper.run([Step(Self.readShard)])
        guard let row = results.first, row.count == 1 else {
            throw DatabaseError(.statement("42P01"), "the row of shard 0 is missing from the table shards")
        }
        var reader = RowReader(row: row[0])
        let owner = reader.uuid()
        let epoch = reader.integer()
        let commitOwner = reader.uuid()
        let sequence = reader.integer()
        if epoch == batch.epoch, commitOwner == batch.owner, (sequence ?? 0) >= Int64(bitPattern: batch.sequence) {
            logger.info("a commit whose answer was lost had been made", metadata: ["sequence": "\(batch.sequence)"])
            stage = .check
            return nil
        }
        guard owner == batch.owner, epoch == batch.epoch else { return .fenced }
        logger.info("a commit whose answer was lost had not been made", metadata: ["sequence": "\(batch.sequence)"])
        stage = .send
        return nil
    }

    private static let findNotPending = Statement(
        "find_not_pending",
        """
        SELECT u.execution_id FROM unnest($1::uuid[]) AS u(execution_id)
        LEFT JOIN job_executions e ON e.execution_id = u.execution_id AND e.execution_id >= $2::uuid
            AND e.execution_id <= $3::uuid
        WHERE e.status IS DISTINCT FROM 'PENDING'
        """
    )

    /// Which of the inserts are not PENDING now (or are gone).
    private func notPending() throws(DatabaseError) -> [ExecutionID] {
        guard let first = plan.pendingIDs.min(), let last = plan.pendingIDs.max() else { return [] }
        let parameters = Parameters(capacity: plan.pendingIDs.count * 20 + 64)
        parameters.addArray(uuid: plan.pendingIDs) { $0.uuid }
        parameters.add(first.uuid)
        parameters.add(last.uuid)
        let results = try keeper.run([Step(Self.findNotPending, parameters)])
        return results.first?.map { ExecutionID($0.uuid() ?? .zero) } ?? []
    }

    // MARK: What went wrong

    /// Either how the batch ended, or how long to wait before it is tried again.
    private mutating func consider(_ error: DatabaseError, _ days: inout Set<Day>) -> (CommitResult?, waitMs: Int) {
        let isSent = stage == .settle
        if !error.endsConnection, isSent, error.remedy != .settle {
            // The database said no: nothing was written.
            stage = .send
        }
        switch error.remedy {
        case .settle, .reconnect:
            return (nil, max(1, keeper.waitMs))
        case .stepDown:
            return (.fenced, 0)
        case .alreadyCommitted:
            // The session that was given up was only slow.
            stage = .settle
            return (nil, 1)
        case .makePartitions where partitionFailures < 3:
            partitionFailures += 1
            days.subtract(plan.days)
            return (nil, 1)
        case .makePartitions, .repeatLater:
            warn("the database cannot write a batch, trying again", error)
            return (nil, 1_000)
        case .repeatSoon:
            return (nil, 5)
        case .waitForLock:
            lockWaits += 1
            warn("a batch waits for a lock of another transaction", error)
            // Somebody's open transaction over a job must not hold up all that runs: that change is given back.
            guard lockWaits >= 3, isSent, let step = error.step, plan.jobSteps.contains(step) else { return (nil, 5) }
            return (
                .refused(
                    message: "a row of this job is locked by another transaction of the database",
                    constraint: nil
                ), 0
            )
        case .refuse:
            guard isSent else {
                warn("the database cannot write a batch, trying again", error)
                return (nil, 1_000)
            }
            return (.refused(message: error.message, constraint: error.constraint), 0)
        }
    }

    /// At most once a minute a batch.
    private mutating func warn(_ message: Logger.Message, _ error: DatabaseError) {
        let now = Clock.milliseconds()
        guard warnedAt.map({ now - $0 >= 60_000 }) ?? true else { return }
        warnedAt = now
        logger.warning(message, metadata: ["error": "\(error.message)", "sequence": "\(batch.sequence)"])
    }
}
