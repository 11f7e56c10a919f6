/// Changes of jobs. A request becomes a change of the row that was read; the dispatcher rejects a change of another
/// version.
extension RequestMachine {
    // MARK: One change of a job at a time

    /// Changes of one job are processed one after the other, so that each is merged with the result of the previous
    /// one.
    mutating func joinLine(of job: JobID, _ requestID: RequestID, into actions: inout [RequestAction]) {
        changeLines[job, default: []].append(requestID)
        if changeLines[job]?.count == 1 {
            read(requestID, .job(job), .readingJob, into: &actions)
        } else {
            openRequests[requestID]?.step = .queued
        }
    }

    mutating func leaveLine(of job: JobID, _ requestID: RequestID, into actions: inout [RequestAction]) {
        guard let place = changeLines[job]?.firstIndex(of: requestID) else { return }
        changeLines[job]?.remove(at: place)
        guard let next = changeLines[job]?.first else { return changeLines[job] = nil }
        if place == 0 { read(next, .job(job), .readingJob, into: &actions) }
    }

    // MARK: From the row to the change

    /// Builds the change from the current row.
    mutating func makeChange(
        _ requestID: RequestID,
        of row: Job?,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        guard let asked = openRequests[requestID] else { return }
        try requireLeading()
        switch asked.request {
        case .updateJob(let id, let settings, let versions):
            let job = try visible(row, id)
            try check(job, ifVersion: versions)
            let (planned, restarts) = try rules.change(job, by: settings)
            send(.update(planned, scheduleChanged: restarts), requestID, madeOf: job, into: &actions)
        case .deleteJob(let id, let versions):
            let job = try visible(row, id)
            try check(job, ifVersion: versions)
            send(.delete(job.next), requestID, madeOf: job, into: &actions)
        case .pauseJob(let id):
            let job = try visible(row, id)
            guard job.active else { return finish(requestID, .job(job), into: &actions) }
            send(.pause(job.next), requestID, madeOf: job, into: &actions)
        case .resumeJob(let id):
            let job = try visible(row, id)
            guard !job.active else { return finish(requestID, .job(job), into: &actions) }
            send(.resume(rules.planned(job.next)), requestID, madeOf: job, into: &actions)
        case .runJob(let id, _, _):
            let job = try visible(row, id)
            send(.run(id, asked.keyRecord, nonce: asked.nonce), requestID, madeOf: job, into: &actions)
        default:
            throw .unexpectedResult
        }
    }

    /// After an answer `stale`, the row may be newer than the dispatcher's memory because it was changed with SQL.
    /// Therefore the row is passed to the dispatcher first.
    private mutating func send(
        _ request: ChangeRequest,
        _ requestID: RequestID,
        madeOf job: Job,
        into actions: inout [RequestAction]
    ) {
        if openRequests[requestID]?.staleCount ?? 0 > 0 { actions.append(.refresh(rules.planned(job))) }
        change(requestID, request, into: &actions)
    }

    private func check(_ job: Job, ifVersion versions: [Int64]) throws(ClientError) {
        guard !versions.isEmpty, !versions.contains(job.version) else { return }
        let named = versions.prefix(10).map(String.init).joined(separator: " or ")
        throw ClientError(
            .failedPrecondition,
            "the job has version \(job.version), not \(named); it was changed meanwhile, read it again",
            reason: .versionMismatch
        )
    }

    /// The job; throws if it was deleted or is not listed.
    func visible(_ job: Job?, _ id: JobID) throws(ClientError) -> Job {
        guard let job, job.deletedAt == nil, !job.isAdHoc else {
            throw ClientError(.notFound, "there is no job \(id); it may have been deleted")
        }
        return job
    }

    // MARK: The dispatcher's answer

    mutating func changed(
        _ requestID: RequestID,
        _ result: ChangeResult,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        guard let asked = openRequests[requestID], asked.step == .changing else { return }
        switch result {
        case .job(let job):
            finish(requestID, .job(job), into: &actions)
        case .deleted(let id):
            finish(requestID, .answer(.deleted(id)), into: &actions)
        case .execution(let execution):
            let url = asked.request.isExecuteNow ? asked.draft?.job.call.url : nil
            finish(requestID, .answer(.execution(execution, failedAttempts: [], url: url)), into: &actions)
        case .refused(let error):
            throw error
        case .stale:
            try retryStale(requestID, asked, into: &actions)
        case .notOpen:
            guard case .cancelExecution(let job, let id) = asked.request else { throw .unexpectedResult }
            read(requestID, .execution(id, of: job), .readingRows, into: &actions)
        }
    }

    private mutating func retryStale(
        _ requestID: RequestID,
        _ asked: OpenRequest,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        let job: JobID
        switch asked.request {
        case .updateJob(let id, _, _), .deleteJob(let id, _), .pauseJob(let id), .resumeJob(let id),
            .runJob(let id, _, _):
            job = id
        default:
            throw .unexpectedResult
        }
        guard asked.staleCount < Self.maxStaleAnswers else {
            throw ClientError(
                .unavailable,
                "the job was changed \(asked.staleCount) times during this request; try again"
            )
        }
        openRequests[requestID]?.staleCount += 1
        read(requestID, .job(job), .readingJob, into: &actions)
    }
}

extension Request {
    fileprivate var isExecuteNow: Bool {
        if case .executeNow = self { true } else { false }
    }
}

extension Job {
    /// The job with the next version.
    fileprivate var next: Job {
        var job = self
        job.version += 1
        return job
    }
}
