internal import CarillonCron

/// The first step of each request.
extension RequestMachine {
    mutating func begin(
        _ request: Request,
        _ requestID: RequestID,
        using random: inout some RandomNumberGenerator,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        switch request {
        case .createJob(let settings, let key, let fingerprint):
            let draft = try rules.make(settings, id: JobID(UniqueID.ordered(by: now, using: &random)))
            openRequests[requestID]?.draft = draft
            try beginOnce(requestID, "create_job", key, fingerprint, answer: draft.job.id.uuid, into: &actions)
        case .runJob(_, let key, let fingerprint):
            openRequests[requestID]?.nonce = UniqueID.random(using: &random)
            try beginOnce(requestID, "run_job", key, fingerprint, answer: .zero, into: &actions)
        case .executeNow(let settings, let wait):
            let draft = try executeNowDraft(settings, wait: wait, using: &random)
            openRequests[requestID]?.draft = draft
            let nonce = UniqueID.random(using: &random)
            change(requestID, .executeNow(draft, wait: wait, nonce: nonce), into: &actions)
        case .updateJob(let id, _, _):
            if request.changesNothing { return read(requestID, .job(id), .readingJob, into: &actions) }
            joinLine(of: id, requestID, into: &actions)
        case .deleteJob(let id, _), .pauseJob(let id), .resumeJob(let id):
            joinLine(of: id, requestID, into: &actions)
        case .cancelExecution(let job, let execution):
            change(requestID, .cancel(job, execution), into: &actions)
        case .getJob(let id), .getLatestExecution(let id):
            read(requestID, .job(id), .readingJob, into: &actions)
        case .listJobs(let list):
            read(requestID, .jobs(try query(list)), .readingRows, into: &actions)
        case .listExecutions(let list):
            let query = try self.query(list)
            guard let job = list.jobID else { return read(requestID, .executions(query), .readingRows, into: &actions) }
            read(requestID, .job(job), .readingJob, into: &actions)
        case .getExecution(let job, let id):
            read(requestID, .execution(id, of: job), .readingRows, into: &actions)
        case .getExecutionStats(let job, let from, let to):
            let range = try statsRange(from, to)
            openRequests[requestID]?.statsRange = range
            read(requestID, .job(job), .readingJob, into: &actions)
        case .watchExecutions(let job):
            beginWatch(requestID, job, into: &actions)
        case .stopWatching:
            forget(requestID)
            actions.append(.stopWatch(requestID))
        case .refreshSchedule:
            read(requestID, .editedJobs, .readingRows, into: &actions)
        case .previewSchedule(let preview):
            finish(requestID, try previewReply(preview), into: &actions)
        case .getCluster:
            read(requestID, .cluster, .readingRows, into: &actions)
        }
    }

    private func executeNowDraft(
        _ settings: JobSettings,
        wait: Bool,
        using random: inout some RandomNumberGenerator
    ) throws(ClientError) -> PlannedJob {
        var settings = settings
        // A waiting client wants the result of the first attempt, not of retries.
        if wait, settings.maxRetries == nil { settings.maxRetries = 0 }
        return try rules.makeAdHoc(settings, id: JobID(UniqueID.ordered(by: now, using: &random)))
    }

    /// Starts a watch. A watch of a job that never existed is an error. A deleted job may still have a running call.
    private mutating func beginWatch(_ requestID: RequestID, _ job: JobID?, into actions: inout [RequestAction]) {
        actions.append(.startWatch(requestID, job))
        guard let job else { return forget(requestID) }
        read(requestID, .job(job), .checkingWatch, into: &actions)
    }

    private func previewReply(_ preview: PreviewSchedule) throws(ClientError) -> RequestReply {
        var policy = DaylightPolicy.cron
        if let name = preview.daylightPolicy {
            guard let named = DaylightPolicy(rawValue: name) else {
                let allowed = DaylightPolicy.allCases.map(\.rawValue).joined(separator: ", ")
                throw ClientError(invalid: "dst_policy", "\"\(name.prefix(40))\" is not one of \(allowed)", after: ": ")
            }
            policy = named
        }
        let count = Int(preview.count ?? 10)
        guard (1...1000).contains(count) else {
            throw ClientError(invalid: "count", "is \(count); allowed are 1 to 1000")
        }
        switch plan(preview.schedule, preview.timeZone ?? "UTC", policy) {
        case .success(let plan): return .preview(preview, plan, count: count)
        case .failure(let failure): throw ClientError(.invalidArgument, failure.text, errors: failure.errors)
        }
    }
}

extension Request {
    /// Whether only the leader can answer the request. Every scheduler answers the others, from the database.
    var needsLeader: Bool {
        switch self {
        case .createJob, .deleteJob, .pauseJob, .resumeJob, .runJob, .cancelExecution, .executeNow, .refreshSchedule,
            .watchExecutions:
            true
        case .updateJob:
            !changesNothing
        case .getJob, .listJobs, .listExecutions, .getExecution, .getLatestExecution, .getExecutionStats,
            .stopWatching, .previewSchedule, .getCluster:
            false
        }
    }

    /// Whether this is an update without settings, which changes neither the job nor its version.
    var changesNothing: Bool {
        if case .updateJob(_, let settings, let versions) = self {
            settings == JobSettings() && versions.isEmpty
        } else {
            false
        }
    }

    /// The job that the request changes, if the change depends on the job's current row.
    var changedJob: JobID? {
        switch self {
        case .updateJob(let id, _, _): changesNothing ? nil : id
        case .deleteJob(let id, _), .pauseJob(let id), .resumeJob(let id): id
        default: nil
        }
    }
}

extension ClientError {
    /// An error for one invalid field. The text is the field, `separator`, and the message.
    init(invalid field: String, _ message: String, after separator: String = " ") {
        self.init(
            .invalidArgument,
            "\(field)\(separator)\(message)",
            errors: [FieldError(field: field, message: message)]
        )
    }
}
