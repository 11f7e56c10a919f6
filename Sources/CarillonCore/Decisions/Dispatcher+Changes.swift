/// What clients ask for: each change is one fenced transaction with the rows that it withdraws and makes (design § 2).
extension Dispatcher {
    mutating func changeRequested(
        _ ticket: Ticket,
        _ request: ChangeRequest,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard case .leading = leadership.phase, leadership.lease.isValid(at: now.boot), !leadership.isStopping else {
            actions.append(.reply(ticket, .refused(.notLeading)))
            return
        }
        if let sent = log.inFlight, now.boot >= sent.sentAt + Int64(configuration.leaseMs) {
            let seconds = now.boot.milliseconds(since: sent.sentAt) / 1_000
            let error = ClientError(
                .unavailable,
                "the database has not answered the last write for \(seconds) s; nothing was changed, try again later"
            )
            actions.append(.reply(ticket, .refused(error)))
            return
        }
        guard !changes.isBusy(request.jobID) else {
            changes.enqueue(.asked(request, ticket), for: request.jobID)
            return
        }
        begin(request, ticket, into: &actions)
        if Canary.answersChangesBeforeTheyAreDurable.sings { log.pending.answerAtOnce(ticket, into: &actions) }
    }

    /// Gives the requests of a job their turn, until one of them is staged.
    mutating func takeTurns(of job: JobID, into actions: inout [Action]) {
        while let request = changes.dequeue(job) {
            if Canary.losesAQueuedChange.sings { continue }
            switch request {
            case .found(let planned):
                found(planned, into: &actions)
            case .asked(_, let ticket) where leadership.isStopping:
                if let ticket { actions.append(.reply(ticket, .refused(.notLeading))) }
            case .asked(let asked, let ticket):
                begin(asked, ticket, into: &actions)
            }
        }
    }

    private mutating func begin(_ request: ChangeRequest, _ ticket: Ticket?, into actions: inout [Action]) {
        guard let answer = apply(request, ticket, into: &actions), let ticket else { return }
        actions.append(.reply(ticket, answer))
    }

    /// Puts the change into the batch; an answer is returned only where nothing needs to become durable first.
    private mutating func apply(
        _ request: ChangeRequest,
        _ ticket: Ticket?,
        into actions: inout [Action]
    ) -> ChangeResult? {
        switch request {
        case .create(let planned, let key):
            return create(planned, key, ticket)
        case .update(let planned, let scheduleChanged):
            return replace(planned, restarts: scheduleChanged, ticket, into: &actions)
        case .delete(var job):
            job.deletedAt = now
            job.active = false
            let planned = PlannedJob(job: job, plan: nil)
            return replace(planned, restarts: true, ticket, result: .deleted(job.id), into: &actions)
        case .pause(var job):
            job.active = false
            return replace(PlannedJob(job: job, plan: plan(of: job.id)), restarts: true, ticket, into: &actions)
        case .resume(var planned):
            planned.job.active = true
            return replace(planned, restarts: true, ticket, into: &actions)
        case .run(let id, let key, let nonce):
            return run(id, key, nonce, ticket)
        case .cancel(let job, let execution):
            return cancel(job, execution, ticket, into: &actions)
        case .executeNow(let planned, let wait, let nonce):
            return executeNow(planned, wait: wait, nonce, ticket)
        }
    }

    private func plan(of id: JobID) -> SchedulePlan? {
        agenda.slot(of: id).flatMap { agenda[$0].plan }
    }

    private mutating func create(_ planned: PlannedJob, _ key: IdempotencyRecord?, _ ticket: Ticket?) -> ChangeResult? {
        guard agenda.slot(of: planned.job.id) == nil else { return .stale }
        var planned = planned
        planned.job.createdAt = now
        stage(new: planned, key, ticket)
        return nil
    }

    /// Stages another definition in the place of the committed one, if that is the one that the client knew.
    private mutating func replace(
        _ planned: PlannedJob,
        restarts: Bool,
        _ ticket: Ticket?,
        result: ChangeResult? = nil,
        into actions: inout [Action]
    ) -> ChangeResult? {
        guard let slot = agenda.slot(of: planned.job.id), agenda[slot].version == planned.job.version - 1,
            !agenda[slot].deleted, !agenda[slot].hidden
        else { return .stale }
        stage(planned, at: slot, restarts: restarts, ticket, result: result, into: &actions)
        return nil
    }

    /// Nobody may make more than memory can hold (G10).
    private var fullness: ChangeResult? {
        guard ledger.count >= configuration.maxOpenExecutions else { return nil }
        return .refused(
            ClientError(
                .resourceExhausted,
                "\(ledger.count) executions are not over yet, which is the most; try again later"
            )
        )
    }

    private mutating func run(
        _ id: JobID,
        _ key: IdempotencyRecord?,
        _ nonce: UniqueID,
        _ ticket: Ticket?
    ) -> ChangeResult? {
        guard let slot = agenda.slot(of: id), !agenda[slot].deleted, !agenda[slot].hidden else { return .stale }
        if let fullness { return fullness }
        if agenda[slot].overlapPolicy == .skip, agenda[slot].openCount > 0 {
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
        log.pending.add(PendingBatch.Change(change: change, ticket: ticket, result: .execution(execution)))
        return nil
    }

    private mutating func executeNow(
        _ planned: PlannedJob,
        wait: Bool,
        _ nonce: UniqueID,
        _ ticket: Ticket?
    ) -> ChangeResult? {
        if let fullness { return fullness }
        var planned = planned
        planned.job.effectiveFrom = now
        planned.job.createdAt = now
        planned.job.updatedAt = now
        planned.job.hidden = true
        planned.job.active = false
        let slot = agenda.put(JobRecord(planned))
        let execution = occurrence(of: planned.job.id, at: now, trigger: .manual, nonce: nonce.bytes)
        var open = OpenExecution(execution: execution, job: slot, state: .inserting)
        if wait { open.waiter = ticket }
        enter(open)
        log.pending.add(
            PendingBatch.Change(
                change: JobChange(job: planned.job, isNew: true, inserts: [execution]),
                ticket: ticket,
                result: wait ? nil : .execution(execution)
            )
        )
        return nil
    }

    /// The first durable outcome wins: what is being recorded is over.
    private mutating func cancel(
        _ job: JobID,
        _ id: ExecutionID,
        _ ticket: Ticket?,
        into actions: inout [Action]
    ) -> ChangeResult? {
        guard let slot = ledger.slot(of: id), ledger[slot].execution.jobID == job else { return .notOpen }
        switch ledger[slot].state {
        case .recording where ledger[slot].execution.status.isFinal:
            return .notOpen
        case .recording, .claiming, .parted:
            ledger[slot].cancelReason = .cancelRequested
        case .dispatched(let link):
            ledger[slot].cancelReason = .cancelRequested
            if let token = ledger[slot].execution.token { actions.append(.cancelCalls(link, [token])) }
        case .inserting, .armed, .ready, .inherited, .retrying, .missing:
            // Nobody is told before it is durable.
            conclude(slot, as: .cancelled, reason: .cancelRequested, ticket: ticket)
            return nil
        }
        if let ticket { awaitEnd(of: id, ticket) }
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
    /// Nothing was done: the client may ask again, here or elsewhere.
    static var notLeading: ClientError {
        ClientError(.notLeader, "this scheduler does not lead at the moment; try again in a second")
    }
}
