package import CarillonCore

/// The in-memory `HistoryReader`. A read sees all earlier writes.
package struct MemoryReader: HistoryReader {
    private let database: MemoryDatabase

    package init(_ database: MemoryDatabase) {
        self.database = database
    }

    package func job(_ id: JobID, includingDeleted: Bool) -> Job? {
        let job = database.snapshot.jobs[id]
        return includingDeleted || job?.deletedAt == nil ? job : nil
    }

    package func jobs(_ query: JobQuery) -> (jobs: [Job], hasMore: Bool, total: Int64?) {
        let store = database.snapshot
        let rows = store.jobs(query)
        let total = query.isUnfiltered ? Int64(store.livingJobs.count) : nil
        return (Array(rows.prefix(query.limit)), rows.count > query.limit, total)
    }

    package func executions(_ query: ExecutionQuery) -> (executions: [Execution], hasMore: Bool) {
        let rows = database.snapshot.executions(query)
        return (Array(rows.prefix(query.limit)), rows.count > query.limit)
    }

    package func execution(_ id: ExecutionID, of job: JobID) -> (execution: Execution, attempts: [Attempt])? {
        let store = database.snapshot
        guard let execution = store.executions[id], execution.jobID == job else { return nil }
        return (execution, store.attempts(of: id))
    }

    package func latestExecution(of job: JobID) -> Execution? {
        database.snapshot.latestExecution(of: job, now: MemoryDatabase.now)
    }

    package func stats(of job: JobID, from: Timestamp, to: Timestamp) -> ExecutionStats {
        ExecutionStats(database.snapshot.executions(ExecutionQuery(jobID: job, from: from, to: to)))
    }

    package func shards() -> [ShardRecord] { database.shards }
}

/// The data for clients, newest first.
extension MemoryStore {
    /// The result of a read of the request machine. The runner answers reads of edited jobs and of the cluster.
    package func result(of read: RequestRead, now: Timestamp) -> RequestReadResult {
        switch read {
        case .job(let id):
            return .job(jobs[id])
        case .idempotencyKey(let operation, let key):
            let record = keys["\(operation):\(key)"]
            return .idempotencyKey(record.flatMap { $0.expiresAt > now ? $0 : nil })
        case .jobs(let query):
            let rows = jobs(query)
            let total = query.isUnfiltered ? Int64(livingJobs.count) : nil
            return .jobs(Array(rows.prefix(query.limit)), hasMore: rows.count > query.limit, total: total)
        case .executions(let query):
            let rows = executions(query)
            return .executions(Array(rows.prefix(query.limit)), hasMore: rows.count > query.limit)
        case .execution(let id, let job):
            guard let row = executions[id], row.jobID == job else { return .execution(nil, failedAttempts: []) }
            return .execution(row, failedAttempts: attempts(of: id))
        case .latestExecution(let job):
            return .execution(latestExecution(of: job, now: now), failedAttempts: [])
        case .stats(let job, let from, let to):
            return .stats(ExecutionStats(executions(ExecutionQuery(jobID: job, from: from, to: to))))
        case .editedJobs, .cluster:
            return .failed(ReadError("not a read of the database"))
        }
    }

    /// The jobs after the query's `after`, without a limit; the caller makes the page.
    fileprivate func jobs(_ query: JobQuery) -> [Job] {
        let statuses = query.lastStatus.map { lastStatuses(ofThoseOver: $0.isFinal) } ?? [:]
        return livingJobs.reversed().filter { job in
            if let active = query.active, job.active != active { return false }
            if let name = query.name, job.name?.isSame(as: name) != true { return false }
            if let tag = query.tag, !job.tags.contains(where: { $0.isSame(as: tag) }) { return false }
            if let after = query.after, job.id >= after { return false }
            return query.lastStatus == nil || statuses[job.id] == query.lastStatus
        }
    }

    /// The status of each job's last execution, or of its last ended execution.
    private func lastStatuses(ofThoseOver isOver: Bool) -> [JobID: ExecutionStatus] {
        var last: [JobID: Execution] = [:]
        for row in executions.values where row.status.isFinal || !isOver {
            if let other = last[row.jobID], other.id > row.id { continue }
            last[row.jobID] = row
        }
        return last.mapValues(\.status)
    }

    fileprivate func executions(_ query: ExecutionQuery) -> [Execution] {
        executions.values.filter { row in
            if let job = query.jobID, row.jobID != job { return false }
            if let from = query.from, row.id.time < from { return false }
            if let to = query.to, row.id.time >= to { return false }
            if let after = query.after, row.id >= after { return false }
            return query.statuses.isEmpty || query.statuses.contains(row.status)
        }
        .sorted { $0.id > $1.id }
    }

    fileprivate func attempts(of id: ExecutionID) -> [Attempt] {
        attempts.filter { $0.executionID == id }.sorted { ($0.number, $0.token) < ($1.number, $1.token) }
    }

    /// Rows written ahead of their due time are not included.
    fileprivate func latestExecution(of job: JobID, now: Timestamp) -> Execution? {
        executions.values.filter { $0.jobID == job && ($0.status != .pending || $0.scheduledTime <= now) }
            .max { $0.id < $1.id }
    }
}

extension String {
    /// Compares bytes like the database. Swift treats a letter with a combining accent as equal to the precomposed
    /// letter.
    fileprivate func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

extension ExecutionStats {
    fileprivate init(_ rows: [Execution]) {
        self.init()
        total = Int64(rows.count)
        successes = Int64(rows.count { $0.status == .success })
        failures = Int64(rows.count { $0.status == .failed || $0.status == .unknown })
        duration = Summary(rows.compactMap(\.durationMicroseconds))
        drift = Summary(rows.compactMap(\.driftMicroseconds))
    }
}

extension ExecutionStats.Summary {
    /// Percentiles between two values are interpolated linearly, like `percentile_cont`.
    fileprivate init?(_ values: [Int64]) {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted().map { Double($0) }
        func percentile(_ share: Double) -> Double {
            let position = share * Double(sorted.count - 1)
            let below = Int(position)
            let above = min(below + 1, sorted.count - 1)
            return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
        }
        self.init(
            average: sorted.reduce(0, +) / Double(sorted.count),
            p50: percentile(0.5),
            p95: percentile(0.95),
            p99: percentile(0.99)
        )
    }
}
