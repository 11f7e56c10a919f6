internal import CarillonCore
internal import CarillonRuntime
internal import Logging

/// Commits one batch, through failures of the connection.
struct BatchCommit {
    private let batch: WriteBatch
    private let plan: BatchPlan
    private let keeper: SessionKeeper
    private let context: StoreContext
    private var stage = Stage.send
    private var lockWaits = 0
    private var partitionFailures = 0
    private var backoff = Backoff()
    private var random = SystemRandomNumberGenerator()

    private enum Stage {
        case send
        /// The answer was lost; whether the batch was committed must be read.
        case settle
        /// The batch is durable; the states of its inserted rows must be read.
        case check
    }

    init(batch: WriteBatch, keeper: SessionKeeper, context: StoreContext) {
        self.batch = batch
        self.plan = BatchPlan(batch)
        self.keeper = keeper
        self.context = context
    }

    /// Runs until the batch is committed, fenced off or refused; returns `nil` when `sleep` reports the end of the process.
    mutating func run(
        days: inout Set<Day>,
        limit: inout WriteLimit,
        sleep: (_ ms: Int64) -> Bool
    ) -> CommitResult? {
        while true {
            do throws(DatabaseError) {
                if let result = try attempt(&days, &limit) { return result }
            } catch {
                context.health.failed(.writer, error)
                if error.wasCancelled {
                    limit.wasTooShort()
                    context.outage.refused(.writer, error, ["next_limit_ms": "\(limit.ms)"])
                }
                let (result, waitMs) = consider(error, &days, limit.patience)
                if let result { return result }
                guard sleep(waitMs) else { return nil }
            }
        }
    }

    private mutating func attempt(
        _ days: inout Set<Day>,
        _ limit: inout WriteLimit
    ) throws(DatabaseError) -> CommitResult? {
        switch stage {
        case .send:
            try makeDays(&days, limit.patience)
            _ = try keeper.open()
            stage = .settle
            let sentAt = SystemClock.bootMilliseconds()
            let results = try keeper.run(plan.steps, limit.patience)
            limit.sufficed(tookMs: SystemClock.bootMilliseconds() - sentAt)
            let isShort = plan.insertSteps.contains { results[$0.step].affected < $0.count }
            guard isShort else { return .committed(notPending: []) }
            stage = .check
            return nil
        case .settle:
            return try settle(limit.patience)
        case .check:
            return .committed(notPending: try notPending(limit.patience))
        }
    }

    // MARK: Partitions

    private func makeDays(_ days: inout Set<Day>, _ patience: Patience) throws(DatabaseError) {
        for day in plan.days.subtracting(days).sorted() {
            _ = try keeper.run([Self.makeDayStep(day)], patience)
            days.insert(day)
        }
    }

    /// The date is sent as text, which the server casts; its binary form would be days since 2000-01-01.
    static func makeDayStep(_ day: Day) -> Step {
        let parameters = Parameters()
        parameters.add(day.date)
        return Step(Statement("make_day", "SELECT carillon_make_day($1::text::date)"), parameters)
    }

    // MARK: Ambiguous commits

    private static let readShard = Statement(
        "settle",
        "SELECT owner, epoch, commit_owner, commit_sequence FROM shards WHERE shard = 0 FOR UPDATE"
    )

    /// Reads the last commit of the shard. The row lock waits for a session that may still be committing.
    private mutating func settle(_ patience: Patience) throws(DatabaseError) -> CommitResult? {
        let results = try keeper.run([Step(Self.readShard)], patience)
        guard let row = results.first, row.count == 1 else {
            throw DatabaseError(.statement("42P01"), "the row of shard 0 is missing from the table shards")
        }
        var reader = RowReader(row: row[0])
        let owner = reader.uuid()
        let epoch = reader.integer()
        let commitOwner = reader.uuid()
        let sequence = reader.integer()
        if epoch == batch.epoch, commitOwner == batch.owner, (sequence ?? 0) >= Int64(bitPattern: batch.sequence) {
            context.logger.info(
                "ambiguous commit resolved: it was committed",
                metadata: ["sequence": "\(batch.sequence)"]
            )
            stage = .check
            return nil
        }
        // A database without an earlier batch went back in its history.
        guard owner == batch.owner, epoch == batch.epoch, (sequence ?? 0) >= Int64(bitPattern: batch.committedSequence)
        else { return .fenced }
        context.logger.info(
            "ambiguous commit resolved: it was not committed",
            metadata: ["sequence": "\(batch.sequence)"]
        )
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

    /// The inserted executions whose rows are no longer PENDING, or no longer exist.
    private func notPending(_ patience: Patience) throws(DatabaseError) -> [ExecutionID] {
        guard let first = plan.pendingIDs.min(), let last = plan.pendingIDs.max() else { return [] }
        let parameters = Parameters(capacity: plan.pendingIDs.count * 20 + 64)
        parameters.addArray(uuid: plan.pendingIDs) { $0.uuid }
        parameters.add(first.uuid)
        parameters.add(last.uuid)
        let results = try keeper.run([Step(Self.findNotPending, parameters)], patience)
        return results.first?.map { ExecutionID($0.uuid() ?? .zero) } ?? []
    }

    // MARK: Errors

    /// Returns the result of the batch, or the delay before the next attempt.
    private mutating func consider(
        _ error: DatabaseError,
        _ days: inout Set<Day>,
        _ patience: Patience
    ) -> (CommitResult?, waitMs: Int64) {
        let isSent = stage == .settle
        if !error.endsConnection, isSent, error.remedy != .settle {
            // The database returned an error, so nothing was written.
            stage = .send
        }
        switch error.remedy {
        case .settle:
            return (nil, max(1, keeper.waitMs))
        case .reconnect:
            context.outage.refused(.writer, error, ["sequence": "\(batch.sequence)"])
            return (nil, max(keeper.waitMs, pauseMs()))
        case .stepDown:
            return (.fenced, 0)
        case .alreadyCommitted:
            // The abandoned session was only slow, and has committed the batch.
            stage = .settle
            return (nil, 1)
        case .makePartitions where isSent && isOfChange(error) && error.state == "23514":
            // Tables of changes have no partitions, so a trigger that is not Carillon's raised the error.
            return (.refused(message: error.message, constraint: nil), 0)
        case .makePartitions where partitionFailures < 3:
            partitionFailures += 1
            days.subtract(plan.days)
            return (nil, 1)
        case .repeatSoon:
            return (nil, min(pauseMs(), 250))
        case .waitForLock:
            lockWaits += 1
            context.outage.refused(.writer, error, ["sequence": "\(batch.sequence)"])
            // A transaction that locks a job's row must not delay running jobs, so the change is refused.
            guard lockWaits >= 3, isSent, let step = error.step, plan.jobSteps.contains(step) else { return (nil, 5) }
            return (
                .refused(
                    message: "a row of this job is locked by another transaction of the database",
                    constraint: nil
                ), 0
            )
        case .refuse where isSent && isOurs(error, patience), .refuseChange where isSent && isOfChange(error):
            return (.refused(message: error.message, constraint: error.constraint), 0)
        case .makePartitions, .notNow, .refuse, .refuseChange:
            // A partition may have been dropped or detached, or its index damaged: it is checked again.
            days.subtract(plan.days)
            if !error.wasCancelled { context.outage.refused(.writer, error, ["sequence": "\(batch.sequence)"]) }
            return (nil, pauseMs())
        }
    }

    private mutating func pauseMs() -> Int64 { backoff.failed(using: &random) }

    /// Whether the failed statement writes a job or an idempotency key. The client then gets the error as its answer.
    private func isOfChange(_ error: DatabaseError) -> Bool {
        error.step.map { plan.changeSteps.contains($0) } ?? false
    }

    /// Whether only the data can have caused a data error. A trigger, check or computed index that is not Carillon's can raise the same
    /// error for any row, and the error does not show that.
    private func isOurs(_ error: DatabaseError, _ patience: Patience) -> Bool {
        guard let step = error.step, plan.rowSteps.contains(step) else { return false }
        guard error.constraint == nil, !isOfChange(error) else { return true }
        do throws(DatabaseError) {
            let results = try keeper.run([OwnConstraints.foreignRulesStep], patience)
            guard let found = results.first, found.count == 1 else { return false }
            return found[0].bool(0) == false
        } catch {
            context.outage.refused(.writer, error)
            return false
        }
    }
}
