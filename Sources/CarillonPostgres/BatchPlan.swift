internal import CarillonCore

/// The statements that write a batch. Each kind of row is written by one statement, so several changes of one row are merged.
///
/// The order is: withdrawals outside of changes, inserts, the changes in their order (a change may withdraw rows that the same
/// batch inserts), then claims, outcomes and attempts.
struct BatchPlan {
    /// The statements to send: the fence first, the seal last.
    private(set) var steps: [Step] = []
    /// Steps that write job rows, which another transaction may have locked.
    private(set) var jobSteps: Set<Int> = []
    /// Steps that write a client's change: job rows and idempotency keys.
    private(set) var changeSteps: Set<Int> = []
    /// Steps that write rows: all but the fence and the seal.
    private(set) var rowSteps: Range<Int> = 0..<0
    /// Steps that insert executions, with the expected number of rows.
    private(set) var insertSteps: [(step: Int, count: Int)] = []
    /// The days whose partitions are needed.
    private(set) var days: Set<Day> = []
    /// The ids of inserted PENDING executions.
    private(set) var pendingIDs: [ExecutionID] = []

    init(_ batch: WriteBatch) {
        steps.append(Self.fence(batch))
        let first = steps.count
        addJobs(batch)
        addKeys(batch)
        changeSteps = Set(first..<steps.count)
        let (withdrawals, inserts) = Self.folded(batch)
        for (day, ids) in Day.groups(withdrawals, by: { $0 }) {
            let parameters = Parameters(capacity: ids.count * 20 + 32)
            parameters.addArray(uuid: ids) { $0.uuid }
            add(Step(Execution.withdraw(day), parameters), day)
        }
        addInserts(inserts)
        for (day, rows) in Day.groups(batch.starts, by: { $0.id }) {
            add(Step(ExecutionStart.statement(day), ExecutionStart.parameters(rows)), day)
        }
        for (day, rows) in Day.groups(Self.settled(batch.updates), by: { $0.id }) {
            add(Step(Execution.update(day), Execution.updateParameters(rows)), day)
        }
        for (day, rows) in Day.groups(batch.attempts, by: { $0.executionID }) {
            add(Step(Attempt.insert(day), Attempt.parameters(rows)), day)
        }
        rowSteps = first..<steps.count
        steps.append(Self.seal(batch))
    }

    private mutating func add(_ step: Step, _ day: Day) {
        days.insert(day)
        steps.append(step)
    }

    private static let fenceStatement = Statement(
        "fence",
        "SELECT carillon_fence($1::uuid, $2::bigint, $3::bigint, $4::bigint)"
    )

    private static let sealStatement = Statement(
        "seal",
        """
        SELECT carillon_seal($1::uuid, $2::bigint, $3::bigint, $4::timestamptz, $5::timestamptz, $6::boolean, \
        $7::timestamptz, $8::timestamptz, $9::text[])
        """
    )

    private static func fence(_ batch: WriteBatch) -> Step {
        let parameters = Parameters()
        addIdentity(of: batch, to: parameters)
        parameters.add(Int64(bitPattern: batch.committedSequence))
        return Step(fenceStatement, parameters)
    }

    /// The values that describe the whole batch.
    private static func seal(_ batch: WriteBatch) -> Step {
        let parameters = Parameters()
        addIdentity(of: batch, to: parameters)
        parameters.add(batch.materializedThrough)
        parameters.add(batch.settledThrough)
        parameters.add(batch.outage != nil)
        parameters.add(batch.outage??.from)
        parameters.add(batch.outage??.to)
        if let workers = batch.workers {
            parameters.addArray(text: workers) { $0 }
        } else {
            parameters.add(nil as String?)
        }
        return Step(sealStatement, parameters)
    }

    private static func addIdentity(of batch: WriteBatch, to parameters: Parameters) {
        parameters.add(batch.owner)
        parameters.add(batch.epoch)
        parameters.add(Int64(bitPattern: batch.sequence))
    }

    // MARK: Jobs

    private mutating func addJobs(_ batch: WriteBatch) {
        guard batch.changes.contains(where: { $0.job != nil }) else { return }
        var jobs: [Job] = []
        var places: [JobID: Int] = [:]
        var isNew: Set<JobID> = []
        for change in batch.changes {
            guard let job = change.job else { continue }
            if change.isNew { isNew.insert(job.id) }
            if let place = places[job.id] {
                jobs[place] = job
            } else {
                places[job.id] = jobs.count
                jobs.append(job)
            }
        }
        // Changed jobs first, because a change may free a name.
        let changed = jobs.filter { !isNew.contains($0.id) }
        let made = jobs.filter { isNew.contains($0.id) }
        if !changed.isEmpty {
            jobSteps.insert(steps.count)
            steps.append(Step(Job.updateStatement, Job.parameters(changed)))
        }
        if !made.isEmpty {
            jobSteps.insert(steps.count)
            steps.append(Step(Job.insertStatement, Job.parameters(made)))
        }
    }

    private static let forgetKeys = Statement(
        "forget_keys",
        """
        DELETE FROM idempotency_keys k USING unnest($1::text[], $2::text[]) AS u(operation, key)
        WHERE k.namespace = 'default' AND k.operation = u.operation AND k.key = u.key AND k.expires_at <= clock_timestamp()
        """
    )
    private static let insertKeys = Statement(
        "insert_keys",
        """
        INSERT INTO idempotency_keys (operation, key, fingerprint, answer, expires_at)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[])
        """
    )

    private mutating func addKeys(_ batch: WriteBatch) {
        let keys = batch.changes.compactMap(\.idempotencyKey)
        guard !keys.isEmpty else { return }
        let names = Parameters()
        names.addArray(text: keys) { $0.operation }
        names.addArray(text: keys) { $0.key }
        steps.append(Step(Self.forgetKeys, names))
        let rows = Parameters()
        rows.addArray(text: keys) { $0.operation }
        rows.addArray(text: keys) { $0.key }
        rows.addArray(text: keys) { $0.fingerprint }
        rows.addArray(uuid: keys) { $0.answer }
        rows.addArray(timestamp: keys) { $0.expiresAt }
        jobSteps.insert(steps.count)
        steps.append(Step(Self.insertKeys, rows))
    }

    // MARK: Executions

    /// The executions to delete first, and the executions to insert afterwards.
    private static func folded(_ batch: WriteBatch) -> (withdrawals: [ExecutionID], inserts: [Execution]) {
        guard batch.changes.contains(where: { !$0.withdrawals.isEmpty || !$0.inserts.isEmpty }) else {
            return (batch.withdrawals, batch.inserts)
        }
        var withdrawals = batch.withdrawals
        var inserts: [Execution?] = batch.inserts
        var places: [ExecutionID: Int] = [:]
        for (place, row) in batch.inserts.enumerated() { places[row.id] = place }
        for change in batch.changes {
            for id in change.withdrawals {
                withdrawals.append(id)
                if let place = places.removeValue(forKey: id) { inserts[place] = nil }
            }
            for row in change.inserts where places[row.id] == nil {
                places[row.id] = inserts.count
                inserts.append(row)
            }
        }
        return (withdrawals, inserts.compactMap { $0 })
    }

    private mutating func addInserts(_ inserts: [Execution]) {
        for (day, rows) in Day.groups(inserts, by: { $0.id }) {
            days.insert(day)
            let isPlain = rows.allSatisfy(\.isPlainPending)
            let plain = isPlain ? rows : rows.filter(\.isPlainPending)
            let others = isPlain ? [] : rows.filter { !$0.isPlainPending }
            if !plain.isEmpty {
                insertSteps.append((steps.count, plain.count))
                steps.append(Step(Execution.insertPending(day), Execution.pendingParameters(plain)))
            }
            if !others.isEmpty {
                if others.contains(where: { $0.status == .pending }) { insertSteps.append((steps.count, others.count)) }
                steps.append(Step(Execution.insert(day), Execution.insertParameters(others)))
            }
        }
        pendingIDs = inserts.lazy.filter { $0.status == .pending }.map(\.id)
    }

    /// One row for each execution: the first final row, otherwise the last row.
    private static func settled(_ updates: [Execution]) -> [Execution] {
        guard updates.count > 1 else { return updates }
        var places: [ExecutionID: Int] = [:]
        places.reserveCapacity(updates.count)
        var repeated: [Int] = []
        for (index, update) in updates.enumerated() where places.updateValue(index, forKey: update.id) != nil {
            repeated.append(index)
        }
        guard !repeated.isEmpty else { return updates }
        var rows: [Execution] = []
        places.removeAll(keepingCapacity: true)
        for update in updates {
            guard let place = places[update.id] else {
                places[update.id] = rows.count
                rows.append(update)
                continue
            }
            if !rows[place].status.isFinal || rows[place].status == .unknown { rows[place] = update }
        }
        return rows
    }
}
