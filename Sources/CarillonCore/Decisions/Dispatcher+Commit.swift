/// One batch is in flight at a time, and the next one grows meanwhile (design § 5: group commit).
extension Dispatcher {
    /// Sends the next batch, when none is on its way. Outcomes alone, for which nobody waits, are gathered for a moment: the
    /// first calls of a herd that have ended would otherwise take the database's time from those that are still to begin.
    mutating func commit(at now: Now, into actions: inout [Action]) {
        guard let epoch = leadership.lease.epoch else { return }
        if !log.sendPart(at: now.boot) {
            let recordDelayMs = Int64(configuration.recordDelayMs)
            guard log.isDue(at: now.boot, recordDelayMs: recordDelayMs, isStopping: leadership.isStopping) else {
                return
            }
            completeChanges()
            log.send(at: now.boot, through: materializer.materializedThrough)
        }
        guard let sent = log.inFlight else { return }
        var batch = sent.batch.batch(sequence: sent.sequence, owner: configuration.owner, epoch: epoch)
        batch.committedSequence = log.committedSequence
        actions.append(.commit(batch))
    }

    mutating func committed(
        _ result: CommitResult,
        _ sent: InFlightBatch,
        at now: Now,
        into actions: inout [Action]
    ) {
        let batch = sent.batch
        switch result {
        case .fenced:
            // Put back, so that those who wait for its changes are told.
            log.retry([batch])
            stepDown("a write was fenced off: another scheduler holds the lease", at: now, into: &actions)
            leadership.lease.lost(at: now.boot)
        case .refused(let message, let constraint):
            refused(batch, message: message, constraint: constraint, into: &actions)
            settled(sent, into: &actions)
        case .committed
        where InjectedFault.takesACommitForAFailure.isActive && !batch.updates.isEmpty && sent.sequence % 8 == 7:
            for update in batch.updates {
                if let slot = executionTable.slot(of: update.execution.id), executionTable[slot].state == .recording {
                    makeReady(slot)
                }
            }
        case .committed(let notPending):
            log.noteCommit(of: sent)
            made(durable: batch, notPending: Set(notPending), at: now, into: &actions)
            settled(sent, into: &actions)
        }
    }

    private mutating func made(
        durable batch: PendingBatch,
        notPending: Set<ExecutionID>,
        at now: Now,
        into actions: inout [Action]
    ) {
        if let workers = batch.workers { pool.roster.recorded(workers) }
        var recorded: [Execution] = []
        for execution in batch.inserts { arm(execution, notPending, &recorded) }
        for start in batch.starts {
            guard let slot = executionTable.slot(of: start.id), executionTable[slot].execution.token == start.token
            else { continue }
            if case .claiming = executionTable[slot].state { sendClaimed(slot, at: now) }
        }
        for update in batch.updates {
            acknowledge(update)
            if let requestID = update.requestID { actions.append(.reply(requestID, .execution(update.execution))) }
            if update.execution.status.isFinal { answerCancels(of: update.execution, into: &actions) }
            recorded.append(update.execution)
            guard let slot = executionTable.slot(of: update.execution.id), executionTable[slot].state == .recording,
                executionTable[slot].execution.status == update.execution.status
            else { continue }
            executionTable[slot].rowStatus = update.execution.status
            if update.execution.status == .retrying {
                awaitRetry(slot)
            } else {
                let open = leave(slot)
                if let requestID = open.waiter { actions.append(.reply(requestID, .execution(update.execution))) }
            }
        }
        for change in batch.changes {
            for execution in change.change.inserts { arm(execution, notPending, &recorded) }
            if change.isStaged {
                apply(change, notPending: notPending, recorded: &recorded, into: &actions)
                continue
            }
            guard let requestID = change.requestID, let result = change.result else { continue }
            actions.append(.reply(requestID, result))
        }
        if !recorded.isEmpty { actions.append(.recorded(recorded)) }
        if let reading = batch.outageScan { readOutageRows(reading, into: &actions) }
    }

    private mutating func acknowledge(_ update: PendingBatch.Update) {
        guard let link = update.link, let token = update.token else { return }
        acknowledge(token, update.result, to: link)
    }

    mutating func acknowledge(_ token: DispatchToken, _ result: AckResult, to link: ConnectionID) {
        pool.acknowledge(token, result, to: link)
    }

    /// The row of an execution is durable: it may run when its time comes.
    private mutating func arm(_ execution: Execution, _ notPending: Set<ExecutionID>, _ recorded: inout [Execution]) {
        guard execution.status == .pending else {
            recorded.append(execution)
            return
        }
        guard let slot = executionTable.slot(of: execution.id), executionTable[slot].state == .inserting else { return }
        guard !notPending.contains(execution.id) || InjectedFault.armsWhatHasRun.isActive else {
            let open = leave(slot)
            precondition(open.waiter == nil || execution.trigger == .manual, "a schedule's execution has no waiter")
            return
        }
        move(slot, to: .armed)
        // A run by hand is due at once, even if the clock went back since it was asked for.
        executionTable.setTimer(
            slot,
            to: execution.trigger == .manual ? min(now, execution.scheduledTime) : execution.scheduledTime
        )
    }

    /// The retry is durable. What made it pointless meanwhile ends it here.
    private mutating func awaitRetry(_ slot: Int32) {
        let record = jobTable[executionTable[slot].job]
        if let reason = executionTable[slot].cancelReason {
            conclude(slot, as: .cancelled, reason: reason)
        } else if record.hasEnded(for: executionTable[slot].execution.trigger) {
            endWithJob(slot)
        } else {
            move(slot, to: .retrying)
            if InjectedFault.losesRetries.isActive { return }
            executionTable.setTimer(slot, to: executionTable[slot].execution.nextAttemptAt ?? now)
        }
    }

    /// The database will not have a batch: it is split until the bad row is alone.
    private mutating func refused(
        _ batch: PendingBatch,
        message: String,
        constraint: String?,
        into actions: inout [Action]
    ) {
        var batch = batch
        if batch.hasMarks, !batch.hasNoRows {
            log.pending.takeMarks(
                of: &batch,
                materializedThrough: materializer.materializedThrough,
                settledThrough: settledMark
            )
            log.retry(batch.split() ?? [batch])
            return
        }
        if let smaller = batch.split() {
            log.retry(smaller)
            return
        }
        if let change = batch.changes.first {
            refused(change, message: message, constraint: constraint, into: &actions)
            return
        }
        actions.append(.log(.rowRefused(message)))
        if var update = batch.updates.first, update.execution.reason != .recordRefused {
            // Recorded as what it is, without the texts that the database would not have.
            update.execution.response = nil
            update.execution.worker = nil
            update.execution.reason = .recordRefused
            update.execution.errorMessage = "the database refused the record of this outcome; its texts were dropped"
            update.attempt = nil
            var part = PendingBatch()
            part.updates = [update]
            log.retry([part])
            return
        }
        for update in batch.updates {
            // Refused even without its texts. The report is acknowledged; the row stays open until the next take-over.
            if let link = update.link, let token = update.token { acknowledge(token, .invalid, to: link) }
            materializer.abandon(update.execution.id)
            if let slot = executionTable.slot(of: update.execution.id), executionTable[slot].state == .recording {
                leave(slot)
            }
        }
        for start in batch.starts {
            guard let slot = executionTable.slot(of: start.id), case .claiming(let link) = executionTable[slot].state
            else { continue }
            pool.roster.modify(link) { $0.reserved -= 1 }
            conclude(
                slot,
                as: .failed,
                reason: .recordRefused,
                message: "the database refused to record its start: \(message)"
            )
        }
        for execution in batch.inserts {
            if let slot = executionTable.slot(of: execution.id), executionTable[slot].state == .inserting {
                leave(slot)
            }
        }
    }

    /// A change alone is refused: what it was to do has not happened.
    private mutating func refused(
        _ change: PendingBatch.Change,
        message: String,
        constraint: String?,
        into actions: inout [Action]
    ) {
        if change.isStaged {
            drop(change, into: &actions)
        } else {
            for row in change.change.inserts {
                if let slot = executionTable.slot(of: row.id), executionTable[slot].state == .inserting { leave(slot) }
            }
        }
        if let requestID = change.requestID {
            let isName = constraint?.contains("name") ?? false
            let error =
                isName
                ? ClientError.nameTaken(change.change.job?.name ?? "")
                : ClientError(.internal, "the database refused the change: \(message)")
            actions.append(.reply(requestID, .refused(error)))
        }
        if let job = change.change.job { applyQueuedChanges(of: job.id, into: &actions) }
    }
}

extension ClientError {
    static func nameTaken(_ name: String) -> ClientError {
        ClientError(
            .alreadyExists,
            "a job named '\(name)' exists already; names are unique among living jobs",
            errors: [FieldError(field: "name", message: "'\(name)' is taken; choose another, or update that job")],
            reason: .nameTaken
        )
    }
}
