internal import CarillonCore
internal import Logging
internal import Synchronization

/// Reads for the leader what it needs in memory: page by page along a primary key, so that neither side ever holds more
/// than a page. Has a thread of its own, and a connection that is closed again when nothing was asked for a minute.
final class StoreLoader: Sendable {
    /// The begin of the oldest transaction that was open when changes were looked for the last time.
    private let oldestOpen = Mutex<Timestamp?>(nil)
    struct Request: Sendable {
        var request: StoreRequest
        var answer: @Sendable (StoreAnswer) -> Void
    }

    private let mailbox = Mailbox<Request>()
    private let url: String
    private let logger: Logger
    private let outage: OutageLog
    private let name: String
    private let role: ConnectionRole

    init(url: String, role: ConnectionRole, name: String, logger: Logger, outage: OutageLog) {
        self.url = url
        self.role = role
        self.name = name
        self.logger = logger
        self.outage = outage
    }

    func start() {
        WorkThread.start(name) { self.loop() }
    }

    func submit(_ request: Request) {
        if !mailbox.post(request) { request.answer(.failed("this process is ending")) }
    }

    func shutdown() {
        mailbox.close()
    }

    private func loop() {
        let keeper = SessionKeeper(url: url, role: role, logger: logger, outage: outage)
        while !mailbox.isClosed {
            let (hasRequests, socketIsReady) = mailbox.wait(
                socket: keeper.session?.socket ?? -1,
                limitMs: keeper.session == nil ? -1 : 60_000
            )
            if !hasRequests {
                // Idle for a minute, or ended by the server.
                keeper.close()
                continue
            }
            if socketIsReady { keeper.close() }
            for request in mailbox.takeAll() { handle(request, keeper) }
        }
        for request in mailbox.takeAll() { request.answer(.failed("this process is ending")) }
    }

    private func handle(_ request: Request, _ keeper: SessionKeeper) {
        do throws(DatabaseError) {
            // After a failure the next attempt waits here, and with it whoever asks again at once.
            while keeper.session == nil, keeper.waitMs > 0 {
                guard mailbox.sleep(ms: keeper.waitMs) else { throw DatabaseError(.stopped, "this process is ending") }
            }
            _ = try keeper.open()
            switch request.request {
            case .loadJobs: try loadJobs(keeper, request.answer)
            case .loadJobsNamed(let ids): try loadJobsNamed(ids, keeper, request.answer)
            case .loadOpenExecutions(let since): try loadOpenExecutions(since, keeper, request.answer)
            case .loadGapRows(let gap): try loadGapRows(gap, keeper, request.answer)
            case .loadChangedJobs(let since): try loadChangedJobs(since, keeper, request.answer)
            case .findIdempotencyKey(let operation, let key):
                request.answer(.idempotencyRecord(try findKey(operation, key, keeper)))
            case .findExecution(let id): request.answer(.execution(try findExecution(id, keeper)))
            case .maintain(let retainFrom):
                try Maintenance(keeper: keeper, logger: logger).run(retainFrom: retainFrom)
                request.answer(.maintained)
            case .acquireLease, .renewLease, .releaseLease, .commit:
                request.answer(.failed("not a read"))
            }
        } catch {
            request.answer(.failed(error.message))
        }
    }

    // MARK: Pages

    private var pageSize: Int64 { 10_000 }

    private static let jobsPage = Statement(
        "jobs_page",
        """
        SELECT \(Job.columns) FROM jobs j WHERE j.deleted_at IS NULL AND NOT j.hidden AND j.job_id > $1::uuid
        ORDER BY j.job_id LIMIT $2::bigint
        """
    )

    private func loadJobs(
        _ keeper: SessionKeeper,
        _ answer: (StoreAnswer) -> Void
    ) throws(DatabaseError) {
        var after = UniqueID.zero
        while true {
            let parameters = Parameters()
            parameters.add(after)
            parameters.add(pageSize)
            let jobs = try keeper.run([Step(Self.jobsPage, parameters)]).first?.map { Job(row: &$0) } ?? []
            let isLast = jobs.count < pageSize
            answer(.jobs(jobs, isLast: isLast))
            guard !isLast, let last = jobs.last else { return }
            after = last.id.uuid
        }
    }

    private static let jobsNamed = Statement(
        "jobs_named",
        "SELECT \(Job.columns) FROM jobs j WHERE j.job_id = ANY ($1::uuid[]) ORDER BY j.job_id"
    )

    private func loadJobsNamed(
        _ ids: [JobID],
        _ keeper: SessionKeeper,
        _ answer: (StoreAnswer) -> Void
    ) throws(DatabaseError) {
        var rest = ids[...]
        repeat {
            let page = Array(rest.prefix(Int(pageSize)))
            rest = rest.dropFirst(page.count)
            let parameters = Parameters()
            parameters.addArray(uuid: page) { $0.uuid }
            let jobs = try keeper.run([Step(Self.jobsNamed, parameters)]).first?.map { Job(row: &$0) } ?? []
            answer(.jobs(jobs, isLast: rest.isEmpty))
        } while !rest.isEmpty
    }

    private static let oldestOpenTransaction = Statement(
        "oldest_open_transaction",
        """
        SELECT min(xact_start) FROM pg_stat_activity
        WHERE backend_xid IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid()
        """
    )
    private static let changedJobs = Statement(
        "changed_jobs",
        """
        SELECT \(Job.columns) FROM jobs j
        WHERE j.updated_at >= $1::timestamptz AND (j.updated_at, j.job_id) > ($2::timestamptz, $3::uuid)
        ORDER BY j.updated_at, j.job_id LIMIT $4::bigint
        """
    )

    /// Along updated_at. A page ends within a millisecond, so the next one begins with that millisecond again: a job may
    /// come twice, none is left out.
    private func loadChangedJobs(
        _ asked: Timestamp,
        _ keeper: SessionKeeper,
        _ answer: (StoreAnswer) -> Void
    ) throws(DatabaseError) {
        // updated_at is when a statement ran, not when its transaction was committed: what was open at the look before may
        // have come to light since.
        let since = min(asked, oldestOpen.withLock { $0 } ?? asked)
        let open = try keeper.run([Step(Self.oldestOpenTransaction)]).first.flatMap {
            $0.count > 0 ? $0[0].timestamp(0) : nil
        }
        defer { oldestOpen.withLock { $0 = open } }
        var (time, after) = (since, UniqueID.zero)
        var size = pageSize
        while true {
            let parameters = Parameters()
            parameters.add(since)
            parameters.add(time)
            parameters.add(after)
            parameters.add(size)
            let jobs = try keeper.run([Step(Self.changedJobs, parameters)]).first?.map { Job(row: &$0) } ?? []
            let isLast = jobs.count < size
            answer(.jobs(jobs, isLast: isLast))
            guard !isLast, let last = jobs.last else { return }
            if last.updatedAt > time {
                (time, after) = (last.updatedAt, .zero)
            } else {
                // More than a page within one millisecond: somebody changed them all with one statement.
                size *= 4
            }
        }
    }

    private static let openPage = Statement(
        "open_page",
        """
        SELECT \(Execution.columns) FROM job_executions e
        WHERE e.execution_id > $1::uuid AND e.status IN ('PENDING', 'RUNNING', 'RETRYING')
        ORDER BY e.execution_id LIMIT $2::bigint
        """
    )

    private func loadOpenExecutions(
        _ since: Timestamp,
        _ keeper: SessionKeeper,
        _ answer: (StoreAnswer) -> Void
    ) throws(DatabaseError) {
        // An id is never as small as the first of its time: version and variant bits are set.
        var after = ExecutionID.first(at: since).uuid
        while true {
            let parameters = Parameters()
            parameters.add(after)
            parameters.add(pageSize)
            let rows = try keeper.run([Step(Self.openPage, parameters)]).first?.map { Execution(row: &$0) } ?? []
            let isLast = rows.count < pageSize
            answer(.openExecutions(rows, isLast: isLast))
            guard !isLast, let last = rows.last else { return }
            after = last.id.uuid
        }
    }

    private static let gapPage = Statement(
        "gap_page",
        """
        SELECT e.execution_id, e.job_id, coalesce(e.skipped_from, e.scheduled_time), e.scheduled_time
        FROM job_executions e
        WHERE e.execution_id > $1::uuid AND e.execution_id < $2::uuid AND e.trigger = 'SCHEDULE'
        ORDER BY e.execution_id LIMIT $3::bigint
        """
    )

    private func loadGapRows(
        _ gap: Gap,
        _ keeper: SessionKeeper,
        _ answer: (StoreAnswer) -> Void
    ) throws(DatabaseError) {
        var after = ExecutionID.first(at: gap.from + 1).uuid
        let end = ExecutionID.first(at: gap.to + 1).uuid
        while true {
            let parameters = Parameters()
            parameters.add(after)
            parameters.add(end)
            parameters.add(pageSize)
            let result = try keeper.run([Step(Self.gapPage, parameters)]).first
            let found = result?.map { row in
                after = row.uuid() ?? after
                return GapRow(
                    jobID: JobID(row.uuid() ?? .zero),
                    from: row.timestamp() ?? gap.from,
                    to: row.timestamp() ?? gap.to
                )
            }
            let rows = found ?? []
            let isLast = rows.count < pageSize
            answer(.gapRows(rows, isLast: isLast))
            if isLast { return }
        }
    }

    // MARK: Single rows

    private static let keyStatement = Statement(
        "find_key",
        """
        SELECT operation, key, fingerprint, answer, expires_at FROM idempotency_keys
        WHERE operation = $1::text AND key = $2::text AND expires_at > clock_timestamp()
        """
    )

    private func findKey(
        _ operation: String,
        _ key: String,
        _ keeper: SessionKeeper
    ) throws(DatabaseError) -> IdempotencyRecord? {
        let parameters = Parameters()
        parameters.add(operation)
        parameters.add(key)
        return try keeper.run([Step(Self.keyStatement, parameters)]).first?.map { row in
            IdempotencyRecord(
                operation: row.text() ?? "",
                key: row.text() ?? "",
                fingerprint: row.text() ?? "",
                answer: row.uuid() ?? .zero,
                expiresAt: row.timestamp() ?? .distantPast
            )
        }.first
    }

    private static let executionStatement = Statement(
        "find_execution",
        "SELECT \(Execution.columns) FROM job_executions e WHERE e.execution_id = $1::uuid"
    )

    private func findExecution(_ id: ExecutionID, _ keeper: SessionKeeper) throws(DatabaseError) -> Execution? {
        let parameters = Parameters()
        parameters.add(id.uuid)
        return try keeper.run([Step(Self.executionStatement, parameters)]).first?.map { Execution(row: &$0) }.first
    }
}
