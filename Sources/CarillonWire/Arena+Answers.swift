internal import CCarillonProto
internal import CarillonCore

/// Answers to clients, as protobuf-c's structs.
extension Arena {
    func answer(_ answer: Answer, into envelope: inout Carillon__V1__Envelope) {
        switch answer {
        case .job(let view):
            let wire = one(carillon__v1__job__init)
            fill(view, wire)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_JOB
            envelope.job = wire
        case .jobList(let views, let nextCursor, let totalCount):
            let wire = one(carillon__v1__job_list__init)
            (wire.pointee.n_jobs, wire.pointee.jobs) = list(views, carillon__v1__job__init, fill)
            wire.pointee.next_cursor = string(nextCursor)
            set(totalCount, &wire.pointee.has_total_count, &wire.pointee.total_count)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_JOB_LIST
            envelope.job_list = wire
        case .deleted(let job):
            let wire = one(carillon__v1__deleted__init)
            wire.pointee.job_id = id(job.uuid)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_DELETED
            envelope.deleted = wire
        case .execution(let execution, let failedAttempts, let url):
            let wire = one(carillon__v1__execution__init)
            fill(execution, wire)
            (wire.pointee.n_failed_attempts, wire.pointee.failed_attempts) = list(
                failedAttempts,
                carillon__v1__attempt__init,
                fill
            )
            wire.pointee.api_url = string(url)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_EXECUTION
            envelope.execution = wire
        case .executionList(let executions, let nextCursor):
            let wire = one(carillon__v1__execution_list__init)
            (wire.pointee.n_executions, wire.pointee.executions) = list(
                executions,
                carillon__v1__execution__init,
                fill
            )
            wire.pointee.next_cursor = string(nextCursor)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_EXECUTION_LIST
            envelope.execution_list = wire
        case .executionStats(let job, let from, let to, let stats):
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_EXECUTION_STATS
            envelope.execution_stats = executionStats(job, from, to, stats)
        case .scheduleRefreshed(let status, let jobs):
            let wire = one(carillon__v1__schedule_refreshed__init)
            wire.pointee.status = string(status)
            wire.pointee.jobs = jobs
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_SCHEDULE_REFRESHED
            envelope.schedule_refreshed = wire
        case .schedulePreview(let preview):
            let wire = one(carillon__v1__schedule_preview__init)
            wire.pointee.schedule = string(preview.schedule)
            wire.pointee.time_zone = string(preview.timeZone)
            wire.pointee.schedule_description = string(preview.scheduleDescription)
            (wire.pointee.n_times, wire.pointee.times) = list(preview.times, carillon__v1__previewed_time__init) {
                $1.pointee.time = $0.time.milliseconds
                $1.pointee.local_time = string($0.localTime)
            }
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_SCHEDULE_PREVIEW
            envelope.schedule_preview = wire
        case .cluster(let view):
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_CLUSTER
            envelope.cluster = cluster(view)
        }
    }

    private func fill(_ execution: Execution, _ wire: UnsafeMutablePointer<Carillon__V1__Execution>) {
        wire.pointee.execution_id = id(execution.id.uuid)
        wire.pointee.job_id = id(execution.jobID.uuid)
        wire.pointee.trigger = execution.trigger.wire
        wire.pointee.scheduled_time = execution.scheduledTime.milliseconds
        set(
            execution.actualStartTime?.milliseconds,
            &wire.pointee.has_actual_start_time,
            &wire.pointee.actual_start_time
        )
        set(execution.finishedAt?.milliseconds, &wire.pointee.has_finished_at, &wire.pointee.finished_at)
        wire.pointee.status = execution.status.wire
        wire.pointee.reason = string(execution.reason?.rawValue)
        wire.pointee.attempts = UInt32(clamping: execution.attempts)
        set(
            execution.httpStatus.map { UInt32(clamping: $0) },
            &wire.pointee.has_http_status,
            &wire.pointee.http_status
        )
        set(
            execution.durationMicroseconds.map(WireDuration.milliseconds),
            &wire.pointee.has_duration_ms,
            &wire.pointee.duration_ms
        )
        set(
            execution.driftMicroseconds.map(WireDuration.milliseconds),
            &wire.pointee.has_drift_ms,
            &wire.pointee.drift_ms
        )
        wire.pointee.response = string(execution.response)
        wire.pointee.error_message = string(execution.errorMessage)
        wire.pointee.worker = string(execution.worker)
        wire.pointee.created_at = execution.createdAt.milliseconds
        set(
            execution.nextAttemptAt?.milliseconds,
            &wire.pointee.has_next_attempt_at,
            &wire.pointee.next_attempt_at
        )
        let lost = execution.lostAttempts > 0 ? UInt32(clamping: execution.lostAttempts) : nil
        set(lost, &wire.pointee.has_lost_attempts, &wire.pointee.lost_attempts)
        set(execution.skippedCount, &wire.pointee.has_skipped_count, &wire.pointee.skipped_count)
        set(execution.skippedFrom?.milliseconds, &wire.pointee.has_skipped_from, &wire.pointee.skipped_from)
    }

    private func fill(_ attempt: Attempt, _ wire: UnsafeMutablePointer<Carillon__V1__Attempt>) {
        wire.pointee.attempt = UInt32(clamping: attempt.number)
        wire.pointee.started_at = attempt.startedAt.milliseconds
        wire.pointee.finished_at = attempt.finishedAt.milliseconds
        set(
            attempt.httpStatus.map { UInt32(clamping: $0) },
            &wire.pointee.has_http_status,
            &wire.pointee.http_status
        )
        wire.pointee.has_duration_ms = 1
        wire.pointee.duration_ms = WireDuration.milliseconds(attempt.durationMicroseconds)
        wire.pointee.response = string(attempt.response)
        wire.pointee.error_message = string(attempt.errorMessage)
        wire.pointee.worker = string(attempt.worker)
    }

    private func executionStats(
        _ job: JobID,
        _ from: Timestamp,
        _ to: Timestamp,
        _ stats: ExecutionStats
    ) -> UnsafeMutablePointer<Carillon__V1__ExecutionStats> {
        let wire = one(carillon__v1__execution_stats__init)
        wire.pointee.job_id = id(job.uuid)
        wire.pointee.from = from.milliseconds
        wire.pointee.to = to.milliseconds
        wire.pointee.total_executions = stats.total
        wire.pointee.success_count = stats.successes
        wire.pointee.failure_count = stats.failures
        let ended = stats.successes + stats.failures
        if ended > 0 {
            wire.pointee.has_success_rate = 1
            wire.pointee.success_rate = Double(stats.successes) * 100 / Double(ended)
        }
        if let duration = stats.duration {
            set(duration.average / 1000, &wire.pointee.has_avg_duration_ms, &wire.pointee.avg_duration_ms)
            set(duration.p50 / 1000, &wire.pointee.has_p50_duration_ms, &wire.pointee.p50_duration_ms)
            set(duration.p95 / 1000, &wire.pointee.has_p95_duration_ms, &wire.pointee.p95_duration_ms)
            set(duration.p99 / 1000, &wire.pointee.has_p99_duration_ms, &wire.pointee.p99_duration_ms)
        }
        if let drift = stats.drift {
            set(drift.average / 1000, &wire.pointee.has_avg_drift_ms, &wire.pointee.avg_drift_ms)
            set(drift.p50 / 1000, &wire.pointee.has_p50_drift_ms, &wire.pointee.p50_drift_ms)
            set(drift.p95 / 1000, &wire.pointee.has_p95_drift_ms, &wire.pointee.p95_drift_ms)
            set(drift.p99 / 1000, &wire.pointee.has_p99_drift_ms, &wire.pointee.p99_drift_ms)
        }
        return wire
    }

    private func cluster(_ view: ClusterView) -> UnsafeMutablePointer<Carillon__V1__Cluster> {
        let wire = one(carillon__v1__cluster__init)
        wire.pointee.server_id = id(view.serverID)
        wire.pointee.leading = view.leading ? 1 : 0
        set(view.epoch, &wire.pointee.has_epoch, &wire.pointee.epoch)
        wire.pointee.leader_address = string(view.leaderAddress)
        wire.pointee.cluster_time = view.clusterTime.milliseconds
        wire.pointee.database_skew_ms = view.databaseSkewMs
        wire.pointee.database_connected = view.databaseConnected ? 1 : 0
        wire.pointee.jobs = view.jobs
        wire.pointee.active_jobs = view.activeJobs
        wire.pointee.heap_size = view.heapSize
        wire.pointee.ready_queue_depth = view.readyQueueDepth
        wire.pointee.open_executions = view.openExecutions
        (wire.pointee.n_shards, wire.pointee.shards) = list(view.shards, carillon__v1__shard_state__init, fill)
        (wire.pointee.n_workers, wire.pointee.workers) = list(view.workers, carillon__v1__worker_state__init, fill)
        wire.pointee.version = string(view.version)
        wire.pointee.tzdata_version = string(view.timeZoneDataVersion)
        set(view.startedAt?.milliseconds, &wire.pointee.has_started_at, &wire.pointee.started_at)
        wire.pointee.problem = string(view.problem)
        return wire
    }

    private func fill(_ shard: ShardRecord, _ wire: UnsafeMutablePointer<Carillon__V1__ShardState>) {
        wire.pointee.shard = UInt32(shard.shard)
        if let owner = shard.owner {
            wire.pointee.has_owner_id = 1
            wire.pointee.owner_id = id(owner)
        }
        wire.pointee.address = string(shard.address)
        wire.pointee.epoch = shard.epoch
        set(shard.leaseExpiresAt?.milliseconds, &wire.pointee.has_lease_expires_at, &wire.pointee.lease_expires_at)
        set(
            shard.materializedThrough?.milliseconds,
            &wire.pointee.has_materialized_through,
            &wire.pointee.materialized_through
        )
        set(shard.settledThrough?.milliseconds, &wire.pointee.has_settled_through, &wire.pointee.settled_through)
        set(shard.outage?.from.milliseconds, &wire.pointee.has_gap_from, &wire.pointee.gap_from)
        set(shard.outage?.to.milliseconds, &wire.pointee.has_gap_to, &wire.pointee.gap_to)
    }

    private func fill(_ worker: WorkerView, _ wire: UnsafeMutablePointer<Carillon__V1__WorkerState>) {
        wire.pointee.name = string(worker.name)
        wire.pointee.boot_id = id(worker.bootID)
        wire.pointee.address = string(worker.address)
        wire.pointee.draining = worker.draining ? 1 : 0
        wire.pointee.max_workers = UInt32(clamping: worker.maxWorkers)
        wire.pointee.in_flight = UInt32(clamping: worker.inFlight)
        wire.pointee.free_slots = UInt32(clamping: worker.freeSlots)
        set(worker.skewMs, &wire.pointee.has_skew_ms, &wire.pointee.skew_ms)
        wire.pointee.version = string(worker.version)
    }
}

/// Durations: microseconds in the program, milliseconds with a fraction in the protocol.
enum WireDuration {
    static func milliseconds(_ microseconds: Int64) -> Double { Double(microseconds) / 1000 }

    static func microseconds(_ milliseconds: Double) throws(WireError) -> Int64 {
        guard let whole = Int64(exactly: (milliseconds * 1000).rounded()) else {
            throw WireError(.invalid, "\(milliseconds) is not a duration in milliseconds")
        }
        return whole
    }
}
