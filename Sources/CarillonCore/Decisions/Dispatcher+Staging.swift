/// How a change of a job is staged, sent, and applied or dropped.
extension Dispatcher {
    // MARK: Staging

    /// Stages a new job. The job enters memory only when it is durable.
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

    /// Stages a new definition of a job. With `restarts` the schedule starts again: times due until now get their rows
    /// in the change's transaction, and executions that the change affects are held.
    mutating func stage(
        _ planned: PlannedJob,
        at slot: Int32,
        restarts: Bool,
        _ requestID: RequestID?,
        result: ChangeResult? = nil,
        into actions: inout [Action]
    ) {
        // The row may have been changed directly in the database.
        let restarts = restarts || JobRecord(planned).isScheduledUnlike(jobTable[slot])
        var job = planned.job
        job.updatedAt = now
        // The job may have been paused and resumed in the database between two reads.
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

    /// Whether reports about an execution must wait: its row is not durable yet, or a staged change affects it.
    func isUndecided(_ slot: Int32) -> Bool { executionTable[slot].state == .inserting || isHeld(slot) }

    // MARK: Sending

    /// Completes the staged changes of the batch being sent: rows up to the batch's mark, withdrawals, and ended
    /// executions.
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

    /// The rows of a new definition from a time up to the mark. Times within an outage are left to the catch-up.
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

    /// Whether the row of a replaced execution must be withdrawn: its time is not a due time of the new definition.
    private func isWithdrawn(_ slot: Int32, by staged: StagedChange) -> Bool {
        if InjectedFault.keepsTheOldDefinition.isActive { return false }
        if InjectedFault.forgetsWhatIsInFlight.isActive, executionTable[slot].state == .inserting { return false }
        return !staged.record.isDue(at: executionTable[slot].execution.scheduledTime)
    }

    /// A waiting execution in its final state after its job was paused or deleted.
    private func end(of slot: Int32, by staged: StagedChange) -> Execution {
        var execution = executionTable[slot].execution
        execution.status = executionTable[slot].statusWhenJobEnds
        execution.reason = staged.record.endReason
        execution.finishedAt = now
        execution.nextAttemptAt = nil
        return execution
    }

    // MARK: Commit

    /// The change is durable: the new definition replaces the old one.
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

    /// Removes the executions that ended in the change's transaction.
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

    /// Removes the executions that the change's transaction withdrew, and withdraws executions that were queued since.
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

    /// Arms the durable rows of the new definition. If the clock stepped back since, rows beyond the mark are withdrawn
    /// and inserted again at their time.
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

    /// Ends a waiting execution because its job was paused or deleted.
    mutating func endWithJob(_ slot: Int32) {
        conclude(slot, as: executionTable[slot].statusWhenJobEnds, reason: jobTable[executionTable[slot].job].endReason)
    }

    // MARK: Refusal

    /// The database refused the change: the committed definition stays, and its held due times are inserted.
    mutating func drop(_ change: PendingBatch.Change, into actions: inout [Action]) {
        guard let job = change.change.job, let staged = changes.unstage(job.id) else { return }
        // Times due before the change stay due, unless the clock stepped back and removed them.
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

    /// Puts held executions back into the ready queue.
    private mutating func requeue(_ setAside: [(slot: Int32, id: ExecutionID)]) {
        for (slot, id) in setAside where executionTable.slot(of: id) == slot && executionTable[slot].state == .ready {
            makeReady(slot)
        }
    }

    /// Arms a job for its first due time after `time` without a row. Rows of a partially materialized instant lie
    /// beyond the mark.
    mutating func armSchedule(of job: Int32, after time: Timestamp) {
        jobTable.arm(job, after: time)
        while let next = jobTable.nextTime(of: job), executionTable.holds(next, of: jobTable[job].id) {
            jobTable.arm(job, after: next)
        }
    }
}
