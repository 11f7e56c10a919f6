/// Client requests. Each change is one fenced transaction together with the rows that it withdraws and inserts.
extension Dispatcher {
    mutating func changeRequested(
        _ requestID: RequestID,
        _ request: ChangeRequest,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard case .leading = leadership.phase, leadership.lease.isValid(at: now.boot), !leadership.isStopping else {
            actions.append(.reply(requestID, .refused(.notLeading)))
            return
        }
        if let sent = log.inFlight, now.boot >= sent.sentAt + Int64(configuration.leaseMs) {
            let seconds = now.boot.milliseconds(since: sent.sentAt) / 1_000
            let error = ClientError(
                .unavailable,
                "the database has not answered the last write for \(seconds) s; nothing was changed, try again later"
            )
            actions.append(.reply(requestID, .refused(error)))
            return
        }
        guard !changes.isBusy(request.jobID) else {
            changes.enqueue(.asked(request, requestID), for: request.jobID)
            return
        }
        begin(request, requestID, into: &actions)
        if InjectedFault.answersChangesBeforeTheyAreDurable.isActive {
            log.pending.answerAtOnce(requestID, into: &actions)
        }
    }

    /// Applies the queued requests of a job until one of them is staged.
    mutating func applyQueuedChanges(of job: JobID, into actions: inout [Action]) {
        while let request = changes.dequeue(job) {
            if InjectedFault.losesAQueuedChange.isActive { continue }
            switch request {
            case .found(let planned):
                found(planned, into: &actions)
            case .asked(_, let requestID) where leadership.isStopping:
                if let requestID { actions.append(.reply(requestID, .refused(.notLeading))) }
            case .asked(let asked, let requestID):
                begin(asked, requestID, into: &actions)
            }
        }
    }

    private mutating func begin(_ request: ChangeRequest, _ requestID: RequestID?, into actions: inout [Action]) {
        guard let answer = apply(request, requestID, into: &actions), let requestID else { return }
        actions.append(.reply(requestID, answer))
    }

    /// Adds the change to the batch. Returns an answer only if nothing needs to become durable first.
    private mutating func apply(
        _ request: ChangeRequest,
        _ requestID: RequestID?,
        into actions: inout [Action]
    ) -> ChangeResult? {
        switch request {
        case .create(let planned, let key):
            return create(planned, key, requestID)
        case .update(let planned, let scheduleChanged):
            return replace(planned, restarts: scheduleChanged, requestID, into: &actions)
        case .delete(var job):
            job.deletedAt = now
            job.active = false
            let planned = PlannedJob(job: job, plan: nil)
            return replace(planned, restarts: true, requestID, result: .deleted(job.id), into: &actions)
        case .pause(var job):
            job.active = false
            return replace(PlannedJob(job: job, plan: plan(of: job.id)), restarts: true, requestID, into: &actions)
        case .resume(var planned):
            planned.job.active = true
            return replace(planned, restarts: true, requestID, into: &actions)
        case .run(let id, let key, let nonce):
            return run(id, key, nonce, requestID)
        case .cancel(let job, let execution):
            return cancel(job, execution, requestID, into: &actions)
        case .executeNow(let planned, let wait, let nonce):
            return executeNow(planned, wait: wait, nonce, requestID)
        }
    }

    private func plan(of id: JobID) -> SchedulePlan? {
        jobTable.slot(of: id).flatMap { jobTable[$0].plan }
    }

    private mutating func create(_ planned: PlannedJob, _ key: IdempotencyRecord?, _ requestID: RequestID?)
        -> ChangeResult?
    {
        guard jobTable.slot(of: planned.job.id) == nil else { return .stale }
        var planned = planned
        planned.job.createdAt = now
        stage(new: planned, key, requestID)
        return nil
    }

    /// Stages a new definition of a job if the client knew the committed version.
    private mutating func replace(
        _ planned: PlannedJob,
        restarts: Bool,
        _ requestID: RequestID?,
        result: ChangeResult? = nil,
        into actions: inout [Action]
    ) -> ChangeResult? {
        guard let slot = jobTable.slot(of: planned.job.id), jobTable[slot].version == planned.job.version - 1,
            !jobTable[slot].deleted, !jobTable[slot].isAdHoc
        else { return .stale }
        stage(planned, at: slot, restarts: restarts, requestID, result: result, into: &actions)
        return nil
    }

    /// The refusal of new executions at the limit of open executions (G10); `nil` below the limit.
    private var fullness: ChangeResult? {
        guard executionTable.count >= configuration.maxOpenExecutions else { return nil }
        return .refused(
            ClientError(
                .resourceExhausted,
                "\(executionTable.count) executions are open, which is the limit; try again later"
            )
        )
    }

    private mutating func run(
        _ id: JobID,
        _ key: IdempotencyRecord?,
        _ nonce: UniqueID,
        _ requestID: RequestID?
    ) -> ChangeResult? {
        guard let slot = jobTable.slot(of: id), !jobTable[slot].deleted, !jobTable[slot].isAdHoc else { return .stale }
        if let fullness { return fullness }
        if jobTable[slot].overlapPolicy == .skip, jobTable[slot].openCount > 0 {
            return .refused(
                ClientError(
                    .failedPrecondition,
                    "an execution of this job is still open and its overlap_policy is SKIP; wait for it or cancel it",
                    reason: .overlap
                )
            )
        }
        let execution = occurrence(of: id, at: now, trigger: .manual, nonce: nonce.bytes)
        enter(OpenExecution(execution: execution, job: slot, state: .inserting))
        var change = JobChange(job: nil, isNew: false, inserts: [execution])
        if var key {
            key.answer = execution.id.uuid
            change.idempotencyKey = key
        }
        log.pending.add(PendingBatch.Change(change: change, requestID: requestID, result: .execution(execution)))
        return nil
    }

    private mutating func executeNow(
        _ planned: PlannedJob,
        wait: Bool,
        _ nonce: UniqueID,
        _ requestID: RequestID?
    ) -> ChangeResult? {
        if let fullness { return fullness }
        var planned = planned
        planned.job.effectiveFrom = now
        planned.job.createdAt = now
        planned.job.updatedAt = now
        planned.job.isAdHoc = true
        planned.job.active = false
        let slot = jobTable.put(JobRecord(planned))
        let execution = occurrence(of: planned.job.id, at: now, trigger: .manual, nonce: nonce.bytes)
        var open = OpenExecution(execution: execution, job: slot, state: .inserting)
        if wait { open.waiter = requestID }
        enter(open)
        log.pending.add(
            PendingBatch.Change(
                change: JobChange(job: planned.job, isNew: true, inserts: [execution]),
                requestID: requestID,
                result: wait ? nil : .execution(execution)
            )
        )
        return nil
    }

    /// The first durable outcome wins: an execution whose final outcome is being recorded cannot be cancelled.
    private mutating func cancel(
        _ job: JobID,
        _ id: ExecutionID,
        _ requestID: RequestID?,
        into actions: inout [Action]
    ) -> ChangeResult? {
        guard let slot = executionTable.slot(of: id), executionTable[slot].execution.jobID == job else {
            return .notOpen
        }
        switch executionTable[slot].state {
        case .recording where executionTable[slot].execution.status.isFinal:
            return .notOpen
        case .recording, .claiming, .disconnected:
            executionTable[slot].cancelReason = .cancelRequested
        case .dispatched(let link):
            executionTable[slot].cancelReason = .cancelRequested
            if let token = executionTable[slot].execution.token { actions.append(.cancelCalls(link, [token])) }
        case .inserting, .armed, .ready, .recovered, .retrying, .outcomePending:
            // The client is answered after the cancellation is durable.
            conclude(slot, as: .cancelled, reason: .cancelRequested, requestID: requestID)
            return nil
        }
        if let requestID { awaitEnd(of: id, requestID) }
        return nil
    }
}

extension ChangeRequest {
    /// The job that the request is about.
    var jobID: JobID {
        switch self {
        case .create(let planned, _), .update(let planned, _), .resume(let planned), .executeNow(let planned, _, _):
            planned.job.id
        case .delete(let job), .pause(let job): job.id
        case .run(let id, _, _): id
        case .cancel(let job, _): job
        }
    }
}

extension ClientError {
    /// No change was made: the client may repeat the request here or at another scheduler.
    static var notLeading: ClientError {
        ClientError(.notLeader, "this scheduler is not the leader; try again in a second")
    }
}
