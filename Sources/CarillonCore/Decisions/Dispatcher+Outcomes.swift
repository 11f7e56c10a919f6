/// What came of an attempt (design § 5: Record, Retry).
extension Dispatcher {
    /// The longest that a Retry-After is honoured.
    private var retryAfterLimitMs: UInt64 { 3_600_000 }

    mutating func workerReported(
        _ link: LinkID,
        _ outcomes: [CallOutcome],
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        // Not ours to judge: the worker keeps it for whoever leads.
        guard case .leading = phase else { return }
        for report in outcomes {
            guard isIssued(report, over: link) else {
                reject(link, "an outcome with a token that was not issued to the worker for this call", into: &actions)
                acknowledge(report.token, .notIssued, to: link)
                continue
            }
            take(report, over: link, using: &random, into: &actions)
        }
    }

    /// Takes in a report about a call that was given to the worker that sent it. The connection may have ended since.
    mutating func take(
        _ report: CallOutcome,
        over link: LinkID,
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        guard let slot = ledger.slot(of: report.executionID) else {
            return take(lateOutcome: report, over: link, into: &actions)
        }
        if ledger[slot].state == .recording, ledger[slot].execution.token == report.token {
            let isCancel = report.kind == .cancelled && ledger[slot].cancelReason != nil
            if ledger[slot].execution.status == .unknown, isCancel || mayEndUnknown(report.kind) {
                // It came just in time: the truth follows the UNKNOWN.
                ledger[slot].execution.lostAttempts -= 1
                settle(slot, report, link: link, using: &random, into: &actions)
                return
            }
            // Repeated before it is durable: acknowledged with the first.
            return acknowledgeWithPending(slot, link: link, token: report.token)
        }
        if ledger[slot].state == .inserting, report.kind != .notStarted {
            early.outcomes[report.token] = (link, report)
            return
        }
        guard accepts(report.token, report.attempt, for: slot) else {
            return take(lateOutcome: report, over: link, into: &actions)
        }
        hear(of: slot)
        if case .dispatched(let holder) = ledger[slot].state { roster.modify(holder) { $0.inFlight -= 1 } }
        adopt(slot, report.token)
        if ledger[slot].execution.worker == nil { ledger[slot].execution.worker = roster[link]?.name }
        settle(slot, report, link: link, using: &random, into: &actions)
    }

    /// Whether the report is about a call that was given to the worker that sends it. What this leader sent over the same
    /// connection needs no code.
    private func isIssued(_ outcome: CallOutcome, over link: LinkID) -> Bool {
        guard outcome.shard == outcome.jobID.shard || Canary.believesEveryToken.sings else { return false }
        if let slot = ledger.slot(of: outcome.executionID) {
            guard ledger[slot].execution.jobID == outcome.jobID else { return false }
            if ledger[slot].state == .dispatched(link), ledger[slot].execution.token == outcome.token {
                return ledger[slot].attemptNumber == outcome.attempt
            }
        }
        return isIssued(outcome.token, outcome.code, outcome.executionID, outcome.attempt, to: link)
    }

    /// Whether a report says how an attempt ended that was thought to be lost. That it was stopped does not.
    private func mayEndUnknown(_ kind: OutcomeKind) -> Bool {
        switch kind {
        case .answered, .failed, .notSent: true
        case .notStarted, .cancelled, .unknown: false
        }
    }

    /// A report of an attempt that is not known here. It mostly counts for nothing, and is acknowledged all the same, or the
    /// worker would keep it for ever. Only an UNKNOWN may still learn the truth from it (G6), and a row that was withdrawn be
    /// made again.
    private mutating func take(lateOutcome outcome: CallOutcome, over link: LinkID, into actions: inout [Action]) {
        figures.lateReports += 1
        // Each report is looked up once at a time, and so many together; what is not acknowledged comes again.
        let isLookedUp = lookups.contains(outcome.token)
        if mayEndUnknown(outcome.kind), !isLookedUp, ledger.slot(of: outcome.executionID) == nil {
            guard lookups.count < Self.lookupLimit else { return }
            lookups.insert(outcome.token)
            actions.append(.findExecution(outcome, worker: roster[link]?.name ?? "", link: link))
        } else {
            acknowledge(outcome.token, .superseded, to: link)
        }
    }

    /// Rows that are looked up for late reports at a time.
    private static var lookupLimit: Int { 10_000 }

    mutating func executionFound(_ execution: Execution?, outcome: CallOutcome, worker: String, link: LinkID) {
        lookups.remove(outcome.token)
        guard case .leading = phase else { return }
        // What was read as PENDING may be withdrawn in a batch that is on its way.
        let isMissing = execution == nil || execution?.status == .pending
        if ledger.slot(of: outcome.executionID) != nil
            || isMissing && makeAgain(outcome.executionID, of: outcome.jobID)
        {
            early.outcomes[outcome.token] = (link, outcome)
            return
        }
        var outcome = outcome
        _ = OutcomeCheck.correct(&outcome, responseLimit: configuration.responseLimit)
        guard var execution, execution.jobID == outcome.jobID, execution.status == .unknown,
            execution.token == outcome.token, ledger.slot(of: execution.id) == nil,
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
        let latest = nowMicroseconds
        let times = CallTimes(
            started: latest - Int64(clamping: outcome.durationMicroseconds),
            duration: outcome.durationMicroseconds,
            earliest: min(execution.scheduledTime, now).milliseconds * 1_000,
            latest: latest
        )
        fill(&execution, from: outcome, times)
        execution.finishedAt = now
        pending.updates.append(PendingBatch.Update(execution: execution, link: link, token: outcome.token))
    }

    private func finalStatus(of outcome: CallOutcome) -> ExecutionStatus? {
        switch outcome.kind {
        case .answered: isSuccess(outcome) ? .success : .failed
        case .failed, .notSent: .failed
        case .notStarted, .cancelled, .unknown: nil
        }
    }

    private func isSuccess(_ outcome: CallOutcome) -> Bool {
        outcome.kind == .answered && (200..<300).contains(outcome.httpStatus ?? 0)
    }

    private func fill(_ execution: inout Execution, from outcome: CallOutcome, _ times: CallTimes) {
        execution.httpStatus = outcome.httpStatus
        execution.durationMicroseconds = times.duration
        execution.response = outcome.response
        execution.errorMessage = outcome.errorMessage
    }

    private mutating func settle(
        _ slot: Int32,
        _ report: CallOutcome,
        link: LinkID,
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        var outcome = report
        let problem = corrected(&outcome, of: slot)
        if let problem {
            figures.invalidReports += 1
            actions.append(.note(.reportRejected(worker: roster[link]?.name ?? "", why: problem)))
        }
        if outcome.kind == .unknown {
            giveUp(slot, outcome.errorMessage ?? "outcome lost: the worker cannot say how the call ended")
            pending.updates[pending.updates.count - 1].link = link
            pending.updates[pending.updates.count - 1].token = outcome.token
            pending.updates[pending.updates.count - 1].result = problem == nil ? .recorded : .invalid
            return
        }
        if outcome.kind == .notStarted {
            figures.returnedAttempts += 1
            acknowledge(outcome.token, .recorded, to: link)
            if let reason = ledger[slot].cancelReason {
                conclude(slot, as: .cancelled, reason: reason)
            } else {
                ledger[slot].execution.token = nil
                if roster[link]?.draining == false { roster.modify(link) { $0.returned += 1 } }
                ledger[slot].returns = min(ledger[slot].returns + 1, 100)
                // A worker that takes calls and returns them is not asked at the speed of the network.
                if ledger[slot].returns > 3 { delay(slot, until: now + 1_000) } else { lineUp(slot) }
            }
            return
        }
        roster.modify(link) { $0.returned = 0 }
        ledger[slot].returns = 0
        var execution = ledger[slot].execution
        let record = agenda[ledger[slot].job]
        let times = times(of: ledger[slot], outcome, over: link)
        let started = times.started
        if times.isImplausible {
            figures.invalidReports += 1
            let why = "the times of a call lie outside the time between its dispatch and its report"
            actions.append(.note(.reportRejected(worker: roster[link]?.name ?? "", why: why)))
        }
        if execution.actualStartTime == nil || execution.driftMicroseconds == nil, execution.attempts == 0 {
            execution.actualStartTime = Timestamp(milliseconds: started / 1000)
            execution.driftMicroseconds = started - execution.scheduledTime.milliseconds * 1000
        }
        execution.attempts += 1
        execution.nextAttemptAt = nil
        execution.reason = nil
        // What comes of it is in the row now: a claim for the next attempt is another one.
        execution.isClaimed = false
        fill(&execution, from: outcome, times)

        if isSuccess(outcome) {
            figures.succeededAttempts += 1
            execution.status = .success
        } else if outcome.kind == .cancelled {
            figures.cancelledAttempts += 1
            execution.status = .cancelled
            execution.reason = ledger[slot].cancelReason ?? .cancelRequested
        } else {
            if outcome.kind == .notSent { figures.unsentAttempts += 1 } else { figures.failedAttempts += 1 }
            if execution.errorMessage == nil, let status = outcome.httpStatus {
                let more = 300...399 ~= status ? ", and redirects are not followed" : ""
                execution.errorMessage = "the target answered with status \(status); 200 to 299 is success\(more)"
            }
            let mayRepeat = !isAtMostOnce(slot) || outcome.kind == .notSent
            let isGone = record.hasEnded(for: execution.trigger)
            if let reason = ledger[slot].cancelReason {
                execution.status = .cancelled
                execution.reason = reason
            } else if mayRepeat, !isGone,
                execution.attempts <= Int(record.maxRetries) + (Canary.retriesOnceTooOften.sings ? 1 : 0)
            {
                execution.status = .retrying
                execution.nextAttemptAt =
                    now + retryDelayMs(record, attempts: execution.attempts, outcome, using: &random)
            } else {
                execution.status =
                    isGone && mayRepeat && execution.attempts <= Int(record.maxRetries) ? .cancelled : .failed
                if execution.status == .cancelled {
                    execution.reason = record.deleted ? .jobDeleted : .jobPaused
                } else if mayRepeat, record.maxRetries > 0 {
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
                agenda.setLastFailed(ledger[slot].job, execution.status == .failed)
            }
        }
        if Canary.acknowledgesBeforeCommit.sings { acknowledge(outcome.token, .recorded, to: link) }
        // The texts live in the row; the ledger needs only what decides.
        execution.response = nil
        ledger[slot].execution = execution
        move(slot, to: .recording)
        pending.updates.append(update)
        if ledger[slot].waiter != nil || pendingCancels.contains(where: { $0.id == execution.id }) {
            pending.isAwaited = true
        }
    }

    /// Corrects what a report says against what is known of the call. Returns what was wrong.
    private func corrected(_ outcome: inout CallOutcome, of slot: Int32) -> String? {
        if let problem = OutcomeCheck.correct(&outcome, responseLimit: configuration.responseLimit) { return problem }
        switch outcome.kind {
        case .notStarted where ledger[slot].hasStarted:
            // The request may have been sent: only an attempt that may be repeated is given out again.
            let why = "the worker reported the call as started, then as not started"
            if isAtMostOnce(slot) { outcome.kind = .unknown } else { OutcomeCheck.fail(&outcome, why) }
            outcome.errorMessage = "outcome unknown: \(why); the request may or may not have been delivered"
            return why
        case .unknown where !isAtMostOnce(slot):
            return OutcomeCheck.fail(&outcome, "the worker cannot say how the call ended")
        case .cancelled where ledger[slot].isOverdue:
            OutcomeCheck.fail(&outcome, "no answer within the timeout: the call was stopped")
            return nil
        case .cancelled where ledger[slot].cancelReason == nil && outcome.token.epoch == lease.epoch:
            return OutcomeCheck.fail(&outcome, "the worker reported the call as cancelled, and nobody had asked for it")
        default:
            return nil
        }
    }

    /// When the call began and how long it took. The worker's monotonic clock tells the start best: the time on the way to the
    /// worker counts. Without a reading of that clock, the time since the dispatch or its receipt does.
    private func times(of open: OpenExecution, _ outcome: CallOutcome, over link: LinkID) -> CallTimes {
        let dispatched =
            open.dispatchedMicroseconds != 0
            ? open.dispatchedMicroseconds
            : outcome.dispatchTime.map { min(max($0, open.execution.scheduledTime), now).milliseconds * 1_000 }
        let started: Int64
        if !Canary.ignoresTheWorkersClock.sings, let clock = outcome.startedClockMicroseconds,
            let boot = roster.bootTime(of: link, at: clock)
        {
            started = self.clock.microseconds(at: boot)
        } else if let dispatched {
            started = dispatched + min(Int64(clamping: outcome.startedAfterMicroseconds), nowMicroseconds)
        } else if open.rowStatus == .running, open.execution.attempts == 0, let start = open.execution.actualStartTime {
            started = start.milliseconds * 1_000
        } else {
            started = nowMicroseconds - min(Int64(clamping: outcome.durationMicroseconds), nowMicroseconds)
        }
        return CallTimes(
            started: started,
            duration: outcome.durationMicroseconds,
            earliest: dispatched ?? min(open.execution.scheduledTime, now).milliseconds * 1_000,
            latest: nowMicroseconds
        )
    }

    /// Puts an execution that has not been begun after all where it waits for its time.
    private mutating func lineUp(_ slot: Int32) {
        let open = ledger[slot]
        if open.rowStatus == .retrying, let next = open.execution.nextAttemptAt, next > now {
            move(slot, to: .retrying)
            ledger.setTimer(slot, to: next)
        } else if open.execution.trigger == .schedule, open.execution.scheduledTime > now {
            move(slot, to: .armed)
            ledger.setTimer(slot, to: open.execution.scheduledTime)
        } else {
            makeReady(slot)
        }
    }

    /// Initial delay, doubled with each attempt, at most the longest, plus up to 10 %; or what the target asked for.
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

    /// More than `retryDelayMs` ever says.
    func longestRetryDelayMs(of record: JobRecord, after row: Execution) -> Int64 {
        let base = Int64(record.retryMaxDelayMs)
        let mayHaveAsked = row.httpStatus == 429 || row.httpStatus == 503
        return max(base + max(1, base / 10), mayHaveAsked ? Int64(retryAfterLimitMs) : 0)
    }

    /// The outcome of that execution is in a batch already; its new connection is told as well.
    private mutating func acknowledgeWithPending(_ slot: Int32, link: LinkID, token: Token) {
        let id = ledger[slot].execution.id
        if let index = pending.updates.firstIndex(where: { $0.execution.id == id }) {
            pending.updates[index].link = link
            pending.updates[index].token = token
        } else if let index = inFlight?.batch.updates.firstIndex(where: { $0.execution.id == id }) {
            inFlight?.batch.updates[index].link = link
            inFlight?.batch.updates[index].token = token
        } else {
            for part in parts.indices {
                for index in parts[part].updates.indices where parts[part].updates[index].execution.id == id {
                    parts[part].updates[index].link = link
                    parts[part].updates[index].token = token
                }
            }
        }
    }
}
