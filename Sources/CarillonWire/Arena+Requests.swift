internal import CCarillonProto
internal import CarillonCore
internal import CarillonCron

/// Client requests, as protobuf-c's structs.
extension Arena {
    func request(_ request: Request, into envelope: inout Carillon__V1__Envelope) {
        switch request {
        case .createJob(let settings, let key, let fingerprint):
            let wire = one(carillon__v1__create_job__init)
            wire.pointee.settings = self.settings(settings)
            wire.pointee.idempotency_key = string(key)
            wire.pointee.fingerprint = string(fingerprint)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_CREATE_JOB
            envelope.create_job = wire
        case .getJob(let job):
            let wire = one(carillon__v1__get_job__init)
            wire.pointee.job_id = id(job.uuid)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_GET_JOB
            envelope.get_job = wire
        case .listJobs(let list):
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_LIST_JOBS
            envelope.list_jobs = listJobs(list)
        case .updateJob(let job, let settings, let ifVersion):
            let wire = one(carillon__v1__update_job__init)
            wire.pointee.job_id = id(job.uuid)
            wire.pointee.settings = self.settings(settings)
            (wire.pointee.n_if_version, wire.pointee.if_version) = numbers(ifVersion) { $0 }
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_UPDATE_JOB
            envelope.update_job = wire
        case .deleteJob(let job, let ifVersion):
            let wire = one(carillon__v1__delete_job__init)
            wire.pointee.job_id = id(job.uuid)
            (wire.pointee.n_if_version, wire.pointee.if_version) = numbers(ifVersion) { $0 }
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_DELETE_JOB
            envelope.delete_job = wire
        case .pauseJob(let job):
            let wire = one(carillon__v1__pause_job__init)
            wire.pointee.job_id = id(job.uuid)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_PAUSE_JOB
            envelope.pause_job = wire
        case .resumeJob(let job):
            let wire = one(carillon__v1__resume_job__init)
            wire.pointee.job_id = id(job.uuid)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_RESUME_JOB
            envelope.resume_job = wire
        case .runJob(let job, let key, let fingerprint):
            let wire = one(carillon__v1__run_job__init)
            wire.pointee.job_id = id(job.uuid)
            wire.pointee.idempotency_key = string(key)
            wire.pointee.fingerprint = string(fingerprint)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_RUN_JOB
            envelope.run_job = wire
        case .listExecutions(let list):
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_LIST_EXECUTIONS
            envelope.list_executions = listExecutions(list)
        case .getExecution(let job, let execution):
            let wire = one(carillon__v1__get_execution__init)
            wire.pointee.job_id = id(job.uuid)
            wire.pointee.execution_id = id(execution.uuid)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_GET_EXECUTION
            envelope.get_execution = wire
        case .getLatestExecution(let job):
            let wire = one(carillon__v1__get_latest_execution__init)
            wire.pointee.job_id = id(job.uuid)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_GET_LATEST_EXECUTION
            envelope.get_latest_execution = wire
        case .getExecutionStats(let job, let from, let to):
            let wire = one(carillon__v1__get_execution_stats__init)
            wire.pointee.job_id = id(job.uuid)
            wire.pointee.has_from = from == nil ? 0 : 1
            wire.pointee.from = from?.milliseconds ?? 0
            wire.pointee.has_to = to == nil ? 0 : 1
            wire.pointee.to = to?.milliseconds ?? 0
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_GET_EXECUTION_STATS
            envelope.get_execution_stats = wire
        case .cancelExecution(let job, let execution):
            let wire = one(carillon__v1__cancel_execution__init)
            wire.pointee.job_id = id(job.uuid)
            wire.pointee.execution_id = id(execution.uuid)
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_CANCEL_EXECUTION
            envelope.cancel_execution = wire
        case .watchExecutions(let job):
            let wire = one(carillon__v1__watch_executions__init)
            if let job {
                wire.pointee.has_job_id = 1
                wire.pointee.job_id = id(job.uuid)
            }
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_WATCH_EXECUTIONS
            envelope.watch_executions = wire
        case .stopWatching:
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_STOP_WATCHING
            envelope.stop_watching = one(carillon__v1__stop_watching__init)
        case .executeNow(let settings, let wait):
            let wire = one(carillon__v1__execute_now__init)
            wire.pointee.settings = self.settings(settings)
            wire.pointee.has_wait = 1
            wire.pointee.wait = wait ? 1 : 0
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_EXECUTE_NOW
            envelope.execute_now = wire
        case .refreshSchedule:
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_REFRESH_SCHEDULE
            envelope.refresh_schedule = one(carillon__v1__refresh_schedule__init)
        case .previewSchedule(let preview):
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_PREVIEW_SCHEDULE
            envelope.preview_schedule = previewSchedule(preview)
        case .getCluster:
            envelope.body_case = CARILLON__V1__ENVELOPE__BODY_GET_CLUSTER
            envelope.get_cluster = one(carillon__v1__get_cluster__init)
        }
    }

    private func listJobs(_ list: ListJobs) -> UnsafeMutablePointer<Carillon__V1__ListJobs> {
        let wire = one(carillon__v1__list_jobs__init)
        if let active = list.active {
            wire.pointee.has_active = 1
            wire.pointee.active = active ? 1 : 0
        }
        wire.pointee.name = string(list.name)
        wire.pointee.tag = string(list.tag)
        if let status = list.lastStatus {
            wire.pointee.has_last_status = 1
            wire.pointee.last_status = status.wire
        }
        wire.pointee.has_limit = list.limit == nil ? 0 : 1
        wire.pointee.limit = list.limit ?? 0
        wire.pointee.cursor = string(list.cursor)
        return wire
    }

    private func listExecutions(_ list: ListExecutions) -> UnsafeMutablePointer<Carillon__V1__ListExecutions> {
        let wire = one(carillon__v1__list_executions__init)
        if let job = list.jobID {
            wire.pointee.has_job_id = 1
            wire.pointee.job_id = id(job.uuid)
        }
        (wire.pointee.n_status, wire.pointee.status) = numbers(list.statuses) { $0.wire }
        wire.pointee.has_from = list.from == nil ? 0 : 1
        wire.pointee.from = list.from?.milliseconds ?? 0
        wire.pointee.has_to = list.to == nil ? 0 : 1
        wire.pointee.to = list.to?.milliseconds ?? 0
        wire.pointee.has_limit = list.limit == nil ? 0 : 1
        wire.pointee.limit = list.limit ?? 0
        wire.pointee.cursor = string(list.cursor)
        return wire
    }

    private func previewSchedule(_ preview: PreviewSchedule) -> UnsafeMutablePointer<Carillon__V1__PreviewSchedule> {
        let wire = one(carillon__v1__preview_schedule__init)
        wire.pointee.schedule = string(preview.schedule)
        wire.pointee.time_zone = string(preview.timeZone)
        wire.pointee.has_from = preview.from == nil ? 0 : 1
        wire.pointee.from = preview.from?.milliseconds ?? 0
        wire.pointee.has_count = preview.count == nil ? 0 : 1
        wire.pointee.count = preview.count ?? 0
        if let policy = preview.daylightPolicy.flatMap(DaylightPolicy.init(rawValue:)) {
            wire.pointee.has_dst_policy = 1
            wire.pointee.dst_policy = policy.wire
        }
        return wire
    }
}
