internal import CarillonCore
internal import CarillonCron
internal import CarillonRuntime
internal import CarillonWire

/// Requests that read, and the cancel.
extension RequestDesk {
    func listJobs(_ list: ListJobs) async throws(ClientError) -> Answer {
        let query = JobQuery(
            active: list.active,
            name: list.name,
            tag: list.tag,
            lastStatus: list.lastStatus,
            limit: try limit(list.limit),
            after: try cursor(list.cursor).map { JobID($0) }
        )
        do throws(ReadError) {
            let page = try await reader.jobs(query)
            let (jobs, isCut) = fitting(page.jobs) { $0.call.body?.utf8.count ?? 0 }
            return .jobList(
                jobs.map(view),
                nextCursor: page.hasMore || isCut ? jobs.last?.id.description : nil,
                totalCount: query.isUnfiltered ? page.total : nil
            )
        } catch {
            throw unavailable(error)
        }
    }

    func listExecutions(_ list: ListExecutions) async throws(ClientError) -> Answer {
        let query = ExecutionQuery(
            jobID: list.jobID,
            statuses: list.statuses,
            from: list.from,
            to: list.to,
            limit: try limit(list.limit),
            after: try cursor(list.cursor).map { ExecutionID($0) }
        )
        if let from = list.from, let to = list.to, to <= from {
            throw ClientError(
                .invalidArgument,
                "to is not after from; it must be later",
                errors: [FieldError(field: "to", message: "is not after from; it must be later")]
            )
        }
        if let id = list.jobID { try await requireEverExisted(id) }
        do throws(ReadError) {
            let page = try await reader.executions(query)
            let (executions, isCut) = fitting(page.executions) { $0.response?.utf8.count ?? 0 }
            return .executionList(
                executions,
                nextCursor: page.hasMore || isCut ? executions.last?.id.description : nil
            )
        } catch {
            throw unavailable(error)
        }
    }

    /// As many of a page as go into half a frame, at least one: rows with large texts make short pages.
    private func fitting<Row>(_ rows: [Row], textBytes: (Row) -> Int) -> (rows: [Row], isCut: Bool) {
        var bytes = 0
        for (index, row) in rows.enumerated() {
            // Everything else of a row: headers, tags, names, an error.
            bytes += textBytes(row) + 2_048
            if bytes > configuration.maxFrameBytes / 2, index > 0 { return (Array(rows[..<index]), true) }
        }
        return (rows, false)
    }

    /// A deleted job's history stays; a job that never was has none.
    func requireEverExisted(_ id: JobID) async throws(ClientError) {
        guard try await find(id) != nil else {
            throw ClientError(.notFound, "there never was a job \(id)")
        }
    }

    func execution(_ id: ExecutionID, of job: JobID) async throws(ClientError) -> Answer {
        let found: (execution: Execution, attempts: [Attempt])?
        do throws(ReadError) {
            found = try await reader.execution(id, of: job)
        } catch {
            throw unavailable(error)
        }
        guard let found else { throw noSuchExecution(id, job) }
        return .execution(found.execution, failedAttempts: found.attempts, url: nil)
    }

    private func noSuchExecution(_ id: ExecutionID, _ job: JobID) -> ClientError {
        ClientError(.notFound, "job \(job) has no execution \(id); it may be older than what is kept")
    }

    func latestExecution(of job: JobID) async throws(ClientError) -> Answer {
        try await requireEverExisted(job)
        let found: Execution?
        do throws(ReadError) {
            found = try await reader.latestExecution(of: job)
        } catch {
            throw unavailable(error)
        }
        guard let found else { throw ClientError(.notFound, "job \(job) has no execution yet") }
        return .execution(found, failedAttempts: [], url: nil)
    }

    func stats(of job: JobID, from: Timestamp?, to: Timestamp?) async throws(ClientError) -> Answer {
        try await requireEverExisted(job)
        let to = to ?? status.clusterTime()
        let from = from ?? to - 86_400_000
        guard from < to else {
            throw ClientError(
                .invalidArgument,
                "to is not after from; it must be later",
                errors: [FieldError(field: "to", message: "is not after from; it must be later")]
            )
        }
        do throws(ReadError) {
            return .executionStats(job, from: from, to: to, try await reader.stats(of: job, from: from, to: to))
        } catch {
            throw unavailable(error)
        }
    }

    func cancel(_ id: ExecutionID, of job: JobID) async throws(ClientError) -> Answer {
        try requireLeading()
        switch try await change(.cancel(job, id)) {
        case .execution(let execution):
            return .execution(execution, failedAttempts: [], url: nil)
        default:
            guard case .execution(let execution, _, _) = try await execution(id, of: job) else {
                throw noSuchExecution(id, job)
            }
            throw ClientError(
                .failedPrecondition,
                "the execution is over: it ended as \(execution.status.rawValue); only one that is open or still to come can be cancelled",
                reason: .alreadyFinished
            )
        }
    }

    func preview(_ preview: PreviewSchedule) throws(ClientError) -> Answer {
        var policy = DaylightPolicy.cron
        if let name = preview.daylightPolicy {
            guard let named = DaylightPolicy(rawValue: name) else {
                let allowed = DaylightPolicy.allCases.map(\.rawValue).joined(separator: ", ")
                throw ClientError(
                    .invalidArgument,
                    "dst_policy: \"\(name.prefix(40))\" is none of \(allowed)",
                    errors: [FieldError(field: "dst_policy", message: "\"\(name.prefix(40))\" is none of \(allowed)")]
                )
            }
            policy = named
        }
        let count = Int(preview.count ?? 10)
        guard (1...1000).contains(count) else {
            throw ClientError(
                .invalidArgument,
                "count is \(count); allowed are 1 to 1000",
                errors: [FieldError(field: "count", message: "is \(count); allowed are 1 to 1000")]
            )
        }
        let zone = preview.timeZone ?? "UTC"
        let plan: SchedulePlan
        switch catalog.plan(preview.schedule, zone, policy) {
        case .success(let found): plan = found
        case .failure(let failure):
            let text = failure.errors.map { "\($0.field): \($0.message)" }.joined(separator: "; ")
            throw ClientError(.invalidArgument, text, errors: failure.errors)
        }
        var times: [SchedulePreview.PreviewedTime] = []
        var time = preview.from ?? status.clusterTime()
        while times.count < count, let next = plan.next(after: time) {
            let offset = plan.zone.offset(at: next.seconds).seconds
            times.append(
                SchedulePreview.PreviewedTime(
                    time: next,
                    localTime: RFC3339.format(seconds: next.seconds, offset: offset)
                )
            )
            time = next
        }
        return .schedulePreview(
            SchedulePreview(
                schedule: preview.schedule,
                timeZone: zone,
                scheduleDescription: plan.expression.explained(),
                times: times
            )
        )
    }

    func cluster() async -> Answer {
        let current = status.current
        let shards = try? await reader.shards()
        let now = status.clusterTime()
        let limitMs = Int64(configuration.dispatcher.leaseMs)
        let isWaiting = store.health.problem(limitMs: limitMs) != nil
        let workers = peers.workers.map { entry in
            let figures = current.workers[entry.peer.id]
            return WorkerView(
                name: entry.peer.hello.name,
                bootID: entry.peer.hello.bootID,
                address: entry.peer.address,
                draining: figures?.isDraining ?? false,
                maxWorkers: Int(entry.peer.hello.maxWorkers ?? 0),
                inFlight: figures?.inFlight ?? 0,
                freeSlots: figures?.freeSlots ?? 0,
                skewMs: entry.skewMs,
                version: entry.peer.hello.version
            )
        }
        let leader = current.isLeading ? status.ownAddress : livingLeader(shards, now)
        return .cluster(
            ClusterView(
                serverID: configuration.dispatcher.owner,
                leading: current.isLeading,
                epoch: current.epoch,
                leaderAddress: leader,
                clusterTime: now,
                databaseSkewMs: now - SystemClock.now().wall,
                databaseConnected: shards != nil && !isWaiting,
                jobs: Int64(current.jobs),
                activeJobs: Int64(current.activeJobs),
                heapSize: Int64(current.heapSize),
                readyQueueDepth: Int64(current.readyQueueDepth),
                openExecutions: Int64(current.openExecutions),
                shards: shards ?? [],
                workers: workers,
                version: configuration.version,
                timeZoneDataVersion: zones.version,
                startedAt: startedAt,
                problem: status.problem(of: store.health, limitMs: limitMs)
            )
        )
    }

    /// Who leads by the database's word; nobody when the lease has run out.
    private func livingLeader(_ shards: [ShardRecord]?, _ now: Timestamp) -> String? {
        guard let shard = shards?.first, let until = shard.leaseExpiresAt, until > now else { return nil }
        return shard.address
    }
}
