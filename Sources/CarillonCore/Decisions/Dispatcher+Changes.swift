/// What clients change: each change is one fenced transaction with the rows that it withdraws and makes (design § 5).
extension Dispatcher {
    mutating func changeRequested(
        _ ticket: Ticket,
        _ request: ChangeRequest,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard case .leading = phase, lease.isValid(at: now.boot), !isStopping else {
            let error = ClientError(.unavailable, "this scheduler does not lead at the moment; try again in a second")
            actions.append(.reply(ticket, .refused(error)))
            return
        }
        if let answer = apply(request, ticket, into: &actions) { actions.append(.reply(ticket, answer)) }
    }

    /// Puts the change into the batch; an answer is returned only where nothing needs to become durable first.
    private mutating func apply(
        _ request: ChangeRequest,
        _ ticket: Ticket,
        into actions: inout [Action]
    ) -> ChangeResult? {
        switch request {
        case .create(let planned, let key):
            return create(planned, key, ticket)
        case .update(let planned, let scheduleChanged):
            return update(planned, scheduleChanged: scheduleChanged, ticket)
        case .delete(var job):
            job.deletedAt = now
            job.active = false
            return replace(PlannedJob(job: stamped(job), plan: nil), restarts: true, ticket, result: .deleted(job.id))
        case .pause(var job):
            job.active = false
            return replace(PlannedJob(job: stamped(job), plan: plan(of: job.id)), restarts: true, ticket)
        case .resume(var planned):
            planned.job.active = true
            planned.job = stamped(planned.job)
            return replace(planned, restarts: true, ticket)
        case .run(let job, let key, let nonce):
            return run(job, key, nonce, ticket)
        case .cancel(let job, let execution):
            return cancel(job, execution, into: &actions)
        case .executeNow(let planned, let wait, let nonce):
            return executeNow(planned, wait: wait, nonce, ticket)
        }
    }

    private func plan(of id: JobID) -> SchedulePlan? {
        agenda.slot(of: id).flatMap { agenda[$0].plan }
    }

    private func stamped(_ job: Job) -> Job {
        var job = job
        job.updatedAt = now
        return job
    }

    private mutating func create(_ planned: PlannedJob, _ key: IdempotencyRecord?, _ ticket: Ticket) -> ChangeResult? {
        var planned = planned
        planned.job.effectiveFrom = now
        planned.job.createdAt = now
        planned.job.updatedAt = now
        guard agenda.slot(of: planned.job.id) == nil else { return .stale }
        let slot = agenda.put(JobRecord(planned))
        var change = JobChange(job: planned.job, isNew: true, idempotencyKey: key)
        change.inserts = makeAhead(slot)
        pending.changes.append(
            PendingBatch.Change(change: change, ticket: ticket, result: .job(planned.job), before: nil)
        )
        return nil
    }

    private mutating func update(_ planned: PlannedJob, scheduleChanged: Bool, _ ticket: Ticket) -> ChangeResult? {
        var planned = planned
        planned.job = stamped(planned.job)
        return replace(planned, restarts: scheduleChanged, ticket)
    }

    /// Puts a job's new definition in the place of the old one. With `restarts` its schedule begins anew: rows that are
    /// not yet due are withdrawn, and times before now are never made.
    private mutating func replace(
        _ planned: PlannedJob,
        restarts: Bool,
        _ ticket: Ticket?,
        result: ChangeResult? = nil
    ) -> ChangeResult? {
        guard let slot = agenda.slot(of: planned.job.id) else { return .stale }
        let before = agenda[slot]
        guard before.version == planned.job.version - 1, !before.deleted else { return .stale }
        var job = planned.job
        if restarts { job.effectiveFrom = now }
        var pendingChange = PendingBatch.Change(
            change: JobChange(job: job, isNew: false), ticket: ticket, result: result ?? .job(job), before: before
        )
        if restarts {
            pendingChange.withdrawn = withdrawFuture(of: slot)
            pendingChange.change.withdrawals = pendingChange.withdrawn.map(\.execution.id)
            catchUp?.disarm(slot)
        }
        agenda.put(JobRecord(PlannedJob(job: job, plan: planned.plan)))
        if restarts { pendingChange.change.inserts = makeAhead(slot) }
        pending.changes.append(pendingChange)
        if !job.active || job.deletedAt != nil {
            cancelRetries(of: slot, reason: job.deletedAt != nil ? .jobDeleted : .jobPaused)
        }
        forgetJobIfIdle(slot)
        return nil
    }

    /// Takes the executions of a job that are not yet due out of the ledger.
    private mutating func withdrawFuture(of job: Int32) -> [OpenExecution] {
        let record = agenda[job]
        var withdrawn: [OpenExecution] = []
        var time = now
        while let next = record.next(after: time), next <= materializedThrough {
            time = next
            let id = ExecutionID(job: record.id, scheduledTime: next, trigger: .schedule)
            guard let slot = ledger.slot(of: id) else { continue }
            switch ledger[slot].state {
            case .inserting, .armed, .ready:
                withdrawn.append(ledger.remove(slot))
                agenda.countExecution(job, by: -1)
            default:
                break
            }
        }
        return withdrawn
    }

    /// The new definition's due times from effective_from to materialized_through, and the job's place in the agenda.
    private mutating func makeAhead(_ job: Int32) -> [Execution] {
        var inserts: [Execution] = []
        let record = agenda[job]
        var time = now
        while let next = record.next(after: time), next <= materializedThrough {
            time = next
            let execution = occurrence(of: record.id, at: next)
            guard ledger.slot(of: execution.id) == nil else { continue }
            enter(OpenExecution(execution: execution, job: job, state: .inserting))
            inserts.append(execution)
        }
        agenda.arm(job, after: max(now, materializedThrough))
        return inserts
    }

    /// What waits for a retry ends when its job is paused or deleted.
    private mutating func cancelRetries(of job: Int32, reason: Reason) {
        guard agenda[job].openCount > 0 else { return }
        for slot in ledger.allSlots where ledger[slot].job == job && ledger[slot].state == .retrying {
            conclude(slot, as: .cancelled, reason: reason)
        }
    }

    /// Undoes a change that the database refused.
    mutating func takeBack(_ change: PendingBatch.Change) {
        for execution in change.change.inserts {
            if let slot = ledger.slot(of: execution.id), ledger[slot].state == .inserting { leave(slot) }
        }
        guard let before = change.before else {
            if let id = change.change.job?.id, change.change.isNew, let slot = agenda.slot(of: id) { agenda.remove(slot) }
            return
        }
        let slot = agenda.put(before)
        agenda.arm(slot, after: max(now, materializedThrough))
        for open in change.withdrawn where ledger.slot(of: open.execution.id) == nil {
            let returned = enter(open)
            if open.state == .ready { makeReady(returned) } else { ledger.setTimer(returned, to: open.execution.scheduledTime) }
        }
    }

    private mutating func run(
        _ job: Job,
        _ key: IdempotencyRecord?,
        _ nonce: UniqueID,
        _ ticket: Ticket
    ) -> ChangeResult? {
        guard let slot = agenda.slot(of: job.id), !agenda[slot].deleted else { return .stale }
        if agenda[slot].overlapPolicy == .skip, agenda[slot].openCount > 0 {
            return .refused(
                ClientError(
                    .failedPrecondition,
                    "an execution of this job is still open and its overlap_policy is SKIP; wait for it or cancel it",
                    reason: .overlap
                )
            )
        }
        let execution = occurrence(of: job.id, at: now, trigger: .manual, nonce: nonce.bytes)
        enter(OpenExecution(execution: execution, job: slot, state: .inserting))
        var change = JobChange(job: nil, isNew: false, inserts: [execution])
        if var key {
            key.answer = execution.id.uuid
            change.idempotencyKey = key
        }
        pending.changes.append(
            PendingBatch.Change(change: change, ticket: ticket, result: .execution(execution), before: nil)
        )
        return nil
    }

    private mutating func executeNow(
        _ planned: PlannedJob,
        wait: Bool,
        _ nonce: UniqueID,
        _ ticket: Ticket
    ) -> ChangeResult? {
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
        pending.changes.append(
            PendingBatch.Change(
                change: JobChange(job: planned.job, isNew: true, inserts: [execution]),
                ticket: ticket, result: wait ? nil : .execution(execution), before: nil
            )
        )
        return nil
    }

    /// The first durable outcome wins: what is being recorded is over.
    private mutating func cancel(_ job: JobID, _ id: ExecutionID, into actions: inout [Action]) -> ChangeResult? {
        guard let slot = ledger.slot(of: id), ledger[slot].execution.jobID == job else { return .notOpen }
        switch ledger[slot].state {
        case .recording where ledger[slot].execution.status.isFinal:
            return .notOpen
        case .recording, .claiming:
            ledger[slot].cancelReason = .cancelRequested
        case .dispatched(let link):
            ledger[slot].cancelReason = .cancelRequested
            if let token = ledger[slot].execution.token { actions.append(.cancelCalls(link, [token])) }
        case .parted:
            ledger[slot].cancelReason = .cancelRequested
        case .inserting, .armed, .ready, .inherited, .retrying, .missing:
            conclude(slot, as: .cancelled, reason: .cancelRequested)
        }
        return .execution(ledger[slot].execution)
    }

    mutating func abandon(_ ticket: Ticket) {
        for index in pending.changes.indices where pending.changes[index].ticket == ticket {
            pending.changes[index].ticket = nil
        }
        if let changes = inFlight?.batch.changes {
            for index in changes.indices where changes[index].ticket == ticket {
                inFlight?.batch.changes[index].ticket = nil
            }
        }
    }

    /// What the re-read found that differs from memory: somebody changed it by hand.
    mutating func jobsRefreshed(_ jobs: [PlannedJob]) {
        guard case .leading = phase else { return }
        for planned in jobs {
            var found = planned
            guard let slot = agenda.slot(of: found.job.id) else {
                guard found.job.deletedAt == nil, !found.job.hidden else { continue }
                // New, by hand: it counts from now on.
                found.job.version += 1
                found.job.effectiveFrom = now
                let slot = agenda.put(JobRecord(found))
                var change = JobChange(job: found.job, isNew: false)
                change.inserts = makeAhead(slot)
                pending.changes.append(PendingBatch.Change(change: change, ticket: nil, result: nil, before: nil))
                continue
            }
            let record = agenda[slot]
            guard found.job.version > record.version, !record.deleted else { continue }
            let differs = JobRecord(found)
            let restarts =
                differs.active != record.active || differs.deleted || differs.plan !== record.plan
                || differs.startsAt != record.startsAt || differs.endsAt != record.endsAt
            // Written back with the next version, so that the row and memory agree again.
            adopt(version: found.job.version, at: slot)
            found.job.version += 1
            _ = replace(found, restarts: restarts, nil)
        }
    }

    private mutating func adopt(version: Int64, at slot: Int32) {
        var record = agenda[slot]
        record.version = version
        agenda.put(record)
    }
}
