/// The results of reads.
extension RequestMachine {
    mutating func read(
        _ requestID: RequestID,
        _ result: RequestReadResult,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        // The runner answers each read once, while the request waits for it.
        guard let asked = openRequests[requestID], asked.step.isReading else { return }
        if case .failed(let error) = result { return try readFailed(requestID, asked.step, error) }
        switch (asked.step, result) {
        case (.readingKey, .idempotencyKey(let found)):
            try keyRead(requestID, found, into: &actions)
        case (.readingFirstResult, _):
            try firstResultRead(requestID, result, into: &actions)
        case (.readingJob, .job(let job)):
            try jobRead(requestID, asked.request, job, into: &actions)
        case (.checkingWatch, .job(let job)):
            guard case .watchExecutions(let id?) = asked.request else { throw .unexpectedResult }
            try everExisted(job, id)
            forget(requestID)
        case (.readingRows, _):
            finish(requestID, try reply(to: asked, with: result), into: &actions)
        default:
            throw .unexpectedResult
        }
    }

    private mutating func readFailed(_ requestID: RequestID, _ step: Step, _ error: ReadError) throws(ClientError) {
        switch step {
        // Without the database the existence of the job cannot be checked, so the watch continues.
        case .checkingWatch: forget(requestID)
        default: throw ClientError(.unavailable, "the database could not answer: \(error.message)")
        }
    }

    private mutating func jobRead(
        _ requestID: RequestID,
        _ request: Request,
        _ job: Job?,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        switch request {
        case .getJob(let id):
            finish(requestID, .job(try visible(job, id)), into: &actions)
        case .updateJob(let id, _, _) where request.changesNothing:
            finish(requestID, .job(try visible(job, id)), into: &actions)
        case .updateJob, .deleteJob, .pauseJob, .resumeJob, .runJob:
            try makeChange(requestID, of: job, into: &actions)
        case .listExecutions(let list):
            if let id = list.jobID { try everExisted(job, id) }
            read(requestID, .executions(try query(list)), .readingRows, into: &actions)
        case .getLatestExecution(let id):
            try everExisted(job, id)
            read(requestID, .latestExecution(of: id), .readingRows, into: &actions)
        case .getExecutionStats(let id, _, _):
            try everExisted(job, id)
            guard let range = openRequests[requestID]?.statsRange else { throw .unexpectedResult }
            read(requestID, .stats(id, from: range.from, to: range.to), .readingRows, into: &actions)
        default:
            throw .unexpectedResult
        }
    }

    /// Throws if the job never existed. The history of a deleted job stays available.
    private func everExisted(_ job: Job?, _ id: JobID) throws(ClientError) {
        guard job != nil else { throw ClientError(.notFound, "job \(id) never existed") }
    }

    private func reply(to asked: OpenRequest, with result: RequestReadResult) throws(ClientError) -> RequestReply {
        switch (asked.request, result) {
        case (.listJobs(let list), .jobs(let rows, let hasMore, let total)):
            let (jobs, isCut) = fitting(rows) { $0.call.body?.utf8.count ?? 0 }
            let cursor = hasMore || isCut ? jobs.last?.id.description : nil
            return .jobs(jobs, nextCursor: cursor, totalCount: try query(list).isUnfiltered ? total : nil)
        case (.listExecutions, .executions(let rows, let hasMore)):
            let (executions, isCut) = fitting(rows) { $0.response?.utf8.count ?? 0 }
            let cursor = hasMore || isCut ? executions.last?.id.description : nil
            return .answer(.executionList(executions, nextCursor: cursor))
        case (.getExecution(let job, let id), .execution(let found, let failedAttempts)):
            guard let found else { throw .noSuchExecution(id, of: job) }
            return .answer(.execution(found, failedAttempts: failedAttempts, url: nil))
        case (.getLatestExecution(let job), .execution(let found, _)):
            guard let found else { throw ClientError(.notFound, "job \(job) has no execution yet") }
            return .answer(.execution(found, failedAttempts: [], url: nil))
        case (.getExecutionStats(let job, _, _), .stats(let stats)):
            guard let range = asked.statsRange else { throw .unexpectedResult }
            return .answer(.executionStats(job, from: range.from, to: range.to, stats))
        case (.cancelExecution(let job, let id), .execution(let found, _)):
            guard let found else { throw .noSuchExecution(id, of: job) }
            throw .alreadyFinished(found)
        case (.refreshSchedule, .editedJobs(let jobCount)):
            return .answer(.scheduleRefreshed(status: "SCHEDULE_REFRESHED", jobs: jobCount))
        case (.getCluster, .cluster(let view)):
            return .answer(.cluster(view))
        default:
            throw .unexpectedResult
        }
    }
}

extension ClientError {
    fileprivate static func noSuchExecution(_ id: ExecutionID, of job: JobID) -> ClientError {
        ClientError(.notFound, "job \(job) has no execution \(id); it may be older than the kept history")
    }

    fileprivate static func alreadyFinished(_ execution: Execution) -> ClientError {
        ClientError(
            .failedPrecondition,
            "the execution has already ended as \(execution.status.rawValue); "
                + "only an open or future execution can be cancelled",
            reason: .alreadyFinished
        )
    }
}
