/// How a change of a job is staged, sent, and applied or dropped (design § 2, "A change is staged, then applied at commit").
extension Dispatcher {
    // MARK: Staging

    /// Stages a new job. Nothing of it is in memory before it is durable.
    mutating func stage(new planned: PlannedJob, _ key: IdempotencyRecord?, _ ticket: Ticket?, isFound: Bool = false) {
        var planned = planned
        planned.job.effectiveFrom = now
        planned.job.updatedAt = now
        changes.stage(StagedChange(record: JobRecord(planned), restartedAt: now))
        log.pending.add(
            PendingBatch.Change(
                change: JobChange(job: planned.job, isNew: !isFound, idempotencyKey: key),
                ticket: ticket,
                result: .job(planned.job),
                isStaged: true
            )
        )
    }

    /// Stages another definition of a job. With `restarts` the schedule begins anew: what was due until now gets its rows in
    /// the change's transaction, and what the change decides is held.
    mutating func stage(
        _ planned: PlannedJob,
        at slot: Int32,
        restarts: Bool,
        _ ticket: Ticket?,
        result: ChangeResult? = nil,
        into actions: inout [Action]
    ) {
        // The row that was read may be one that somebody changed by hand.
        let restarts = restarts || JobRecord(planned).isScheduledUnlike(agenda[slot])
        var job = planned.job
        job.updatedAt = now
        // Somebody may have stopped and begun it by hand, so quickly that it went on here.
        job.effectiveFrom = restarts ? now : agenda[slot].effectiveFrom
        var change = JobChange(job: job, isNew: false)
        if restarts {
            change.inserts = accountDue(of: slot, into: &actions)
            backlog.catchUp?.disarm(slot)
            agenda.hold(slot)
        }
        let record = JobRecord(PlannedJob(job: job, plan: planned.plan))
        changes.stage(StagedChange(record: record, restartedAt: restarts ? now : nil))
        log.pending.add(
            PendingBatch.Change(change: change, ticket: ticket, result: result ?? .job(job), isStaged: true)
        )
        if Canary.appliesAChangeBeforeItsCommit.sings { agenda.put(record) }
    }

    /// Whether an execution has to wait for a change of its job.
    func isHeld(_ slot: Int32) -> Bool {
        let job = ledger[slot].job
        guard agenda[job].isHeld, let staged = changes[agenda[job].id] else { return false }
        return staged.holds(ledger[slot])
    }

    /// What a worker says of an execution is looked at later: its row is not yet durable, or a change decides about it.
    func isUndecided(_ slot: Int32) -> Bool { ledger[slot].state == .inserting || isHeld(slot) }

    // MARK: Sending

    /// Completes the staged changes of the batch that is sent now: rows up to the batch's mark, and what they withdraw and end.
    mutating func completeChanges() {
        for index in log.pending.changes.indices where log.pending.changes[index].isStaged {
            guard let id = log.pending.changes[index].change.job?.id, let staged = changes[id],
                let restartedAt = staged.restartedAt
            else { continue }
            if let slot = agenda.slot(of: id) {
                for execution in ledger.slots(ofJob: slot) where staged.holds(ledger[execution]) {
                    if staged.ends(ledger[execution]) {
                        log.pending.changes[index].ends.append(end(of: execution, by: staged))
                    } else if isWithdrawn(execution, by: staged) {
                        log.pending.changes[index].change.withdrawals.append(ledger[execution].execution.id)
                    }
                }
            }
            log.pending.changes[index].rows = rows(of: staged, after: restartedAt).filter {
                ledger.slot(of: $0.id) == nil
            }
            changes.setThrough(materializer.materializedThrough, of: id)
        }
    }

    /// The rows of a new definition after a time, up to the mark. Those within an outage are left to the catch-up.
    private func rows(of staged: StagedChange, after begin: Timestamp) -> [Execution] {
        var rows: [Execution] = []
        var time = begin
        while let next = staged.record.next(after: time), next <= materializer.materializedThrough {
            time = next
            if staged.hasMissedTimes, backlog.catchUp?.isMissed(next) ?? false { continue }
            rows.append(occurrence(of: staged.record.id, at: next))
        }
        return rows
    }

    /// Whether the row of an execution that the change replaces is no due time of the new definition.
    private func isWithdrawn(_ slot: Int32, by staged: StagedChange) -> Bool {
        if Canary.keepsTheOldDefinition.sings { return false }
        if Canary.forgetsWhatIsInFlight.sings, ledger[slot].state == .inserting { return false }
        return !staged.record.isDue(at: ledger[slot].execution.scheduledTime)
    }

    /// An execution that waits, as it is when its job is paused or deleted.
    private func end(of slot: Int32, by staged: StagedChange) -> Execution {
        var execution = ledger[slot].execution
        execution.status = ledger[slot].statusWhenJobEnds
        execution.reason = staged.record.endReason
        execution.finishedAt = now
        execution.nextAttemptAt = nil
        return execution
    }

    // MARK: Commit

    /// The change is durable: the new definition takes the place of the old one, by state.
    mutating func apply(
        _ change: PendingBatch.Change,
        notPending: Set<ExecutionID>,
        recorded: inout [Execution],
        into actions: inout [Action]
    ) {
        guard let job = change.change.job, let staged = changes.unstage(job.id) else { return }
        let before = agenda.slot(of: job.id).map { agenda[$0] }
        let slot = agenda.put(staged.record)
        if let restartedAt = staged.restartedAt {
            end(change.ends, by: staged, recorded: &recorded, into: &actions)
            withdraw(Set(change.change.withdrawals), of: slot, by: staged)
            arm(change.rows, of: slot, notPending)
            let through = max(restartedAt, staged.through ?? restartedAt)
            for row in rows(of: staged, after: through) where !Canary.letsAMarkPassAStagedChange.sings {
                if let row = make(slot, at: row.scheduledTime) { log.pending.add(insert: row) }
            }
            if staged.hasMissedTimes, staged.record.isScheduled {
                backlog.catchUp?.arm(slot, staged.record, after: restartedAt)
            }
            armSchedule(of: slot, after: max(restartedAt, materializer.materializedThrough))
        }
        requeue(staged.setAside)
        if let before { resetStartTimers(of: slot, before: before) }
        forgetJobIfIdle(slot)
        if let ticket = change.ticket, let result = change.result { actions.append(.reply(ticket, result)) }
        takeTurns(of: job.id, into: &actions)
    }

    /// Takes out the executions that ended in the change's transaction.
    private mutating func end(
        _ ended: [Execution],
        by staged: StagedChange,
        recorded: inout [Execution],
        into actions: inout [Action]
    ) {
        for execution in ended {
            guard let slot = ledger.slot(of: execution.id), staged.ends(ledger[slot]), staged.holds(ledger[slot]) else {
                continue
            }
            takeOut(slot)
            answerCancels(of: execution, into: &actions)
            recorded.append(execution)
        }
    }

    /// Takes out the executions that the change's transaction withdrew, and withdraws those that came to wait since.
    private mutating func withdraw(_ withdrawn: Set<ExecutionID>, of job: Int32, by staged: StagedChange) {
        for slot in ledger.slots(ofJob: job) where staged.holds(ledger[slot]) {
            let id = ledger[slot].execution.id
            if withdrawn.contains(id) {
                takeOut(slot)
            } else if staged.ends(ledger[slot]) {
                endWithJob(slot)
            } else if isWithdrawn(slot, by: staged), !Canary.forgetsWhatIsInFlight.sings {
                takeOut(slot)
                log.dropInserts { $0.id == id }
                log.pending.withdrawals.append(id)
            }
        }
    }

    /// Arms the rows of the new definition, which are durable. The clock may have gone back since: rows beyond the mark are
    /// withdrawn, and made again when their times come.
    private mutating func arm(_ rows: [Execution], of job: Int32, _ notPending: Set<ExecutionID>) {
        for row in rows where ledger.slot(of: row.id) == nil {
            if notPending.contains(row.id), !Canary.armsWhatHasRun.sings { continue }
            guard row.scheduledTime <= materializer.materializedThrough else {
                log.pending.withdrawals.append(row.id)
                continue
            }
            let slot = enter(OpenExecution(execution: row, job: job, state: .armed))
            ledger.setTimer(slot, to: row.scheduledTime)
        }
    }

    /// Ends an execution that waits, because its job is paused or deleted.
    mutating func endWithJob(_ slot: Int32) {
        conclude(slot, as: ledger[slot].statusWhenJobEnds, reason: agenda[ledger[slot].job].endReason)
    }

    // MARK: Refusal

    /// The database refused the change: the committed definition stays, and makes the due times that were held back.
    mutating func drop(_ change: PendingBatch.Change, into actions: inout [Action]) {
        guard let job = change.change.job, let staged = changes.unstage(job.id) else { return }
        // What was due before the change is due all the same, unless the clock went back since and took it out.
        for row in change.change.inserts {
            let isWaiting = ledger.slot(of: row.id).map { ledger[$0].state == .inserting } ?? false
            if isWaiting || row.status != .pending { log.pending.add(insert: row) }
        }
        if let slot = agenda.slot(of: job.id), agenda[slot].isHeld {
            let before = agenda[slot]
            agenda.release(slot)
            let through = max(now, materializer.materializedThrough)
            for row in makeUp(slot, after: staged.cursor, through: through) { log.pending.add(insert: row) }
            armSchedule(of: slot, after: max(staged.cursor, through))
            requeue(staged.setAside)
            resetStartTimers(of: slot, before: before)
        }
    }

    /// Puts executions that were held back into the ready queue.
    private mutating func requeue(_ setAside: [(slot: Int32, id: ExecutionID)]) {
        for (slot, id) in setAside where ledger.slot(of: id) == slot && ledger[slot].state == .ready { makeReady(slot) }
    }

    /// Arms a job by its first due time after `time` that has no row. Rows of an instant that is only half made lie beyond the
    /// mark.
    mutating func armSchedule(of job: Int32, after time: Timestamp) {
        agenda.arm(job, after: time)
        while let next = agenda.nextTime(of: job), ledger.holds(next, of: agenda[job].id) {
            agenda.arm(job, after: next)
        }
    }
}
