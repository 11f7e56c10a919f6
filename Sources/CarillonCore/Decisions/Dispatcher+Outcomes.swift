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
        for outcome in outcomes {
            guard let slot = ledger.slot(of: outcome.executionID) else {
                report(lateOutcome: outcome, over: link, into: &actions)
                continue
            }
            if ledger[slot].state == .recording, ledger[slot].execution.token == outcome.token {
                if ledger[slot].execution.status == .unknown, outcome.kind != .notStarted {
                    // It came just in time: the truth follows the UNKNOWN.
                    ledger[slot].execution.lostAttempts -= 1
                    settle(slot, outcome, link: link, using: &random)
                    continue
                }
                // Repeated before it is durable: acknowledged with the first.
                acknowledgeWithPending(slot, link: link, token: outcome.token)
                continue
            }
            if ledger[slot].state == .inserting, outcome.kind != .notStarted {
                early.outcomes[outcome.token] = (link, outcome)
                continue
            }
            guard accepts(outcome.token, outcome.attempt, for: slot) else {
                report(lateOutcome: outcome, over: link, into: &actions)
                continue
            }
            hear(of: slot)
            if case .dispatched(let holder) = ledger[slot].state { roster.modify(holder) { $0.inFlight -= 1 } }
            adopt(slot, outcome.token)
            if ledger[slot].execution.worker == nil { ledger[slot].execution.worker = roster[link]?.name }
            settle(slot, outcome, link: link, using: &random)
        }
    }

    /// A report of an attempt that is not known here. It mostly counts for nothing, and is acknowledged all the same, or the
    /// worker would keep it for ever. Only an UNKNOWN may still learn the truth from it (G6), and a row that was withdrawn be
    /// made again.
    private mutating func report(lateOutcome outcome: CallOutcome, over link: LinkID, into actions: inout [Action]) {
        figures.lateReports += 1
        if outcome.kind != .notStarted, ledger.slot(of: outcome.executionID) == nil {
            actions.append(.findExecution(outcome, worker: roster[link]?.name ?? "", link: link))
        } else {
            acknowledgements[link, default: []].append(outcome.token)
        }
    }

    mutating func executionFound(_ execution: Execution?, outcome: CallOutcome, worker: String, link: LinkID) {
        guard case .leading = phase else { return }
        // What was read as PENDING may be withdrawn in a batch that is on its way.
        let isMissing = execution == nil || execution?.status == .pending
        if ledger.slot(of: outcome.executionID) != nil
            || isMissing && makeAgain(outcome.executionID, of: outcome.jobID)
        {
            early.outcomes[outcome.token] = (link, outcome)
            return
        }
        guard var execution, execution.status == .unknown, execution.token == outcome.token,
            ledger.slot(of: execution.id) == nil, let status = finalStatus(of: outcome)
        else {
            acknowledgements[link, default: []].append(outcome.token)
            return
        }
        execution.status = status
        execution.reason = nil
        execution.worker = worker
        // The attempt was not lost after all.
        execution.attempts += 1
        execution.lostAttempts = max(0, execution.lostAttempts - 1)
        fill(&execution, from: outcome)
        execution.finishedAt = now
        pending.updates.append(PendingBatch.Update(execution: execution, link: link, token: outcome.token))
    }

    private func finalStatus(of outcome: CallOutcome) -> ExecutionStatus? {
        switch outcome.kind {
        case .answered: isSuccess(outcome) ? .success : .failed
        case .failed, .notSent: .failed
        case .cancelled: .cancelled
        case .notStarted: nil
        }
    }

    private func isSuccess(_ outcome: CallOutcome) -> Bool {
        outcome.kind == .answered && (200..<300).contains(outcome.httpStatus ?? 0)
    }

    private func fill(_ execution: inout Execution, from outcome: CallOutcome) {
        execution.httpStatus = outcome.httpStatus
        execution.durationMicroseconds = Int64(clamping: outcome.durationMicroseconds)
        execution.response = outcome.response
        execution.errorMessage = outcome.errorMessage
    }

    private mutating func settle(
        _ slot: Int32,
        _ outcome: CallOutcome,
        link: LinkID,
        using random: inout some RandomNumberGenerator
    ) {
        if outcome.kind == .notStarted {
            figures.returnedAttempts += 1
            acknowledgements[link, default: []].append(outcome.token)
            if let reason = ledger[slot].cancelReason {
                conclude(slot, as: .cancelled, reason: reason)
            } else {
                ledger[slot].execution.token = nil
                lineUp(slot)
            }
            return
        }
        var execution = ledger[slot].execution
        let record = agenda[ledger[slot].job]
        let started = startMicroseconds(of: ledger[slot], outcome)
        if execution.actualStartTime == nil || execution.driftMicroseconds == nil, execution.attempts == 0 {
            execution.actualStartTime = Timestamp(milliseconds: started / 1000)
            execution.driftMicroseconds = started - execution.scheduledTime.milliseconds * 1000
        }
        execution.attempts += 1
        execution.nextAttemptAt = nil
        execution.reason = nil
        // What comes of it is in the row now: a claim for the next attempt is another one.
        execution.isClaimed = false
        fill(&execution, from: outcome)

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
        if execution.status != .success, outcome.kind != .cancelled {
            update.attempt = Attempt(
                executionID: execution.id,
                number: execution.attempts,
                token: outcome.token,
                startedAt: Timestamp(milliseconds: started / 1000),
                finishedAt: Timestamp(milliseconds: (started + Int64(clamping: outcome.durationMicroseconds)) / 1000),
                durationMicroseconds: Int64(clamping: outcome.durationMicroseconds),
                httpStatus: outcome.httpStatus,
                response: outcome.response,
                errorMessage: execution.errorMessage,
                worker: execution.worker
            )
        }
        if execution.status.isFinal {
            execution.finishedAt = Timestamp(
                milliseconds: (started + Int64(clamping: outcome.durationMicroseconds)) / 1000
            )
            update.execution.finishedAt = execution.finishedAt
            if execution.trigger == .schedule || execution.status == .success {
                agenda.setLastFailed(ledger[slot].job, execution.status == .failed)
            }
        }
        if Canary.acknowledgesBeforeCommit.sings { acknowledgements[link, default: []].append(outcome.token) }
        // The texts live in the row; the ledger needs only what decides.
        execution.response = nil
        ledger[slot].execution = execution
        move(slot, to: .recording)
        pending.updates.append(update)
        if ledger[slot].waiter != nil { pending.isAwaited = true }
    }

    /// When the call began. Of one that an earlier leader dispatched only its row or its end says when that was.
    private func startMicroseconds(of open: OpenExecution, _ outcome: CallOutcome) -> Int64 {
        if open.dispatchedMicroseconds != 0 {
            return open.dispatchedMicroseconds + Int64(clamping: outcome.startedAfterMicroseconds)
        }
        if let dispatched = outcome.dispatchTime {
            return dispatched.milliseconds * 1_000 + Int64(clamping: outcome.startedAfterMicroseconds)
        }
        if open.rowStatus == .running, open.execution.attempts == 0, let start = open.execution.actualStartTime {
            return start.milliseconds * 1_000
        }
        return nowMicroseconds - Int64(clamping: outcome.durationMicroseconds)
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
