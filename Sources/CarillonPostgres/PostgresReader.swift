package import CarillonCore
package import Logging

/// Reads for clients: jobs from the primary, so that the next read sees a change; history from there or from a replica.
///
/// Pages follow primary keys, so every page costs the same. A range of times is a range of execution ids, so only the partitions
/// of its days are read. A query may take 10 s.
package final class PostgresReader: HistoryReader {
    private let primary: ReaderPool
    private let history: ReaderPool
    private let hasReplica: Bool
    private let jobReads: JobReads

    /// Connects on first use.
    package init(configuration: PostgresConfiguration, logger: Logger) {
        let outage = OutageLog(logger: logger)
        primary = ReaderPool(
            url: configuration.url,
            role: .reader,
            connections: configuration.connections,
            logger: logger,
            outage: outage
        )
        hasReplica = configuration.readURL != nil
        history =
            configuration.readURL.map {
                ReaderPool(
                    url: $0,
                    role: .history,
                    connections: configuration.connections,
                    logger: logger,
                    outage: outage
                )
            } ?? primary
        jobReads = JobReads(pool: primary)
        primary.start()
        if hasReplica { history.start() }
    }

    /// Refuses waiting queries, finishes running ones, closes the connections.
    package func shutdown() {
        primary.shutdown()
        if hasReplica { history.shutdown() }
    }

    // MARK: Jobs

    package func job(_ id: JobID, includingDeleted: Bool) async throws(ReadError) -> Job? {
        let job = try await jobReads.job(id)
        return includingDeleted || job?.deletedAt == nil ? job : nil
    }

    package func jobs(_ query: JobQuery) async throws(ReadError) -> (jobs: [Job], hasMore: Bool, total: Int64?) {
        try await primary.read { keeper throws(DatabaseError) in
            let (statement, parameters) = JobPage.statement(query)
            var jobs = try keeper.rows(statement, parameters) { Job(row: &$0) }
            let hasMore = jobs.count > query.limit
            if hasMore { jobs.removeLast(jobs.count - query.limit) }
            guard query.isUnfiltered else { return (jobs, hasMore, nil) }
            let count = Statement("job_count", "SELECT coalesce(sum(jobs), 0)::bigint FROM job_count")
            let total = try keeper.rows(count, Parameters()) { $0.integer() ?? 0 }.first
            return (jobs, hasMore, total)
        }
    }

    // MARK: Executions

    package func executions(
        _ query: ExecutionQuery
    ) async throws(ReadError) -> (executions: [Execution], hasMore: Bool) {
        try await history.read { keeper throws(DatabaseError) in
            let (statement, parameters) = ExecutionPage.statement(query)
            var rows = try keeper.rows(statement, parameters) { Execution(row: &$0) }
            let hasMore = rows.count > query.limit
            if hasMore { rows.removeLast(rows.count - query.limit) }
            return (rows, hasMore)
        }
    }

    private static let executionStatement = Statement(
        "execution",
        "SELECT \(Execution.columns) FROM job_executions e WHERE e.execution_id = $1::uuid AND e.job_id = $2::uuid"
    )
    private static let attemptsStatement = Statement(
        "attempts",
        """
        SELECT \(Attempt.columns) FROM execution_attempts WHERE execution_id = $1::uuid
        ORDER BY attempt, token_epoch, token_sequence
        """
    )

    package func execution(
        _ id: ExecutionID,
        of job: JobID
    ) async throws(ReadError) -> (execution: Execution, attempts: [Attempt])? {
        try await history.read { keeper throws(DatabaseError) in
            let one = Parameters()
            one.add(id.uuid)
            one.add(job.uuid)
            let found = try keeper.rows(Self.executionStatement, one) { Execution(row: &$0) }
            guard let execution = found.first else { return nil }
            let all = Parameters()
            all.add(id.uuid)
            return (execution, try keeper.rows(Self.attemptsStatement, all) { Attempt(row: &$0) })
        }
    }

    /// Rows that were created ahead of their time do not count yet.
    private static let latestStatement = Statement(
        "latest",
        """
        SELECT \(Execution.columns) FROM job_executions e
        WHERE e.job_id = $1::uuid AND (e.status <> 'PENDING' OR e.scheduled_time <= clock_timestamp())
        ORDER BY e.execution_id DESC LIMIT 1
        """
    )

    package func latestExecution(of job: JobID) async throws(ReadError) -> Execution? {
        try await history.read { keeper throws(DatabaseError) in
            let parameters = Parameters()
            parameters.add(job.uuid)
            return try keeper.rows(Self.latestStatement, parameters) { Execution(row: &$0) }.first
        }
    }

    package func stats(of job: JobID, from: Timestamp, to: Timestamp) async throws(ReadError) -> ExecutionStats {
        try await history.read { keeper throws(DatabaseError) in
            let parameters = Parameters()
            parameters.add(job.uuid)
            parameters.add(ExecutionPage.bound(from))
            parameters.add(ExecutionPage.bound(to))
            let rows = try keeper.rows(ExecutionStats.statement, parameters) { ExecutionStats(row: &$0) }
            return rows.first ?? ExecutionStats()
        }
    }

    package func shards() async throws(ReadError) -> [ShardRecord] {
        let statement = Statement("shards", "SELECT \(ShardRecord.columns(of: "s")) FROM shards s ORDER BY s.shard")
        return try await primary.read { keeper throws(DatabaseError) in
            try keeper.rows(statement, Parameters()) { ShardRecord(row: &$0) }
        }
    }
}

extension SessionKeeper {
    /// The rows of a client's query. The limit is slightly longer than the server's, so that the server's error arrives first.
    func rows<Value>(
        _ statement: Statement,
        _ parameters: Parameters,
        _ transform: (inout RowReader) -> Value
    ) throws(DatabaseError) -> [Value] {
        try run([Step(statement, parameters)], Patience.total(12_000)).first?.map(transform) ?? []
    }
}
