/// How a change of a job is staged, sent, and applied or dropped (design § 2, "A change is staged, then applied at commit").
extension Dispatcher {
    // MARK: Staging

    /// Stages a new job. Nothing of it is in memory before it is durable.
    mutating func stage(
        new planned: PlannedJob,
        _ key: IdempotencyRecord?,
        _ requestID: RequestID?,
        isFound: Bool = false
    ) {
        var planned = planned
        planned.job.effectiveFrom = now
        planned.job.updatedAt = now
        changes.stage(StagedChange(record: JobRecord(planned), restartedAt: now))
        log.pending.add(
            PendingBatch.Change(
                change: JobChange(job: planned.job, isNew: !isFound, idempotencyKey: key),
                requestID: requestID,
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
        _ requestID: RequestID?,
        result: ChangeResult? = nil,
        into actions: inout [Action]
    ) {
        // The row that was read may be one that somebody changed by hand.
        let restarts = restarts || JobRecord(planned).isScheduledUnlike(jobTable[slot])
        var job = planned.job
        job.updatedAt = now
        // Somebody may have stopped and begun it by hand, so quickly that it went on here.
        job.effectiveFrom = restarts ? now : jobTable[slot].effectiveFrom
        var change = JobChange(job: job, isNew: false)
        if restarts {
            change.inserts = accountDue(of: slot, into: &actions)
            backlog.catchUp?.disarm(slot)
            jobTable.hold(slot)
        }
        let record = JobRecord(PlannedJob(job: job, plan: planned.plan))
        changes.stage(StagedChange(record: record, restartedAt: restarts ? now : nil))
        log.pending.add(
            PendingBatch.Change(change: change, requestID: requestID, result: result ?? .job(job), isStaged: true)
        )
        if InjectedFault.appliesAChangeBeforeItsCommit.isActive { jobTable.put(record) }
    }

    /// Whether an execution has to wait for a change of its job.
    func isHeld(_ slot: Int32) -> Bool {
        let job = executionTable[slot].job
        guard jobTable[job].isHeld, let staged = changes[jobTable[job].id] else { return false }
        return staged.holds(executionTable[slot])
    }

    /// What a worker says of an execution is looked at later: its row is not yet durable, or a change decides about it.
    func isUndecided(_ slot: Int32) -> Bool { executionTable[slot].state == .inserting || isHeld(slot) }

    // MARK: Sending

    /// Completes the staged changes of the batch that is sent now: rows up to the batch's mark, and what they withdraw and end.
    mutating func completeChanges() {
        for index in log.pending.changes.indices where log.pending.changes[index].isStaged {
            guard let id = log.pending.changes[index].change.job?.id, let staged = changes[id],
                let restartedAt = staged.restartedAt
            else { continue }
            if let slot = jobTable.slot(of: id) {
                for execution in executionTable.slots(ofJob: slot) where staged.holds(executionTable[execution]) {
                    if staged.ends(executionTable[execution]) {
                        log.pending.changes[index].ends.append(end(of: execution, by: staged))
                    } else if isWithdrawn(execution, by: staged) {
                        log.pending.changes[index].change.withdrawals.append(executionTable[execution].execution.id)
                    }
                }
            }
            log.pending.changes[index].rows = rows(of: staged, after: restartedAt).filter {
                executionTable.slot(of: $0.id) == nil
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
        if InjectedFault.keepsTheOldDefinition.isActive { return false }
        if InjectedFault.forgetsWhatIsInFlight.isActive, executionTable[slot].state == .inserting { return false }
        return !staged.record.isDue(at: executionTable[slot].execution.scheduledTime)
    }

    /// An execution that waits, as it is when its job is paused or deleted.
    private func end(of slot: Int32, by staged: StagedChange) -> Execution {
        var execution = executionTable[slot].execution
        execution.status = executionTable[slot].statusWhenJobEnds
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
        let before = jobTable.slot(of: job.id).map { jobTable[$0] }
        let slot = jobTable.put(staged.record)
        if let restartedAt = staged.restartedAt {
            end(change.ends, by: staged, recorded: &recorded, into: &actions)
            withdraw(Set(change.change.withdrawals), of: slot, by: staged)
            arm(change.rows, of: slot, notPending)
            let through = max(restartedAt, staged.through ?? restartedAt)
            for row in rows(of: staged, after: through) where !InjectedFault.letsAMarkPassAStagedChange.isActive {
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
        if let requestID = change.requestID, let result = change.result { actions.append(.reply(requestID, result)) }
        applyQueuedChanges(of: job.id, into: &actions)
    }

    /// Takes out the executions that ended in the change's transaction.
    private mutating func end(
        _ ended: [Execution],
        by staged: StagedChange,
        recorded: inout [Execution],
        into actions: inout [Action]
    ) {
        for execution in ended {
            guard let slot = executionTable.slot(of: execution.id), staged.ends(executionTable[slot]),
                staged.holds(executionTable[slot])
            else {
                continue
            }
            takeOut(slot)
            answerCancels(of: execution, into: &actions)
            recorded.append(execution)
        }
    }

    /// Takes out the executions that the change's transaction withdrew, and withdraws those that came to wait since.
    private mutating func withdraw(_ withdrawn: Set<ExecutionID>, of job: Int32, by staged: StagedChange) {
        for slot in executionTable.slots(ofJob: job) where staged.holds(executionTable[slot]) {
            let id = executionTable[slot].execution.id
            if withdrawn.contains(id) {
                takeOut(slot)
            } else if staged.ends(executionTable[slot]) {
                endWithJob(slot)
            } else if isWithdrawn(slot, by: staged), !InjectedFault.forgetsWhatIsInFlight.isActive {
                takeOut(slot)
                log.dropInserts { $0.id == id }
                log.pending.withdrawals.append(id)
            }
        }
    }

    /// Arms the rows of the new definition, which are durable. The clock may have gone back since: rows beyond the mark are
    /// withdrawn, and made again when their times come.
    private mutating func arm(_ rows: [Execution], of job: Int32, _ notPending: Set<ExecutionID>) {
        for row in rows where executionTable.slot(of: row.id) == nil {
            if notPending.contains(row.id), !InjectedFault.armsWhatHasRun.isActive { continue }
            guard row.scheduledTime <= materializer.materializedThrough else {
                log.pending.withdrawals.append(row.id)
                continue
            }
            let slot = enter(OpenExecution(execution: row, job: job, state: .armed))
            executionTable.setTimer(slot, to: row.scheduledTime)
        }
    }

    /// Ends an execution that waits, because its job is paused or deleted.
    mutating func endWithJob(_ slot: Int32) {
        conclude(slot, as: executionTable[slot].statusWhenJobEnds, reason: jobTable[executionTable[slot].job].endReason)
    }

    // MARK: Refusal

    /// The database refused the change: the committed definition stays, and makes the due times that were held back.
    mutating func drop(_ change: PendingBatch.Change, into actions: inout [Action]) {
        guard let job = change.change.job, let staged = changes.unstage(job.id) else { return }
        // What was due before the change is due all the same, unless the clock went back since and took it out.
        for row in change.change.inserts {
            let isWaiting = executionTable.slot(of: row.id).map { executionTable[$0].state == .inserting } ?? false
            if isWaiting || row.status != .pending { log.pending.add(insert: row) }
        }
        if let slot = jobTable.slot(of: job.id), jobTable[slot].isHeld {
            let before = jobTable[slot]
            jobTable.release(slot)
            let through = max(now, materializer.materializedThrough)
            for row in insertMissed(slot, after: staged.cursor, through: through) { log.pending.add(insert: row) }
            armSchedule(of: slot, after: max(staged.cursor, through))
            requeue(staged.setAside)
            resetStartTimers(of: slot, before: before)
        }
    }

    /// Puts executions that were held back into the ready queue.
    private mutating func requeue(_ setAside: [(slot: Int32, id: ExecutionID)]) {
        for (slot, id) in setAside where executionTable.slot(of: id) == slot && executionTable[slot].state == .ready {
            makeReady(slot)
        }
    }

    /// Arms a job by its first due time after `time` that has no row. Rows of an instant that is only half made lie beyond the
    /// mark.
    mutating func armSchedule(of job: Int32, after time: Timestamp) {
        jobTable.arm(job, after: time)
        while let next = jobTable.nextTime(of: job), executionTable.holds(next, of: jobTable[job].id) {
            jobTable.arm(job, after: next)
        }
    }
}
