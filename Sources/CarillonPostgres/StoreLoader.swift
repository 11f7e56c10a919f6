internal import CarillonCore
internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Reads the leader's data into memory, page by page along a primary key, so that neither side holds more than a page. Uses a
/// separate thread, and a connection that is closed after a minute without requests.
final class StoreLoader: Sendable {
    /// The start of the oldest transaction that was open at the last read of changes.
    private let oldestOpen = Mutex<Timestamp?>(nil)
    struct Request: Sendable {
        var request: StoreRequest
        var answer: @Sendable (StoreAnswer) -> Void
    }

    private let mailbox = Mailbox<Request>()
    private let context: StoreContext
    private let name: String
    private let role: ConnectionRole

    init(_ context: StoreContext, role: ConnectionRole, name: String) {
        self.context = context
        self.role = role
        self.name = name
    }

    func start() {
        NativeThread.startDetached(name: name) { self.loop() }
    }

    func submit(_ request: Request) {
        if !mailbox.post(request) { request.answer(.failed("the process is stopping")) }
    }

    func shutdown() {
        mailbox.close()
    }

    private func loop() {
        let keeper = context.keeper(role)
        var backoff = Backoff()
        // Boxed, because the thread sanitizer needs an address for an inout argument, and an empty value has none.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        // The number of the read in progress, kept over its attempts.
        var number: UInt64?
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
            for request in mailbox.takeAll() {
                if role == .loader, number == nil { number = context.health.began(.load) }
                if let error = handle(request, keeper) {
                    context.health.failed(role, error)
                    if !error.endsConnection {
                        context.outage.refused(role, error)
                        // Delays the next attempt, so that a caller that retries at once does not flood a database that refuses.
                        _ = mailbox.sleep(ms: backoff.failed(using: &random))
                    }
                    request.answer(.failed(error.message))
                } else {
                    backoff.succeeded()
                    if let begun = number { context.health.ended(.load, begun) }
                    number = nil
                }
            }
        }
        for request in mailbox.takeAll() { request.answer(.failed("the process is stopping")) }
    }

    /// Returns the error if the read failed; the request is then not answered yet.
    private func handle(_ request: Request, _ keeper: SessionKeeper) -> DatabaseError? {
        do throws(DatabaseError) {
            // After a failure the next attempt waits here, and a caller that retries at once waits too.
            while keeper.session == nil, keeper.waitMs > 0 {
                guard mailbox.sleep(ms: keeper.waitMs) else { throw DatabaseError(.stopped, "the process is stopping") }
            }
            _ = try keeper.open()
            switch request.request {
            case .loadJobs: try loadJobs(keeper, request.answer)
            case .loadJobsNamed(let ids): try loadJobsNamed(ids, keeper, request.answer)
            case .loadOpenExecutions(let since): try loadOpenExecutions(since, keeper, request.answer)
            case .loadOutageRows(let outage): try loadOutageRows(outage, keeper, request.answer)
            case .loadChangedJobs(let since): try loadChangedJobs(since, keeper, request.answer)
            case .findIdempotencyKey(let operation, let key):
                request.answer(.idempotencyRecord(try findKey(operation, key, keeper)))
            case .findExecution(let id): request.answer(.execution(try findExecution(id, keeper)))
            case .maintain(let retainFrom):
                try Maintenance(keeper: keeper, context: context).run(retainFrom: retainFrom)
                request.answer(.maintained)
            case .acquireLease, .renewLease, .releaseLease, .commit:
                request.answer(.failed("not a read"))
            }
            return nil
        } catch {
            return error
        }
    }

    /// Waits while rows arrive, and longer while the server answers elsewhere.
    func read(_ step: Step, _ keeper: SessionKeeper) throws(DatabaseError) -> QueryResult? {
        try keeper.run([step], .progress(context.watch)).first
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
            let jobs = try read(Step(Self.jobsPage, parameters), keeper)?.map { Job(row: &$0) } ?? []
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
            let jobs = try read(Step(Self.jobsNamed, parameters), keeper)?.map { Job(row: &$0) } ?? []
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

    /// Follows updated_at. A page ends within a millisecond, and the next page starts with the same millisecond: a job may appear
    /// twice, but none is missed.
    private func loadChangedJobs(
        _ asked: Timestamp,
        _ keeper: SessionKeeper,
        _ answer: (StoreAnswer) -> Void
    ) throws(DatabaseError) {
        // updated_at is the time of a statement, not of its commit. Transactions that were open at the last read may have been
        // committed since.
        let since = min(asked, oldestOpen.withLock { $0 } ?? asked)
        let open = try read(Step(Self.oldestOpenTransaction), keeper).flatMap {
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
            let jobs = try read(Step(Self.changedJobs, parameters), keeper)?.map { Job(row: &$0) } ?? []
            let isLast = jobs.count < size
            answer(.jobs(jobs, isLast: isLast))
            guard !isLast, let last = jobs.last else { return }
            if last.updatedAt > time {
                (time, after) = (last.updatedAt, .zero)
            } else {
                // More than a page within one millisecond: a single statement changed them all.
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
        // An id is always larger than the first id of its time, because version and variant bits are set.
        var after = ExecutionID.first(at: since).uuid
        while true {
            let parameters = Parameters()
            parameters.add(after)
            parameters.add(pageSize)
            let rows = try read(Step(Self.openPage, parameters), keeper)?.map { Execution(row: &$0) } ?? []
            let isLast = rows.count < pageSize
            answer(.openExecutions(rows, isLast: isLast))
            guard !isLast, let last = rows.last else { return }
            after = last.id.uuid
        }
    }

    private static let outagePage = Statement(
        "gap_page",
        """
        SELECT e.execution_id, e.job_id, coalesce(e.skipped_from, e.scheduled_time), e.scheduled_time
        FROM job_executions e
        WHERE e.execution_id > $1::uuid AND e.execution_id < $2::uuid AND e.trigger = 'SCHEDULE'
        ORDER BY e.execution_id LIMIT $3::bigint
        """
    )

    private func loadOutageRows(
        _ outage: Outage,
        _ keeper: SessionKeeper,
        _ answer: (StoreAnswer) -> Void
    ) throws(DatabaseError) {
        var after = ExecutionID.first(at: outage.from + 1).uuid
        let end = ExecutionID.first(at: outage.to + 1).uuid
        while true {
            let parameters = Parameters()
            parameters.add(after)
            parameters.add(end)
            parameters.add(pageSize)
            let result = try read(Step(Self.outagePage, parameters), keeper)
            let found = result?.map { row in
                after = row.uuid() ?? after
                return OutageRow(
                    jobID: JobID(row.uuid() ?? .zero),
                    from: row.timestamp() ?? outage.from,
                    to: row.timestamp() ?? outage.to
                )
            }
            let rows = found ?? []
            let isLast = rows.count < pageSize
            answer(.outageRows(rows, isLast: isLast))
            if isLast { return }
        }
    }
}
