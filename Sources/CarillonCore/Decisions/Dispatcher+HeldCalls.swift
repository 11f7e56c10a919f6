/// Calls that workers report as held, and the rules for accepting reports.
extension Dispatcher {
    /// Takes over the calls that a worker is running.
    mutating func workerHeld(_ link: ConnectionID, epoch: Int64, _ held: [HeldCall], into actions: inout [Action]) {
        guard case .leading = leadership.phase, epoch == leadership.lease.epoch, pool.roster[link] != nil else {
            return
        }
        pool.roster.modify(link) {
            $0.heldEpoch = epoch
            $0.heldAt = leadership.nowBoot
            $0.obeyedEpoch = nil
        }
        for call in held {
            guard call.shard == call.jobID.shard,
                isIssued(call.token, call.code, call.executionID, call.attempt, to: link)
            else {
                reject(link, "the worker holds a call with a token that was not issued to it", into: &actions)
                actions.append(.cancelCalls(link, [call.token]))
                continue
            }
            if let slot = executionTable.slot(of: call.executionID), isUndecided(slot) {
                reports.keep(call, from: link)
            } else if recreateRow(call.executionID, of: call.jobID) {
                reports.keep(call, from: link, isRecreated: true)
            } else {
                take(call, heldBy: link, into: &actions)
            }
        }
    }

    /// Whether the token was issued for this attempt of this execution to the worker process of this connection.
    func isIssued(
        _ token: DispatchToken,
        _ code: AuthenticationCode,
        _ id: ExecutionID,
        _ attempt: Int,
        to link: ConnectionID
    ) -> Bool {
        if InjectedFault.believesEveryToken.isActive { return pool.roster[link] != nil }
        guard let worker = pool.roster.workers[link] else { return false }
        let expected = worker.key.code(of: token, id, attempt: attempt)
        return (expected.high ^ code.high) | (expected.low ^ code.low) == 0
    }

    /// Counts and logs a report that was rejected or corrected.
    mutating func reject(_ link: ConnectionID, _ why: String, into actions: inout [Action]) {
        counters.foreignReports += 1
        actions.append(.log(.reportRejected(worker: pool.roster[link]?.name ?? "", why: why)))
    }

    private mutating func take(_ call: HeldCall, heldBy link: ConnectionID, into actions: inout [Action]) {
        guard let slot = executionTable.slot(of: call.executionID), executionTable[slot].execution.jobID == call.jobID,
            accepts(call.token, call.attempt, for: slot)
        else {
            // The outcome of this call would have no effect, so do not occupy the target.
            if !isRecording(call) { actions.append(.cancelCalls(link, [call.token])) }
            return
        }
        markAcknowledged(slot)
        if case .dispatched(let other) = executionTable[slot].state {
            if other == link { return }
            pool.roster.modify(other) { $0.inFlight -= 1 }
        }
        adopt(slot, call.token)
        executionTable[slot].execution.worker = pool.roster[link]?.name
        executionTable[slot].execution.workerBootID = pool.roster[link]?.bootID
        executionTable[slot].isAcknowledged = true
        move(slot, to: .dispatched(link))
        resumeDeadline(slot)
        pool.roster.modify(link) { $0.inFlight += 1 }
        if executionTable[slot].cancelReason != nil { actions.append(.cancelCalls(link, [call.token])) }
    }

    /// Whether the outcome of this call is being recorded.
    private func isRecording(_ call: HeldCall) -> Bool {
        guard let slot = executionTable.slot(of: call.executionID) else { return false }
        return executionTable[slot].state == .recording && executionTable[slot].execution.token == call.token
    }

    /// Inserts the row of an occurrence again that a worker holds and whose row was withdrawn after the clock stepped
    /// back; otherwise the call would be repeated at its time. Older rows may have been dropped by retention, so they
    /// are not inserted. Returns whether the row was inserted.
    mutating func recreateRow(_ id: ExecutionID, of job: JobID) -> Bool {
        guard id.time > now - 20 * 3_600_000, id == ExecutionID(job: job, scheduledTime: id.time, trigger: .schedule),
            let slot = jobTable.slot(of: job), let row = make(slot, at: id.time)
        else { return false }
        backlog.catchUp?.cover(job, [OutageRow(jobID: job, from: id.time, to: id.time)])
        if backlog.catchUp?.time(of: slot) == id.time {
            let record = jobTable[slot]
            backlog.catchUp?.arm(slot, record, after: id.time)
        }
        log.pending.add(insert: row)
        return true
    }

    /// Processes buffered reports about executions whose rows were not durable yet.
    mutating func takeBufferedReports(using random: inout some RandomNumberGenerator, into actions: inout [Action]) {
        guard !reports.isEmpty else { return }
        let (held, outcomes) = reports.takeAll()
        for (link, call, isRecreated) in held {
            if let slot = executionTable.slot(of: call.executionID), isUndecided(slot) {
                reports.keep(call, from: link, isRecreated: isRecreated)
                continue
            }
            if pool.roster[link] != nil { take(call, heldBy: link, into: &actions) }
            if isRecreated { withdrawUnlessDue(call.executionID) }
        }
        for (link, outcome) in outcomes { take(outcome, over: link, using: &random, into: &actions) }
    }

    /// Withdraws a recreated row whose call no worker holds any more. The row stays if it is due later and near enough
    /// for a change of its job to find it.
    private mutating func withdrawUnlessDue(_ id: ExecutionID) {
        guard let slot = executionTable.slot(of: id), !executionTable[slot].hasBegun else { return }
        switch executionTable[slot].state {
        case .armed, .ready: break
        default: return
        }
        if id.time <= furthestRow, jobTable[executionTable[slot].job].isDue(at: id.time) { return }
        withdraw(slot)
    }

    /// Makes the reported attempt the current one. An attempt that was counted as lost is no longer lost.
    mutating func adopt(_ slot: Int32, _ token: DispatchToken) {
        executionTable.clearTimer(slot)
        executionTable[slot].execution.token = token
        executionTable[slot].isAdoptable = false
        guard executionTable[slot].isLost else { return }
        executionTable[slot].isLost = false
        executionTable[slot].execution.lostAttempts -= 1
    }

    /// Whether a report about an attempt counts: its token is the current one, or the execution was recovered and not
    /// dispatched since, or no attempt of it is known here.
    func accepts(_ token: DispatchToken, _ attempt: Int, for slot: Int32) -> Bool {
        switch executionTable[slot].state {
        case .dispatched, .disconnected, .outcomePending:
            return executionTable[slot].execution.token == token
        case .recovered, .ready, .armed, .retrying:
            let open = executionTable[slot]
            if open.isLost, open.execution.token == token, attempt == open.attemptNumber { return true }
            // Not started as far as this leader knows: the row was inserted again after the clock stepped back, or the
            // claim was returned.
            guard open.isAdoptable || !open.hasBegun else { return false }
            if open.rowStatus == .running, let known = open.execution.token, known == token { return true }
            // A claim names the only possible call. Any other row may have been dispatched again since, whatever its
            // job's type is now.
            if open.rowStatus == .running, open.execution.isClaimed { return false }
            return (attempt == open.attemptNumber || InjectedFault.ignoresTheAttemptNumber.isActive)
                && (token.epoch < (leadership.lease.epoch ?? 0) || !open.hasBegun)
        case .inserting, .claiming, .recording:
            return false
        }
    }
}
