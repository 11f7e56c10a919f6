internal import CCarillonProto
internal import CProtobuf
internal import CarillonCore
internal import CarillonCron

extension Request {
    /// `nil` when the body is not a request.
    init?(_ wire: Carillon__V1__Envelope) throws(WireError) {
        try NamespaceField.check(wire)
        switch wire.body_case {
        case CARILLON__V1__ENVELOPE__BODY_CREATE_JOB:
            let body: UnsafeMutablePointer<Carillon__V1__CreateJob> = wire.create_job
            self = .createJob(
                try JobSettings(body.pointee.settings),
                idempotencyKey: WireReader.optionalText(body.pointee.idempotency_key),
                fingerprint: WireReader.optionalText(body.pointee.fingerprint)
            )
        case CARILLON__V1__ENVELOPE__BODY_GET_JOB:
            self = .getJob(JobID(WireReader.id(wire.get_job.pointee.job_id)))
        case CARILLON__V1__ENVELOPE__BODY_LIST_JOBS:
            self = .listJobs(try ListJobs(wire.list_jobs))
        case CARILLON__V1__ENVELOPE__BODY_UPDATE_JOB:
            let body: UnsafeMutablePointer<Carillon__V1__UpdateJob> = wire.update_job
            self = .updateJob(
                JobID(WireReader.id(body.pointee.job_id)),
                try JobSettings(body.pointee.settings),
                ifVersion: WireReader.numbers(body.pointee.n_if_version, body.pointee.if_version)
            )
        case CARILLON__V1__ENVELOPE__BODY_DELETE_JOB:
            let body: UnsafeMutablePointer<Carillon__V1__DeleteJob> = wire.delete_job
            self = .deleteJob(
                JobID(WireReader.id(body.pointee.job_id)),
                ifVersion: WireReader.numbers(body.pointee.n_if_version, body.pointee.if_version)
            )
        case CARILLON__V1__ENVELOPE__BODY_PAUSE_JOB:
            self = .pauseJob(JobID(WireReader.id(wire.pause_job.pointee.job_id)))
        case CARILLON__V1__ENVELOPE__BODY_RESUME_JOB:
            self = .resumeJob(JobID(WireReader.id(wire.resume_job.pointee.job_id)))
        case CARILLON__V1__ENVELOPE__BODY_RUN_JOB:
            let body: UnsafeMutablePointer<Carillon__V1__RunJob> = wire.run_job
            self = .runJob(
                JobID(WireReader.id(body.pointee.job_id)),
                idempotencyKey: WireReader.optionalText(body.pointee.idempotency_key),
                fingerprint: WireReader.optionalText(body.pointee.fingerprint)
            )
        case CARILLON__V1__ENVELOPE__BODY_LIST_EXECUTIONS:
            self = .listExecutions(try ListExecutions(wire.list_executions))
        case CARILLON__V1__ENVELOPE__BODY_GET_EXECUTION:
            self = .getExecution(
                JobID(WireReader.id(wire.get_execution.pointee.job_id)),
                ExecutionID(WireReader.id(wire.get_execution.pointee.execution_id))
            )
        case CARILLON__V1__ENVELOPE__BODY_GET_LATEST_EXECUTION:
            self = .getLatestExecution(JobID(WireReader.id(wire.get_latest_execution.pointee.job_id)))
        case CARILLON__V1__ENVELOPE__BODY_GET_EXECUTION_STATS:
            let body: UnsafeMutablePointer<Carillon__V1__GetExecutionStats> = wire.get_execution_stats
            self = .getExecutionStats(
                JobID(WireReader.id(body.pointee.job_id)),
                from: WireReader.time(body.pointee.has_from, body.pointee.from),
                to: WireReader.time(body.pointee.has_to, body.pointee.to)
            )
        case CARILLON__V1__ENVELOPE__BODY_CANCEL_EXECUTION:
            self = .cancelExecution(
                JobID(WireReader.id(wire.cancel_execution.pointee.job_id)),
                ExecutionID(WireReader.id(wire.cancel_execution.pointee.execution_id))
            )
        case CARILLON__V1__ENVELOPE__BODY_WATCH_EXECUTIONS:
            let body: UnsafeMutablePointer<Carillon__V1__WatchExecutions> = wire.watch_executions
            self = .watchExecutions(body.pointee.has_job_id != 0 ? JobID(WireReader.id(body.pointee.job_id)) : nil)
        case CARILLON__V1__ENVELOPE__BODY_STOP_WATCHING:
            self = .stopWatching
        case CARILLON__V1__ENVELOPE__BODY_EXECUTE_NOW:
            let body: UnsafeMutablePointer<Carillon__V1__ExecuteNow> = wire.execute_now
            self = .executeNow(
                try JobSettings(body.pointee.settings),
                wait: body.pointee.has_wait != 0 && body.pointee.wait != 0
            )
        case CARILLON__V1__ENVELOPE__BODY_REFRESH_SCHEDULE:
            self = .refreshSchedule
        case CARILLON__V1__ENVELOPE__BODY_PREVIEW_SCHEDULE:
            self = .previewSchedule(try PreviewSchedule(wire.preview_schedule))
        case CARILLON__V1__ENVELOPE__BODY_GET_CLUSTER:
            self = .getCluster
        default: return nil
        }
    }
}

extension ListJobs {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__ListJobs>) throws(WireError) {
        self.init()
        active = wire.pointee.has_active != 0 ? wire.pointee.active != 0 : nil
        name = WireReader.optionalText(wire.pointee.name)
        tag = WireReader.optionalText(wire.pointee.tag)
        if wire.pointee.has_last_status != 0 { lastStatus = try ExecutionStatus(wire: wire.pointee.last_status) }
        limit = WireReader.optional(wire.pointee.has_limit, wire.pointee.limit)
        cursor = WireReader.optionalText(wire.pointee.cursor)
    }
}

extension ListExecutions {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__ListExecutions>) throws(WireError) {
        self.init()
        if wire.pointee.has_job_id != 0 { jobID = JobID(WireReader.id(wire.pointee.job_id)) }
        for index in 0..<wire.pointee.n_status {
            statuses.append(try ExecutionStatus(wire: wire.pointee.status[index]))
        }
        from = WireReader.time(wire.pointee.has_from, wire.pointee.from)
        to = WireReader.time(wire.pointee.has_to, wire.pointee.to)
        limit = WireReader.optional(wire.pointee.has_limit, wire.pointee.limit)
        cursor = WireReader.optionalText(wire.pointee.cursor)
    }
}

extension PreviewSchedule {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__PreviewSchedule>) throws(WireError) {
        self.init(schedule: WireReader.text(wire.pointee.schedule))
        timeZone = WireReader.optionalText(wire.pointee.time_zone)
        from = WireReader.time(wire.pointee.has_from, wire.pointee.from)
        count = WireReader.optional(wire.pointee.has_count, wire.pointee.count)
        if wire.pointee.has_dst_policy != 0 {
            daylightPolicy = try DaylightPolicy(wire: wire.pointee.dst_policy).rawValue
        }
    }
}

extension JobSettings {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__JobSettings>) throws(WireError) {
        self.init()
        for entry in JobSettingsLayout.entries {
            guard let value = try entry.value(in: UnsafeRawPointer(wire)) else { continue }
            self[entry.field] = value
        }
        cleared = Set(WireReader.strings(wire.pointee.n_cleared_fields, wire.pointee.cleared_fields))
    }
}
