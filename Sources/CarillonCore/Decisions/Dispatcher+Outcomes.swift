/// The outcome of an attempt: recording and retries.
extension Dispatcher {
    /// The maximum Retry-After that is applied.
    private var retryAfterLimitMs: UInt64 { 3_600_000 }

    func isSuccess(_ outcome: CallOutcome) -> Bool {
        outcome.kind == .answered && (200..<300).contains(outcome.httpStatus ?? 0)
    }

    func fill(_ execution: inout Execution, from outcome: CallOutcome, _ times: CallTimes) {
        execution.httpStatus = outcome.httpStatus
        execution.durationMicroseconds = times.duration
        execution.response = outcome.response
        execution.errorMessage = outcome.errorMessage
    }

    mutating func settle(
        _ slot: Int32,
        _ report: CallOutcome,
        link: ConnectionID,
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        var outcome = report
        let problem = corrected(&outcome, of: slot)
        if let problem {
            counters.invalidReports += 1
            actions.append(.log(.reportRejected(worker: pool.roster[link]?.name ?? "", why: problem)))
        }
        if outcome.kind == .unknown {
            giveUp(slot, outcome.errorMessage ?? "outcome lost: the worker cannot say how the call ended")
            log.pending.updates[log.pending.updates.count - 1].link = link
            log.pending.updates[log.pending.updates.count - 1].token = outcome.token
            log.pending.updates[log.pending.updates.count - 1].result = problem == nil ? .recorded : .invalid
            return
        }
        if outcome.kind == .notStarted {
            counters.returnedAttempts += 1
            acknowledge(outcome.token, .recorded, to: link)
            if let reason = executionTable[slot].cancelReason {
                conclude(slot, as: .cancelled, reason: reason)
            } else {
                executionTable[slot].execution.token = nil
                if pool.roster[link]?.draining == false { pool.roster.modify(link) { $0.returned += 1 } }
                executionTable[slot].returns = min(executionTable[slot].returns + 1, 100)
                // Delay the next dispatch if workers keep returning the call, to avoid a fast loop.
                if executionTable[slot].returns > 3 { delay(slot, until: now + 1_000) } else { enqueue(slot) }
            }
            return
        }
        pool.roster.modify(link) { $0.returned = 0 }
        executionTable[slot].returns = 0
        var execution = executionTable[slot].execution
        let job = executionTable[slot].job
        let times = times(of: slot, outcome, over: link)
        let started = times.started
        if times.isImplausible {
            counters.invalidReports += 1
            let why = "the start and the duration of the call do not fit between its dispatch and its report"
            actions.append(.log(.reportRejected(worker: pool.roster[link]?.name ?? "", why: why)))
        }
        if execution.actualStartTime == nil || execution.driftMicroseconds == nil, execution.attempts == 0 {
            execution.actualStartTime = Timestamp(milliseconds: started / 1000)
            execution.driftMicroseconds = started - execution.scheduledTime.milliseconds * 1000
        }
        execution.attempts += 1
        execution.nextAttemptAt = nil
        execution.reason = nil
        // The row records the outcome of this claim. The next attempt needs a new one.
        execution.isClaimed = false
        fill(&execution, from: outcome, times)

        if isSuccess(outcome) {
            counters.succeededAttempts += 1
            execution.status = .success
        } else if outcome.kind == .cancelled {
            counters.cancelledAttempts += 1
            execution.status = .cancelled
            execution.reason = executionTable[slot].cancelReason ?? .cancelRequested
        } else {
            if outcome.kind == .notSent { counters.unsentAttempts += 1 } else { counters.failedAttempts += 1 }
            if execution.errorMessage == nil, let status = outcome.httpStatus {
                let more = 300...399 ~= status ? ", and redirects are not followed" : ""
                execution.errorMessage = "the target answered with status \(status); 200 to 299 is success\(more)"
            }
            let mayRepeat = !isAtMostOnce(slot) || outcome.kind == .notSent
            let isGone = jobTable[job].hasEnded(for: execution.trigger)
            let maxRetries = Int(jobTable[job].maxRetries)
            if let reason = executionTable[slot].cancelReason {
                execution.status = .cancelled
                execution.reason = reason
            } else if mayRepeat, !isGone,
                execution.attempts <= maxRetries + (InjectedFault.retriesOnceTooOften.isActive ? 1 : 0)
            {
                execution.status = .retrying
                execution.nextAttemptAt =
                    now + retryDelayMs(jobTable[job], attempts: execution.attempts, outcome, using: &random)
            } else {
                execution.status =
                    isGone && mayRepeat && execution.attempts <= maxRetries ? .cancelled : .failed
                if execution.status == .cancelled {
                    execution.reason = jobTable[job].endReason
                } else if mayRepeat, maxRetries > 0 {
                    execution.reason = .retriesExhausted
                }
            }
        }
        var update = PendingBatch.Update(execution: execution, link: link, token: outcome.token)
        if problem != nil { update.result = .invalid }
        if execution.status != .success, outcome.kind != .cancelled {
            update.attempt = Attempt(
                executionID: execution.id,
                number: execution.attempts,
                token: outcome.token,
                startedAt: Timestamp(milliseconds: started / 1000),
                finishedAt: times.finished,
                durationMicroseconds: times.duration,
                httpStatus: outcome.httpStatus,
                response: outcome.response,
                errorMessage: execution.errorMessage,
                worker: execution.worker
            )
        }
        if execution.status.isFinal {
            execution.finishedAt = times.finished
            update.execution.finishedAt = execution.finishedAt
            if execution.trigger == .schedule || execution.status == .success {
                jobTable.setLastFailed(executionTable[slot].job, execution.status == .failed)
            }
        }
        if InjectedFault.acknowledgesBeforeCommit.isActive { acknowledge(outcome.token, .recorded, to: link) }
        // The row keeps the texts; the execution table keeps only the fields that decisions need.
        execution.response = nil
        executionTable[slot].execution = execution
        move(slot, to: .recording)
        log.pending.updates.append(update)
        if executionTable[slot].waiter != nil || changes.cancels.contains(where: { $0.id == execution.id }) {
            log.pending.hasWaiter = true
        }
    }

    /// Corrects a report that contradicts what is known of the call. Returns the problem; `nil` if there is none.
    private func corrected(_ outcome: inout CallOutcome, of slot: Int32) -> String? {
        if let problem = OutcomeCheck.correct(&outcome, responseLimit: configuration.responseLimit) { return problem }
        switch outcome.kind {
        case .notStarted where executionTable[slot].hasStarted:
            // The request may have been sent: dispatch again only if the attempt may be repeated.
            let why = "the worker reported the call as started, then as not started"
            if isAtMostOnce(slot) { outcome.kind = .unknown } else { OutcomeCheck.fail(&outcome, why) }
            outcome.errorMessage = "outcome unknown: \(why); the request may or may not have been delivered"
            return why
        case .unknown where !isAtMostOnce(slot):
            return OutcomeCheck.fail(&outcome, "the worker cannot say how the call ended")
        case .cancelled where executionTable[slot].isOverdue:
            OutcomeCheck.fail(&outcome, "no answer within the timeout: the call was stopped")
            return nil
        case .cancelled where executionTable[slot].cancelReason == nil && outcome.token.epoch == leadership.lease.epoch:
            return OutcomeCheck.fail(&outcome, "the worker reported the call as cancelled without a cancel request")
        default:
            return nil
        }
    }

    /// The start and the duration of a call. The worker's monotonic clock gives the actual start, so the drift includes
    /// the transfer to the worker. Without it, the start is derived from the dispatch.
    private func times(of slot: Int32, _ outcome: CallOutcome, over link: ConnectionID) -> CallTimes {
        let scheduledTime = executionTable[slot].execution.scheduledTime
        let dispatched =
            executionTable[slot].dispatchedMicroseconds != 0
            ? executionTable[slot].dispatchedMicroseconds
            : outcome.dispatchTime.map { min(max($0, scheduledTime), now).milliseconds * 1_000 }
        let started: Int64
        if !InjectedFault.ignoresTheWorkersClock.isActive, let clock = outcome.startedClockMicroseconds,
            let boot = pool.roster.bootTime(of: link, at: clock)
        {
            started = self.leadership.clock.microseconds(at: boot)
        } else if let dispatched {
            started = dispatched + min(Int64(clamping: outcome.startedAfterMicroseconds), leadership.nowMicroseconds)
        } else if executionTable[slot].rowStatus == .running, executionTable[slot].execution.attempts == 0,
            let start = executionTable[slot].execution.actualStartTime
        {
            started = start.milliseconds * 1_000
        } else {
            started =
                leadership.nowMicroseconds
                - min(Int64(clamping: outcome.durationMicroseconds), leadership.nowMicroseconds)
        }
        return CallTimes(
            started: started,
            duration: outcome.durationMicroseconds,
            earliest: dispatched ?? min(scheduledTime, now).milliseconds * 1_000,
            latest: leadership.nowMicroseconds
        )
    }

    /// Queues an execution again whose attempt did not start.
    private mutating func enqueue(_ slot: Int32) {
        let scheduledTime = executionTable[slot].execution.scheduledTime
        if executionTable[slot].rowStatus == .retrying, let next = executionTable[slot].execution.nextAttemptAt,
            next > now
        {
            move(slot, to: .retrying)
            executionTable.setTimer(slot, to: next)
        } else if executionTable[slot].execution.trigger == .schedule, scheduledTime > now {
            move(slot, to: .armed)
            executionTable.setTimer(slot, to: scheduledTime)
        } else {
            makeReady(slot)
        }
    }

    /// The initial delay, doubled with each attempt and limited to the maximum, plus up to 10 % jitter; or the target's
    /// Retry-After, if longer.
    private func retryDelayMs(
        _ record: JobRecord,
        attempts: Int,
        _ outcome: CallOutcome,
        using random: inout some RandomNumberGenerator
    ) -> Int64 {
        let base = record.retryDelayMs(afterAttempts: attempts)
        if let asked = outcome.retryAfterMs, outcome.httpStatus == 429 || outcome.httpStatus == 503 {
            return max(base, Int64(min(asked, retryAfterLimitMs)))
        }
        return base + (base > 0 ? Int64.random(in: 0...max(1, base / 10), using: &random) : 0)
    }

    /// An upper bound of `retryDelayMs`.
    func longestRetryDelayMs(of record: JobRecord, after row: Execution) -> Int64 {
        let base = Int64(record.retryMaxDelayMs)
        let mayHaveAsked = row.httpStatus == 429 || row.httpStatus == 503
        return max(base + max(1, base / 10), mayHaveAsked ? Int64(retryAfterLimitMs) : 0)
    }

    /// The outcome is already in a batch: its acknowledgement goes to the new connection too.
    mutating func acknowledgeWithPending(_ slot: Int32, link: ConnectionID, token: DispatchToken) {
        log.redirect(executionTable[slot].execution.id, to: link, token: token)
    }
}
