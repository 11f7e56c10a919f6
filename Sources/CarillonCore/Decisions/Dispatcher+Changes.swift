/// What clients change: each change is one fenced transaction with the rows that it withdraws and makes (design § 5).
extension Dispatcher {
    mutating func changeRequested(
        _ ticket: Ticket,
        _ request: ChangeRequest,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard case .leading = phase, lease.isValid(at: now.boot), !isStopping else {
            // Nothing was done: whoever asks may ask again, here or elsewhere.
            let error = ClientError(.notLeader, "this scheduler does not lead at the moment; try again in a second")
            actions.append(.reply(ticket, .refused(error)))
            return
        }
        if let sent = inFlight, now.boot >= sent.sentAt + Int64(configuration.leaseMs) {
            let seconds = now.boot.milliseconds(since: sent.sentAt) / 1_000
            let error = ClientError(
                .unavailable,
                "the database has not answered the last write for \(seconds) s; nothing was changed, try again later"
            )
            actions.append(.reply(ticket, .refused(error)))
            return
        }
        if let answer = apply(request, ticket, into: &actions) { actions.append(.reply(ticket, answer)) }
        if Canary.answersChangesBeforeTheyAreDurable.sings { pending.answerAtOnce(ticket, into: &actions) }
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
        case .update(var planned, let scheduleChanged):
            planned.job = stamped(planned.job)
            return replace(planned, restarts: scheduleChanged, ticket, into: &actions)
        case .delete(var job):
            job.deletedAt = now
            job.active = false
            let planned = PlannedJob(job: stamped(job), plan: nil)
            return replace(planned, restarts: true, ticket, result: .deleted(job.id), into: &actions)
        case .pause(var job):
            job.active = false
            let planned = PlannedJob(job: stamped(job), plan: plan(of: job.id))
            return replace(planned, restarts: true, ticket, into: &actions)
        case .resume(var planned):
            planned.job.active = true
            planned.job = stamped(planned.job)
            return replace(planned, restarts: true, ticket, into: &actions)
        case .run(let job, let key, let nonce):
            return run(job, key, nonce, ticket)
        case .cancel(let job, let execution):
            return cancel(job, execution, ticket, into: &actions)
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
        pending.add(
            PendingBatch.Change(
                change: change,
                ticket: ticket,
                result: .job(planned.job),
                before: nil,
                restartedAt: now
            )
        )
        return nil
    }

    /// Puts a job's new definition in the place of the old one. With `restarts` its schedule begins anew: what was due
    /// before now is accounted for, rows that are not yet due are withdrawn, and times before now are never made.
    private mutating func replace(
        _ planned: PlannedJob,
        restarts: Bool,
        _ ticket: Ticket?,
        result: ChangeResult? = nil,
        into actions: inout [Action]
    ) -> ChangeResult? {
        guard let slot = agenda.slot(of: planned.job.id) else { return .stale }
        let before = agenda[slot]
        guard before.version == planned.job.version - 1, !before.deleted else { return .stale }
        let ends = before.active && (!planned.job.active || planned.job.deletedAt != nil)
        // The row that was changed may be one that somebody else had changed by hand.
        let restarts = restarts || JobRecord(planned).isScheduledUnlike(before)
        var job = planned.job
        // Somebody may have stopped and begun it by hand, so quickly that it went on here.
        job.effectiveFrom = restarts ? now : before.effectiveFrom
        var pendingChange = PendingBatch.Change(
            change: JobChange(job: job, isNew: false),
            ticket: ticket,
            result: result ?? .job(job),
            before: before
        )
        if restarts {
            pendingChange.restartedAt = now
            pendingChange.change.inserts = accountDue(of: slot, into: &actions)
            pendingChange.change.withdrawals = withdraw(of: slot, after: now)
            catchUp?.disarm(slot)
        }
        agenda.put(JobRecord(PlannedJob(job: job, plan: planned.plan)))
        if restarts { pendingChange.change.inserts += makeAhead(slot) }
        pending.add(pendingChange)
        resetStartTimers(of: slot, before: before)
        if ends || job.deletedAt != nil {
            cancelRetries(of: slot, reason: job.deletedAt != nil ? .jobDeleted : .jobPaused)
        }
        forgetJobIfIdle(slot)
        return nil
    }

    /// Takes the executions that a job's schedule made for times after `floor`, and that have not begun, out of the ledger: all
    /// of them, or those that are `among` some.
    @discardableResult
    private mutating func withdraw(
        of job: Int32,
        after floor: Timestamp,
        among some: Set<ExecutionID>? = nil
    ) -> [ExecutionID] {
        let record = agenda[job]
        var ids = (earlierRows[record.id] ?? []).filter { $0.time > floor }.sorted()
        var time = floor
        while let next = record.next(after: time), next <= furthestRow {
            time = next
            ids.append(ExecutionID(job: record.id, scheduledTime: next, trigger: .schedule))
        }
        var withdrawn: [ExecutionID] = []
        for id in ids {
            guard let slot = ledger.slot(of: id), !ledger[slot].hasBegun, some?.contains(id) ?? true else { continue }
            if Canary.keepsTheOldDefinition.sings { continue }
            if Canary.forgetsWhatIsInFlight.sings, ledger[slot].state == .inserting { continue }
            switch ledger[slot].state {
            case .inserting, .armed, .ready:
                takeOut(slot)
                withdrawn.append(id)
            default:
                break
            }
        }
        return withdrawn
    }

    /// No row waits for a time after this, once a take-over is done. Some lie beyond materializedThrough: those of an instant
    /// that is only half made, and those of the leader before, who made them further ahead.
    var furthestRow: Timestamp { max(materializedThrough, now + max(horizonMs, 2_000)) }

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
        for slot in ledger.allSlots where ledger[slot].job == job {
            let open = ledger[slot]
            // A retry that is due and only waits for a free slot is one, too; a claim that was given back is none.
            let waits = open.state == .retrying || (open.state == .ready && open.hasBegun)
            if waits, open.execution.attempts > 0 { conclude(slot, as: .cancelled, reason: reason) }
        }
    }

    /// Undoes a change that the database refused, and whatever has been made of it since.
    mutating func takeBack(_ change: PendingBatch.Change) {
        guard let job = change.change.job else {
            for row in change.change.inserts { forget(insertOf: row.id) }
            return
        }
        defer { holdMarks() }
        if passOn(change, of: job.id) { return }
        // What was due before the change is due all the same, unless the clock went back since and took it out.
        let due = change.change.inserts.filter {
            change.follows($0) && ($0.status != .pending || ledger.slot(of: $0.id) != nil)
        }
        guard let slot = agenda.slot(of: job.id) else {
            // It was deleted, and nothing of it was left.
            restore(change)
            for row in due { pending.add(insert: row) }
            return
        }
        if let restartedAt = change.restartedAt {
            // A row that nothing was to make was there before, and stays.
            var unmade = Set(change.change.inserts.map(\.id))
            for batch in parts + [pending] { unmade.formUnion(batch.allInserts) }
            withdraw(of: slot, after: restartedAt, among: unmade)
            for row in change.change.inserts where row.scheduledTime > restartedAt || row.trigger == .manual {
                forget(insertOf: row.id)
            }
            // Those of a gap that opened since, too: they are in no ledger.
            dropInserts { $0.jobID == job.id && $0.trigger == .schedule && $0.scheduledTime > restartedAt }
            catchUp?.disarm(slot)
        }
        if change.before != nil {
            restore(change)
            for row in due { pending.add(insert: row) }
            return
        }
        for row in change.change.inserts { forget(insertOf: row.id) }
        // A hidden one has gone with its execution.
        if let left = agenda.slot(of: job.id), agenda[left].executionCount == 0 { agenda.remove(left) }
    }

    /// A later change of the same job stands already, made on top of the refused one: it takes over what that one was to do to
    /// the job's rows, and would put back what was before both. Returns whether there is one.
    private mutating func passOn(_ change: PendingBatch.Change, of job: JobID) -> Bool {
        let later = (parts + [pending]).flatMap { $0.changes.filter { $0.change.job?.id == job } }
        guard let before = change.before, let next = later.first, let last = later.last?.change.job else {
            return false
        }
        // One that was deleted, and of which nothing was left, is needed once more.
        let slot = agenda.slot(of: job) ?? agenda.put(JobRecord(PlannedJob(job: last, plan: nil)))
        var inherited = change
        inherited.change.inserts.removeAll { row in
            guard let slot = ledger.slot(of: row.id) else { return row.status == .pending }
            return ledger[slot].state != .inserting && !change.follows(row)
        }
        if let restartedAt = change.restartedAt, let to = next.restartedAt {
            let from = min(restartedAt, change.wentBackTo ?? restartedAt)
            // Until the later one nothing has changed: what the refused one would have made in between is not due, and what was
            // due before it is.
            func isBetween(_ row: Execution) -> Bool {
                row.jobID == job && row.trigger == .schedule && row.scheduledTime > from && row.scheduledTime <= to
            }
            for slot in ledger.allSlots where ledger[slot].state == .inserting && isBetween(ledger[slot].execution) {
                takeOut(slot)
            }
            dropInserts(where: isBetween)
            inherited.change.inserts.removeAll(where: isBetween)
            let standing = earlierRows(among: inherited.change.withdrawals.filter { $0.time <= to }, of: job)
            inherited.change.withdrawals.removeAll { $0.time <= to }
            inherited.change.inserts += makeUp(slot, before, after: from, through: to)
            inherited.change.inserts += standing.compactMap { make(slot, at: $0.time) }
        }
        forgetJobIfIdle(slot)
        for part in parts.indices where parts[part].inherit(inherited, for: job) { return true }
        return pending.inherit(inherited, for: job)
    }

    private func earlierRows(among ids: [ExecutionID], of job: JobID) -> [ExecutionID] {
        earlierRows[job].map { earlier in ids.filter(earlier.contains) } ?? []
    }

    /// Takes rows that are not to be made after all out of what waits to be written.
    mutating func dropInserts(where isDropped: (Execution) -> Bool) {
        pending.dropInserts(where: isDropped)
        for index in parts.indices { parts[index].dropInserts(where: isDropped) }
    }

    private mutating func forget(insertOf id: ExecutionID) {
        if let slot = ledger.slot(of: id), ledger[slot].state == .inserting { leave(slot) }
    }

    /// Puts a job's old definition back; its times since then are made after all.
    private mutating func restore(_ change: PendingBatch.Change) {
        guard var record = change.before else { return }
        if agenda.slot(of: record.id) == nil { (record.executionCount, record.openCount) = (0, 0) }
        deletions.recent[record.id] = nil
        let refused = agenda.slot(of: record.id).map { agenda[$0] }
        let slot = agenda.put(record)
        if let refused { resetStartTimers(of: slot, before: refused) }
        guard let restartedAt = change.restartedAt else { return }
        let from = min(restartedAt, change.wentBackTo ?? restartedAt)
        let through = max(now, materializedThrough)
        for row in makeUp(slot, record, after: from, through: through) { pending.add(insert: row) }
        // What it withdrew stands: rows of a definition before the one that is put back...
        for id in earlierRows(among: change.change.withdrawals, of: record.id) {
            if let row = make(slot, at: id.time) { pending.add(insert: row) }
        }
        // ... and what lies further ahead: that of an instant which is only half made.
        for id in change.change.withdrawals where id.time > through && ledger.slot(of: id) == nil {
            if id.time > furthestRow || !record.isDue(at: id.time) {
                pending.withdrawals.append(id)
            } else if let row = make(slot, at: id.time) {
                pending.add(insert: row)
            }
        }
        agenda.arm(slot, after: max(from, through))
        resumeRetries(of: record.id)
    }

    /// Marks that are still to be written would pass rows that were made up for, and lose them in a crash: they go with those
    /// rows, in one transaction.
    private mutating func holdMarks() {
        for index in parts.indices {
            if let through = parts[index].materializedThrough {
                pending.materializedThrough = max(pending.materializedThrough ?? through, through)
                parts[index].materializedThrough = nil
            }
            parts[index].settledThrough = nil
        }
        pending.settledThrough = settledMark
    }

    /// What was cancelled because of a change that has not come about goes on.
    private mutating func resumeRetries(of job: JobID) {
        func belongs(_ update: PendingBatch.Update) -> Bool {
            update.execution.jobID == job && update.execution.status == .cancelled
                && (update.execution.reason == .jobPaused || update.execution.reason == .jobDeleted)
        }
        var resumed: [Execution] = []
        for index in pending.updates.indices where belongs(pending.updates[index]) {
            Self.resume(&pending.updates[index], at: now, &resumed)
        }
        for part in parts.indices {
            for index in parts[part].updates.indices where belongs(parts[part].updates[index]) {
                Self.resume(&parts[part].updates[index], at: now, &resumed)
            }
        }
        for execution in resumed {
            guard let slot = ledger.slot(of: execution.id) else { continue }
            ledger[slot].execution.status = .retrying
            ledger[slot].execution.reason = nil
            ledger[slot].execution.finishedAt = nil
            ledger[slot].execution.nextAttemptAt = now
            move(slot, to: .recording)
        }
    }

    private static func resume(
        _ update: inout PendingBatch.Update,
        at now: Timestamp,
        _ resumed: inout [Execution]
    ) {
        update.execution.status = .retrying
        update.execution.reason = nil
        update.execution.finishedAt = nil
        update.execution.nextAttemptAt = now
        resumed.append(update.execution)
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
        _ job: Job,
        _ key: IdempotencyRecord?,
        _ nonce: UniqueID,
        _ ticket: Ticket
    ) -> ChangeResult? {
        guard let slot = agenda.slot(of: job.id), !agenda[slot].deleted else { return .stale }
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
        let execution = occurrence(of: job.id, at: now, trigger: .manual, nonce: nonce.bytes)
        enter(OpenExecution(execution: execution, job: slot, state: .inserting))
        var change = JobChange(job: nil, isNew: false, inserts: [execution])
        if var key {
            key.answer = execution.id.uuid
            change.idempotencyKey = key
        }
        pending.add(PendingBatch.Change(change: change, ticket: ticket, result: .execution(execution), before: nil))
        return nil
    }

    private mutating func executeNow(
        _ planned: PlannedJob,
        wait: Bool,
        _ nonce: UniqueID,
        _ ticket: Ticket
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
        pending.add(
            PendingBatch.Change(
                change: JobChange(job: planned.job, isNew: true, inserts: [execution]),
                ticket: ticket,
                result: wait ? nil : .execution(execution),
                before: nil
            )
        )
        return nil
    }

    /// The first durable outcome wins: what is being recorded is over.
    private mutating func cancel(
        _ job: JobID,
        _ id: ExecutionID,
        _ ticket: Ticket,
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
        awaitEnd(of: id, ticket)
        return nil
    }

    /// Takes in what a re-read found, as much as a batch should hold.
    mutating func takeRefreshed(into actions: inout [Action]) {
        guard refreshed.count > refreshedCount, inFlight == nil else { return }
        let begin = refreshedCount
        var bytes = 0
        while refreshedCount < refreshed.count, refreshedCount - begin < refreshBatchJobs, bytes < refreshBatchBytes {
            bytes += refreshed[refreshedCount].job.call.body?.utf8.count ?? 0
            refreshedCount += 1
        }
        jobsRefreshed(Array(refreshed[begin..<refreshedCount]), into: &actions)
        if refreshedCount == refreshed.count { forgetRefreshed() }
    }

    mutating func forgetRefreshed() {
        refreshed = []
        refreshedCount = 0
    }

    private var refreshBatchJobs: Int { 1_000 }
    private var refreshBatchBytes: Int { 4 << 20 }

    /// What the re-read found that differs from memory: somebody changed it by hand.
    private mutating func jobsRefreshed(_ jobs: [PlannedJob], into actions: inout [Action]) {
        guard case .leading = phase else { return }
        for planned in jobs {
            var found = planned
            guard let slot = agenda.slot(of: found.job.id) else {
                guard found.job.deletedAt == nil, !found.job.hidden else { continue }
                // Read before the end of the job was durable.
                let end = deletions.recent[found.job.id] ?? deletions.older[found.job.id]
                if let end, end.follows(found.job) { continue }
                // New, by hand: it counts from now on.
                found.job.version += 1
                found.job.effectiveFrom = now
                found.job.updatedAt = now
                let slot = agenda.put(JobRecord(found))
                var change = JobChange(job: found.job, isNew: false)
                change.inserts = makeAhead(slot)
                pending.add(
                    PendingBatch.Change(change: change, ticket: nil, result: nil, before: nil, restartedAt: now)
                )
                continue
            }
            let record = agenda[slot]
            let differs = JobRecord(found)
            // The same job may have another plan: its time zone got new rules.
            let isNewer = found.job.version > record.version
            let isReplanned = found.job.version == record.version && differs.plan !== record.plan
            guard isNewer || isReplanned, !record.deleted else { continue }
            let restarts = differs.isScheduledUnlike(record)
            // Written back with the next version, so that the row and memory agree again.
            adopt(version: found.job.version, at: slot)
            found.job.version += 1
            _ = replace(found, restarts: restarts, nil, into: &actions)
        }
    }

    /// A re-read is answered long before this is over.
    mutating func forgetDeletions(at now: Now) {
        guard now.boot >= deletionsTurnAt + 60_000 else { return }
        deletionsTurnAt = now.boot
        deletions = (recent: [:], older: deletions.recent)
    }

    private mutating func adopt(version: Int64, at slot: Int32) {
        var record = agenda[slot]
        record.version = version
        agenda.put(record)
    }
}
