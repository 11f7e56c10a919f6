package import CarillonCore

/// The database in memory: the same rules without a disk. Its clock is an argument.
package struct MemoryStore: Sendable {
    package private(set) var jobs: [JobID: Job] = [:]
    package private(set) var executions: [ExecutionID: Execution] = [:]
    package private(set) var attempts: [Attempt] = []
    package private(set) var keys: [String: IdempotencyRecord] = [:]
    package private(set) var shards: [ShardRecord]
    /// The session that holds the advisory lock.
    package private(set) var lockHolder: Int?
    /// The state that schedulers without the lease have reported.
    private var standbys: [UniqueID: (usableWorkers: Int, seenAt: Timestamp)] = [:]
    private var reservation: (owner: UniqueID, until: Timestamp)?
    private var commitOwner: UniqueID?
    private var commitSequence: UInt64 = 0
    private var attemptTokens: Set<AttemptKey> = []

    private struct AttemptKey: Hashable {
        var execution: ExecutionID
        var token: DispatchToken

        init(_ attempt: Attempt) { (execution, token) = (attempt.executionID, attempt.token) }
    }

    package init() {
        shards = (0..<16).map {
            ShardRecord(
                shard: $0,
                owner: nil,
                address: nil,
                epoch: 0,
                leaseExpiresAt: nil,
                materializedThrough: nil,
                settledThrough: nil,
                outage: nil,
                clusterSecret: $0 == 0 ? MemoryStore.clusterSecret : nil
            )
        }
    }

    /// The same secret for all clusters in memory.
    package static let clusterSecret = [UInt8](0..<32)

    // MARK: Leases

    /// Takes the lease for a session if the lock is free or the holder's lease has expired.
    package mutating func acquireLease(
        session: Int,
        owner: UniqueID,
        address: String,
        leaseMs: Int,
        above floor: Int64 = 0,
        usableWorkers: Int = 0,
        now: Timestamp
    ) -> LeaseResult {
        let isReserved = reservation.map { $0.owner != owner && $0.until > now } ?? false
        let isFree = lockHolder == nil || lockHolder == session
        if isReserved, isFree {
            if lockHolder == session { lockHolder = nil }
            standbys[owner] = (usableWorkers, now)
            return .heldByOther(leader: shards[0].address, databaseTime: now)
        }
        if let holder = lockHolder, holder != session {
            let expires = shards.compactMap(\.leaseExpiresAt).max() ?? .distantPast
            guard expires < now else {
                standbys[owner] = (usableWorkers, now)
                return .heldByOther(leader: shards[0].address, databaseTime: now)
            }
        }
        standbys[owner] = nil
        reservation = nil
        lockHolder = session
        (commitOwner, commitSequence) = (nil, 0)
        let clock = InjectedFault.ignoresTheClockInEpochs.isActive ? 0 : now.milliseconds * 1_000 - 1
        let epoch = max(shards.map(\.epoch).max() ?? 0, floor, clock) + 1
        for index in shards.indices {
            // A sufficiently random value, because owner ids are random.
            shards[index].incarnation =
                owner.low &+ UInt64(bitPattern: epoch) &* 0x9E37_79B9_7F4A_7C15
                &+ UInt64(bitPattern: Int64(session)) &* 0xBF58_476D_1CE4_E5B9
            shards[index].owner = owner
            shards[index].address = address
            shards[index].epoch = epoch
            shards[index].leaseExpiresAt = now + Int64(leaseMs)
        }
        return .held(epoch: epoch, shards: shards, databaseTime: now)
    }

    package mutating func renewLease(
        session: Int,
        owner: UniqueID,
        epoch: Int64,
        leaseMs: Int,
        now: Timestamp
    ) -> LeaseResult {
        guard lockHolder == session, shards[0].owner == owner, shards[0].epoch == epoch else {
            return .heldByOther(leader: shards[0].address, databaseTime: now)
        }
        for index in shards.indices { shards[index].leaseExpiresAt = now + Int64(leaseMs) }
        let fresh = standbys.filter { $0.value.usableWorkers > 0 && $0.value.seenAt > now - 2_000 && $0.key != owner }
        let standby = fresh.max { ($0.value.usableWorkers, $1.key) < ($1.value.usableWorkers, $0.key) }?.key
        return .held(epoch: epoch, shards: shards, databaseTime: now, standby: standby)
    }

    package mutating func releaseLease(
        session: Int,
        owner: UniqueID,
        epoch: Int64,
        standby: UniqueID? = nil,
        now: Timestamp
    ) {
        if let standby { reservation = (standby, now + 5_000) }
        if shards[0].owner == owner, shards[0].epoch == epoch {
            for index in shards.indices { shards[index].leaseExpiresAt = now }
        }
        sessionEnded(session)
    }

    /// The session's connection is lost, and its lock is released.
    package mutating func sessionEnded(_ session: Int) {
        if lockHolder == session { lockHolder = nil }
    }

    // MARK: Writing

    package mutating func commit(_ batch: WriteBatch, now: Timestamp) -> CommitResult {
        let isTheirs = shards[0].owner == batch.owner && shards[0].epoch == batch.epoch
        guard isTheirs || InjectedFault.forgetsTheFence.isActive else { return .fenced }
        let isBehind = isTheirs && commitSequence < batch.committedSequence
        guard !isBehind || InjectedFault.writesBehindALostBatch.isActive else { return .fenced }
        // A session that was given up has committed the batch already, as the row of the last commit shows.
        if hasCommitted(batch) { return .committed(notPending: self.notPending(of: batch)) }
        if let refusal = refusal(of: batch, now: now) { return refusal }
        commitOwner = batch.owner
        commitSequence = batch.sequence
        for index in shards.indices {
            if let through = batch.materializedThrough { shards[index].materializedThrough = through }
            if let through = batch.settledThrough { shards[index].settledThrough = through }
            if let outage = batch.outage { shards[index].outage = outage }
        }
        if let workers = batch.workers { shards[0].workers = workers }
        var notPending: [ExecutionID] = []
        // Changes come last, because a change may withdraw inserts of the same batch.
        for id in batch.withdrawals { withdraw(id) }
        for row in batch.inserts { insert(row, &notPending) }
        for change in batch.changes {
            if var job = change.job, change.isNew || jobs[job.id] != nil {
                job.createdAt = jobs[job.id]?.createdAt ?? job.createdAt
                jobs[job.id] = stamped(job, now: now)
            }
            for id in change.withdrawals { withdraw(id) }
            // Withdrawn rows of the same batch are not armed.
            if !change.withdrawals.isEmpty { notPending.removeAll { change.withdrawals.contains($0) } }
            for row in change.inserts { insert(row, &notPending) }
            if let key = change.idempotencyKey { keys["\(key.operation):\(key.key)"] = key }
        }
        for start in batch.starts {
            guard var row = executions[start.id], !row.status.isFinal else { continue }
            row.status = .running
            row.token = start.token
            row.attempts = start.attempts
            row.lostAttempts = start.lostAttempts
            row.actualStartTime = start.actualStartTime
            row.worker = start.worker
            row.isClaimed = start.isClaim
            row.workerBootID = start.workerBootID
            row.nextAttemptAt = nil
            executions[start.id] = row
        }
        for update in batch.updates {
            guard let row = executions[update.id], !row.status.isFinal || row.status == .unknown else { continue }
            var updated = update
            (updated.jobID, updated.trigger, updated.scheduledTime) = (row.jobID, row.trigger, row.scheduledTime)
            updated.createdAt = row.createdAt
            updated.isClaimed = false
            updated.workerBootID = nil
            executions[update.id] = updated
        }
        for attempt in batch.attempts where attemptTokens.insert(AttemptKey(attempt)).inserted {
            attempts.append(attempt)
        }
        return .committed(notPending: notPending)
    }

    /// Checks the unique indexes: jobs, names of existing jobs, and idempotency keys that have not expired.
    private func refusal(of batch: WriteBatch, now: Timestamp) -> CommitResult? {
        if let refusal = refusal(ofJobs: batch.changes) { return refusal }
        var newKeys: Set<String> = []
        for key in batch.changes.compactMap(\.idempotencyKey) {
            let name = "\(key.operation):\(key.key)"
            let isInUse = keys[name].map { $0.expiresAt > now } ?? false
            if isInUse || !newKeys.insert(name).inserted {
                return .refused(message: "duplicate key", constraint: "idempotency_keys_pkey")
            }
        }
        return nil
    }

    private func refusal(ofJobs changes: [JobChange]) -> CommitResult? {
        guard changes.contains(where: { $0.job != nil }) else { return nil }
        var living = jobs
        let made = Set(changes.filter(\.isNew).compactMap(\.job?.id))
        for change in changes {
            guard let job = change.job, living[job.id] != nil || made.contains(job.id) else { continue }
            if made.contains(job.id), jobs[job.id] != nil {
                return .refused(message: "duplicate job", constraint: "jobs_pkey")
            }
            living[job.id] = job
        }
        // Names are compared as bytes, like in the database.
        var names: Set<[UInt8]> = []
        for job in living.values where job.deletedAt == nil {
            guard let name = job.name, !names.insert(Array(name.utf8)).inserted else { continue }
            return .refused(message: "duplicate name", constraint: "jobs_name_living")
        }
        return nil
    }

    private mutating func withdraw(_ id: ExecutionID) {
        if executions[id]?.status == .pending { executions[id] = nil }
    }

    private mutating func insert(_ row: Execution, _ notPending: inout [ExecutionID]) {
        if let existing = executions[row.id] {
            if row.status == .pending, existing.status != .pending { notPending.append(row.id) }
        } else {
            executions[row.id] = row
        }
    }

    /// Whether that batch or a later one was committed, which resolves an ambiguous commit.
    package func hasCommitted(_ batch: WriteBatch) -> Bool {
        commitOwner == batch.owner && commitSequence >= batch.sequence && shards[0].epoch == batch.epoch
    }

    /// Inserts of a batch that are not PENDING, without those that the batch itself withdraws.
    package func notPending(of batch: WriteBatch) -> [ExecutionID] {
        var inserts = batch.inserts
        for change in batch.changes {
            if !change.withdrawals.isEmpty { inserts.removeAll { change.withdrawals.contains($0.id) } }
            inserts += change.inserts
        }
        return inserts.filter { $0.status == .pending }.map(\.id).filter { executions[$0]?.status != .pending }
    }

    // MARK: Reading

    package var livingJobs: [Job] {
        jobs.values.filter { $0.deletedAt == nil && !$0.isAdHoc }.sorted { $0.id < $1.id }
    }

    /// Includes deleted and ad-hoc jobs.
    package func jobs(named ids: [JobID]) -> [Job] {
        Set(ids).compactMap { jobs[$0] }.sorted { $0.id < $1.id }
    }

    package func jobs(changedSince time: Timestamp) -> [Job] {
        jobs.values.filter { $0.updatedAt >= time }.sorted { ($0.updatedAt, $0.id) < ($1.updatedAt, $1.id) }
    }

    package func openExecutions(since: Timestamp) -> [Execution] {
        let first = ExecutionID.first(at: since)
        return executions.values.filter { !$0.status.isFinal && $0.id >= first }.sorted { $0.id < $1.id }
    }

    package func outageRows(_ outage: Outage) -> [OutageRow] {
        executions.values
            .filter { $0.trigger == .schedule && $0.scheduledTime > outage.from && $0.scheduledTime <= outage.to }
            .sorted { $0.id < $1.id }
            .map { OutageRow(jobID: $0.jobID, from: $0.skippedFrom ?? $0.scheduledTime, to: $0.scheduledTime) }
    }

    // MARK: Upkeep

    /// Drops the days before `retainFrom` without open rows, and expired keys.
    package mutating func maintain(retainFrom: Timestamp?, now: Timestamp) {
        keys = keys.filter { $0.value.expiresAt > now }
        guard let retainFrom else { return }
        func day(_ id: ExecutionID) -> Int64 { id.time.milliseconds / 86_400_000 }
        let first = min(retainFrom, now).milliseconds / 86_400_000
        let kept = Set(executions.values.filter { !$0.status.isFinal }.map { day($0.id) })
        executions = executions.filter { day($0.key) >= first || kept.contains(day($0.key)) }
        attempts = attempts.filter { day($0.executionID) >= first || kept.contains(day($0.executionID)) }
        let called = Set(executions.values.map(\.jobID))
        let bound = JobID(ExecutionID.first(at: Timestamp(milliseconds: first * 86_400_000)).uuid)
        jobs = jobs.filter { !$0.value.isAdHoc || $0.key >= bound || called.contains($0.key) }
    }

    /// Changes a job, like a user with psql. Returns the resulting row; `nil` if the name is taken.
    package mutating func editByHand(_ job: Job, now: Timestamp) -> Job? {
        let isTaken = jobs.values.contains {
            guard $0.id != job.id, $0.deletedAt == nil, job.deletedAt == nil, let name = $0.name else { return false }
            return job.name.map { $0.utf8.elementsEqual(name.utf8) } ?? false
        }
        guard !isTaken else { return nil }
        jobs[job.id] = stamped(job, now: now)
        return jobs[job.id]
    }

    /// Applies the table's triggers to a job's row: a version that does not increase shows a change outside of
    /// Carillon.
    private func stamped(_ job: Job, now: Timestamp) -> Job {
        guard let old = jobs[job.id], job.version <= old.version else { return job }
        var job = job
        job.version = old.version + 1
        job.updatedAt = now
        if job.deletedAt != nil, old.deletedAt == nil { job.active = false }
        let isSame =
            job.schedule == old.schedule && job.timeZone == old.timeZone && job.daylightPolicy == old.daylightPolicy
            && job.startsAt == old.startsAt && job.endsAt == old.endsAt && job.active == old.active
        if job.effectiveFrom == old.effectiveFrom, !isSame { job.effectiveFrom = now }
        return job
    }
}
