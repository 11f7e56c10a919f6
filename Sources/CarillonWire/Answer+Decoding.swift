internal import CCarillonProto
internal import CProtobuf
internal import CarillonCore

extension Answer {
    /// `nil` when the body is not an answer.
    init?(_ wire: Carillon__V1__Envelope) throws(WireError) {
        switch wire.body_case {
        case CARILLON__V1__ENVELOPE__BODY_JOB:
            self = .job(try JobView(wire.job))
        case CARILLON__V1__ENVELOPE__BODY_JOB_LIST:
            let body: UnsafeMutablePointer<Carillon__V1__JobList> = wire.job_list
            self = .jobList(
                try WireReader.list(body.pointee.n_jobs, body.pointee.jobs, JobView.init),
                nextCursor: WireReader.optionalText(body.pointee.next_cursor),
                totalCount: WireReader.optional(body.pointee.has_total_count, body.pointee.total_count)
            )
        case CARILLON__V1__ENVELOPE__BODY_DELETED:
            self = .deleted(JobID(WireReader.id(wire.deleted.pointee.job_id)))
        case CARILLON__V1__ENVELOPE__BODY_EXECUTION:
            let body: UnsafeMutablePointer<Carillon__V1__Execution> = wire.execution
            let execution = try Execution(body)
            self = .execution(
                execution,
                failedAttempts: try WireReader.list(
                    body.pointee.n_failed_attempts,
                    body.pointee.failed_attempts
                ) { (attempt) throws(WireError) in try Attempt(attempt, of: execution.id) },
                url: WireReader.optionalText(body.pointee.api_url)
            )
        case CARILLON__V1__ENVELOPE__BODY_EXECUTION_LIST:
            let body: UnsafeMutablePointer<Carillon__V1__ExecutionList> = wire.execution_list
            self = .executionList(
                try WireReader.list(body.pointee.n_executions, body.pointee.executions, Execution.init),
                nextCursor: WireReader.optionalText(body.pointee.next_cursor)
            )
        case CARILLON__V1__ENVELOPE__BODY_EXECUTION_STATS:
            let body: UnsafeMutablePointer<Carillon__V1__ExecutionStats> = wire.execution_stats
            self = .executionStats(
                JobID(WireReader.id(body.pointee.job_id)),
                from: Timestamp(milliseconds: body.pointee.from),
                to: Timestamp(milliseconds: body.pointee.to),
                ExecutionStats(body)
            )
        case CARILLON__V1__ENVELOPE__BODY_SCHEDULE_REFRESHED:
            self = .scheduleRefreshed(
                status: WireReader.text(wire.schedule_refreshed.pointee.status),
                jobs: wire.schedule_refreshed.pointee.jobs
            )
        case CARILLON__V1__ENVELOPE__BODY_SCHEDULE_PREVIEW:
            self = .schedulePreview(try SchedulePreview(wire.schedule_preview))
        case CARILLON__V1__ENVELOPE__BODY_CLUSTER:
            self = .cluster(try ClusterView(wire.cluster))
        default: return nil
        }
    }
}

extension JobView {
    /// Properties that the protocol does not carry (ad-hoc, deleted, effective from) get neutral values.
    init(_ wire: UnsafeMutablePointer<Carillon__V1__Job>) throws(WireError) {
        let settings = try JobSettings(wire.pointee.settings)
        let createdAt = Timestamp(milliseconds: wire.pointee.created_at)
        var job = Job(
            id: JobID(WireReader.id(wire.pointee.job_id)),
            schedule: "",
            call: HTTPCall(url: ""),
            effectiveFrom: createdAt,
            version: wire.pointee.version,
            createdAt: createdAt,
            updatedAt: Timestamp(milliseconds: wire.pointee.updated_at)
        )
        for field in JobField.all {
            guard let value = settings[field] else { continue }
            if !field.set(value, of: &job), case .seconds(let seconds) = value {
                throw WireError(.invalid, "\(seconds) is not a duration in seconds")
            }
        }
        self.init(
            job: job,
            scheduleDescription: WireReader.text(wire.pointee.schedule_description),
            nextRunTime: WireReader.time(wire.pointee.has_next_run_time, wire.pointee.next_run_time)
        )
    }
}

extension Execution {
    /// Properties that the protocol does not carry (the token) are empty.
    init(_ wire: UnsafeMutablePointer<Carillon__V1__Execution>) throws(WireError) {
        self.init(
            id: ExecutionID(WireReader.id(wire.pointee.execution_id)),
            jobID: JobID(WireReader.id(wire.pointee.job_id)),
            trigger: try Trigger(wire: wire.pointee.trigger),
            scheduledTime: Timestamp(milliseconds: wire.pointee.scheduled_time),
            status: try ExecutionStatus(wire: wire.pointee.status),
            reason: WireReader.optionalText(wire.pointee.reason).flatMap(Reason.init(rawValue:)),
            attempts: Int(wire.pointee.attempts),
            lostAttempts: wire.pointee.has_lost_attempts != 0 ? Int(wire.pointee.lost_attempts) : 0,
            createdAt: Timestamp(milliseconds: wire.pointee.created_at)
        )
        actualStartTime = WireReader.time(wire.pointee.has_actual_start_time, wire.pointee.actual_start_time)
        finishedAt = WireReader.time(wire.pointee.has_finished_at, wire.pointee.finished_at)
        httpStatus = wire.pointee.has_http_status != 0 ? Int(wire.pointee.http_status) : nil
        if wire.pointee.has_duration_ms != 0 {
            durationMicroseconds = try WireDuration.microseconds(wire.pointee.duration_ms)
        }
        if wire.pointee.has_drift_ms != 0 {
            driftMicroseconds = try WireDuration.microseconds(wire.pointee.drift_ms)
        }
        response = WireReader.optionalText(wire.pointee.response)
        errorMessage = WireReader.optionalText(wire.pointee.error_message)
        worker = WireReader.optionalText(wire.pointee.worker)
        nextAttemptAt = WireReader.time(wire.pointee.has_next_attempt_at, wire.pointee.next_attempt_at)
        skippedCount = WireReader.optional(wire.pointee.has_skipped_count, wire.pointee.skipped_count)
        skippedFrom = WireReader.time(wire.pointee.has_skipped_from, wire.pointee.skipped_from)
    }
}

extension Attempt {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__Attempt>, of execution: ExecutionID) throws(WireError) {
        self.init(
            executionID: execution,
            number: Int(wire.pointee.attempt),
            token: DispatchToken(epoch: 0, sequence: 0),
            startedAt: Timestamp(milliseconds: wire.pointee.started_at),
            finishedAt: Timestamp(milliseconds: wire.pointee.finished_at),
            durationMicroseconds: try WireDuration.microseconds(
                wire.pointee.has_duration_ms != 0 ? wire.pointee.duration_ms : 0
            ),
            httpStatus: wire.pointee.has_http_status != 0 ? Int(wire.pointee.http_status) : nil,
            response: WireReader.optionalText(wire.pointee.response),
            errorMessage: WireReader.optionalText(wire.pointee.error_message),
            worker: WireReader.optionalText(wire.pointee.worker)
        )
    }
}

extension ExecutionStats {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__ExecutionStats>) {
        self.init()
        total = wire.pointee.total_executions
        successes = wire.pointee.success_count
        failures = wire.pointee.failure_count
        if wire.pointee.has_avg_duration_ms != 0 {
            duration = Summary(
                average: wire.pointee.avg_duration_ms * 1000,
                p50: wire.pointee.p50_duration_ms * 1000,
                p95: wire.pointee.p95_duration_ms * 1000,
                p99: wire.pointee.p99_duration_ms * 1000
            )
        }
        if wire.pointee.has_avg_drift_ms != 0 {
            drift = Summary(
                average: wire.pointee.avg_drift_ms * 1000,
                p50: wire.pointee.p50_drift_ms * 1000,
                p95: wire.pointee.p95_drift_ms * 1000,
                p99: wire.pointee.p99_drift_ms * 1000
            )
        }
    }
}

extension SchedulePreview {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__SchedulePreview>) throws(WireError) {
        self.init(
            schedule: WireReader.text(wire.pointee.schedule),
            timeZone: WireReader.text(wire.pointee.time_zone),
            scheduleDescription: WireReader.text(wire.pointee.schedule_description),
            times: try WireReader.list(wire.pointee.n_times, wire.pointee.times) { (time) throws(WireError) in
                PreviewedTime(
                    time: Timestamp(milliseconds: time.pointee.time),
                    localTime: WireReader.text(time.pointee.local_time)
                )
            }
        )
    }
}

extension ClusterView {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__Cluster>) throws(WireError) {
        self.init(
            serverID: WireReader.id(wire.pointee.server_id),
            leading: wire.pointee.leading != 0,
            epoch: WireReader.optional(wire.pointee.has_epoch, wire.pointee.epoch),
            leaderAddress: WireReader.optionalText(wire.pointee.leader_address),
            clusterTime: Timestamp(milliseconds: wire.pointee.cluster_time),
            databaseSkewMs: wire.pointee.database_skew_ms,
            databaseConnected: wire.pointee.database_connected != 0,
            jobs: wire.pointee.jobs,
            activeJobs: wire.pointee.active_jobs,
            heapSize: wire.pointee.heap_size,
            readyQueueDepth: wire.pointee.ready_queue_depth,
            openExecutions: wire.pointee.open_executions,
            shards: try WireReader.list(wire.pointee.n_shards, wire.pointee.shards, ShardRecord.init),
            workers: try WireReader.list(wire.pointee.n_workers, wire.pointee.workers, WorkerView.init),
            version: WireReader.text(wire.pointee.version),
            timeZoneDataVersion: WireReader.text(wire.pointee.tzdata_version),
            startedAt: WireReader.time(wire.pointee.has_started_at, wire.pointee.started_at),
            problem: WireReader.optionalText(wire.pointee.problem)
        )
    }
}

extension ShardRecord {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__ShardState>) throws(WireError) {
        self.init(
            shard: try WireReader.shard(wire.pointee.shard),
            owner: wire.pointee.has_owner_id != 0 ? WireReader.id(wire.pointee.owner_id) : nil,
            address: WireReader.optionalText(wire.pointee.address),
            epoch: wire.pointee.epoch,
            leaseExpiresAt: WireReader.time(wire.pointee.has_lease_expires_at, wire.pointee.lease_expires_at),
            materializedThrough: WireReader.time(
                wire.pointee.has_materialized_through,
                wire.pointee.materialized_through
            ),
            settledThrough: WireReader.time(wire.pointee.has_settled_through, wire.pointee.settled_through),
            outage: wire.pointee.has_gap_from != 0 && wire.pointee.has_gap_to != 0
                ? Outage(
                    from: Timestamp(milliseconds: wire.pointee.gap_from),
                    to: Timestamp(milliseconds: wire.pointee.gap_to)
                ) : nil
        )
    }
}

extension WorkerView {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__WorkerState>) throws(WireError) {
        self.init(
            name: WireReader.text(wire.pointee.name),
            bootID: WireReader.id(wire.pointee.boot_id),
            address: WireReader.text(wire.pointee.address),
            draining: wire.pointee.draining != 0,
            maxWorkers: Int(wire.pointee.max_workers),
            inFlight: Int(wire.pointee.in_flight),
            freeSlots: Int(wire.pointee.free_slots),
            skewMs: WireReader.optional(wire.pointee.has_skew_ms, wire.pointee.skew_ms),
            version: WireReader.optionalText(wire.pointee.version)
        )
    }
}
