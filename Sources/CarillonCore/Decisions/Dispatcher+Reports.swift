/// Reports of workers: which of them are accepted, late, or not valid for the worker.
extension Dispatcher {
    mutating func workerReported(
        _ link: ConnectionID,
        _ outcomes: [CallOutcome],
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        // A standby does not process reports: the worker keeps them for the leader.
        guard case .leading = leadership.phase else { return }
        for report in outcomes {
            guard isIssued(report, over: link) else {
                reject(link, "an outcome with a token that was not issued to the worker for this call", into: &actions)
                acknowledge(report.token, .notIssued, to: link)
                continue
            }
            take(report, over: link, using: &random, into: &actions)
        }
    }

    /// Processes a report about a call that was dispatched to the reporting worker. The connection may have ended
    /// since.
    mutating func take(
        _ report: CallOutcome,
        over link: ConnectionID,
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        guard let slot = executionTable.slot(of: report.executionID) else {
            return take(lateOutcome: report, over: link, into: &actions)
        }
        if executionTable[slot].state == .recording, executionTable[slot].execution.token == report.token {
            let isCancel = report.kind == .cancelled && executionTable[slot].cancelReason != nil
            if executionTable[slot].execution.status == .unknown, isCancel || mayEndUnknown(report.kind) {
                // The report arrived in time: the actual outcome replaces UNKNOWN.
                executionTable[slot].execution.lostAttempts -= 1
                settle(slot, report, link: link, using: &random, into: &actions)
                return
            }
            // Reported again before the first report is durable: both are acknowledged together.
            return acknowledgeWithPending(slot, link: link, token: report.token)
        }
        if isUndecided(slot), report.kind != .notStarted {
            reports.keep(report, from: link)
            return
        }
        guard accepts(report.token, report.attempt, for: slot) else {
            return take(lateOutcome: report, over: link, into: &actions)
        }
        markAcknowledged(slot)
        if case .dispatched(let holder) = executionTable[slot].state { pool.roster.modify(holder) { $0.inFlight -= 1 } }
        adopt(slot, report.token)
        if executionTable[slot].execution.worker == nil {
            executionTable[slot].execution.worker = pool.roster[link]?.name
        }
        settle(slot, report, link: link, using: &random, into: &actions)
    }

    /// Whether the reported call was dispatched to the reporting worker. A call that this leader sent over the same
    /// connection needs no code check.
    private func isIssued(_ outcome: CallOutcome, over link: ConnectionID) -> Bool {
        guard outcome.shard == outcome.jobID.shard || InjectedFault.believesEveryToken.isActive else { return false }
        if let slot = executionTable.slot(of: outcome.executionID) {
            guard executionTable[slot].execution.jobID == outcome.jobID else { return false }
            if executionTable[slot].state == .dispatched(link), executionTable[slot].execution.token == outcome.token {
                return executionTable[slot].attemptNumber == outcome.attempt
            }
        }
        return isIssued(outcome.token, outcome.code, outcome.executionID, outcome.attempt, to: link)
    }

    /// Whether the report contains the actual outcome of an attempt that counted as lost. "Cancelled" does not.
    private func mayEndUnknown(_ kind: OutcomeKind) -> Bool {
        switch kind {
        case .answered, .failed, .notSent: true
        case .notStarted, .cancelled, .unknown: false
        }
    }

    /// Processes a report about an attempt that is not known here. Usually it changes nothing and is acknowledged, so
    /// that the worker forgets it. It can replace UNKNOWN (G6) or recreate a withdrawn row.
    private mutating func take(lateOutcome outcome: CallOutcome, over link: ConnectionID, into actions: inout [Action])
    {
        counters.lateReports += 1
        if mayEndUnknown(outcome.kind), executionTable.slot(of: outcome.executionID) == nil {
            // Each report is looked up once at a time. A repeat is answered together with the first report: the worker
            // forgets an acknowledged outcome, and this outcome is not durable yet.
            guard reports.beginLookup(outcome.token, from: link) else { return }
            actions.append(.findExecution(outcome, worker: pool.roster[link]?.name ?? "", link: link))
        } else {
            acknowledge(outcome.token, .superseded, to: link)
        }
    }

    mutating func executionFound(_ execution: Execution?, outcome: CallOutcome, worker: String, link: ConnectionID) {
        let link = reports.endLookup(outcome.token) ?? link
        guard case .leading = leadership.phase else { return }
        // A row read as PENDING may be withdrawn by a batch in flight.
        let isMissing = execution == nil || execution?.status == .pending
        if executionTable.slot(of: outcome.executionID) != nil
            || isMissing && recreateRow(outcome.executionID, of: outcome.jobID)
        {
            reports.keep(outcome, from: link)
            return
        }
        var outcome = outcome
        _ = OutcomeCheck.correct(&outcome, responseLimit: configuration.responseLimit)
        guard var execution, execution.jobID == outcome.jobID, execution.status == .unknown,
            execution.token == outcome.token, executionTable.slot(of: execution.id) == nil,
            let status = finalStatus(of: outcome)
        else {
            acknowledge(outcome.token, .superseded, to: link)
            return
        }
        execution.status = status
        execution.reason = nil
        execution.worker = worker
        // The attempt was not lost after all.
        execution.attempts += 1
        execution.lostAttempts = max(0, execution.lostAttempts - 1)
        let latest = leadership.nowMicroseconds
        let times = CallTimes(
            started: latest - Int64(clamping: outcome.durationMicroseconds),
            duration: outcome.durationMicroseconds,
            earliest: min(execution.scheduledTime, now).milliseconds * 1_000,
            latest: latest
        )
        fill(&execution, from: outcome, times)
        execution.finishedAt = now
        log.pending.updates.append(PendingBatch.Update(execution: execution, link: link, token: outcome.token))
    }

    private func finalStatus(of outcome: CallOutcome) -> ExecutionStatus? {
        switch outcome.kind {
        case .answered: isSuccess(outcome) ? .success : .failed
        case .failed, .notSent: .failed
        case .notStarted, .cancelled, .unknown: nil
        }
    }
}
