/// Group commit: one batch is in flight at a time while the next one grows.
extension Dispatcher {
    /// Sends the next batch if none is in flight. Outcomes that no client waits for are delayed briefly, so that in a
    /// burst their writes do not delay the start of further calls.
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
        actions.append(
            .commit(
                sent.batch.batch(
                    sequence: sent.sequence,
                    after: log.committedSequence,
                    owner: configuration.owner,
                    epoch: epoch
                )
            )
        )
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
            // Put the batch back, so that `stepDown` answers its clients.
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
        recorded.reserveCapacity(batch.updates.count)
        arm(batch.inserts, notPending, &recorded)
        for start in batch.starts {
            guard let slot = executionTable.slot(of: start.id), executionTable[slot].execution.token == start.token
            else { continue }
            if case .claiming = executionTable[slot].state { sendClaimed(slot, at: now) }
        }
        // By index: an update is large, and a loop over the elements copies each.
        for index in batch.updates.indices {
            if let link = batch.updates[index].link, let token = batch.updates[index].token {
                acknowledge(token, batch.updates[index].result, to: link)
            }
            recorded.append(batch.updates[index].execution)
            let status = batch.updates[index].execution.status
            if let requestID = batch.updates[index].requestID {
                actions.append(.reply(requestID, .execution(batch.updates[index].execution)))
            }
            if status.isFinal, !changes.cancels.isEmpty {
                answerCancels(of: batch.updates[index].execution, into: &actions)
            }
            guard let slot = executionTable.slot(of: batch.updates[index].execution.id),
                executionTable[slot].state == .recording, executionTable[slot].execution.status == status
            else { continue }
            executionTable[slot].rowStatus = status
            if status == .retrying {
                awaitRetry(slot)
            } else {
                let waiter = executionTable[slot].waiter
                leave(slot)
                if let waiter { actions.append(.reply(waiter, .execution(batch.updates[index].execution))) }
            }
        }
        for change in batch.changes {
            arm(change.change.inserts, notPending, &recorded)
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

    mutating func acknowledge(_ token: DispatchToken, _ result: AckResult, to link: ConnectionID) {
        pool.acknowledge(token, result, to: link)
    }

    /// The row of an execution is durable: sets the timer for its due time.
    private mutating func arm(_ rows: [Execution], _ notPending: Set<ExecutionID>, _ recorded: inout [Execution]) {
        for index in rows.indices {
            guard rows[index].status == .pending else {
                recorded.append(rows[index])
                continue
            }
            let id = rows[index].id
            guard let slot = executionTable.slot(of: id), executionTable[slot].state == .inserting else { continue }
            let isManual = rows[index].trigger == .manual
            guard notPending.isEmpty || !notPending.contains(id) || InjectedFault.armsWhatHasRun.isActive else {
                let open = leave(slot)
                precondition(open.waiter == nil || isManual, "a schedule's execution has no waiter")
                continue
            }
            move(slot, to: .armed)
            // A manual run is due immediately, even if the clock stepped back since the request.
            let time = rows[index].scheduledTime
            executionTable.setTimer(slot, to: isManual ? min(now, time) : time)
        }
    }

    /// The retry is durable. A cancel request, or the end of the job, ends the execution here.
    private mutating func awaitRetry(_ slot: Int32) {
        if let reason = executionTable[slot].cancelReason {
            conclude(slot, as: .cancelled, reason: reason)
        } else if jobTable[executionTable[slot].job].hasEnded(for: executionTable[slot].execution.trigger) {
            endWithJob(slot)
        } else {
            move(slot, to: .retrying)
            if InjectedFault.losesRetries.isActive { return }
            executionTable.setTimer(slot, to: executionTable[slot].execution.nextAttemptAt ?? now)
        }
    }

    /// The database refused a batch: it is split until the invalid row is alone.
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
            // Record the same outcome without the texts that the database rejected.
            update.execution.response = nil
            update.execution.worker = nil
            update.execution.reason = .recordRefused
            update.execution.errorMessage = "the database rejected the outcome; response and error text were dropped"
            update.attempt = nil
            var part = PendingBatch()
            part.updates = [update]
            log.retry([part])
            return
        }
        for update in batch.updates {
            // Refused even without texts. The report is acknowledged; the row stays open until the next take-over.
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
                message: "the database refused to record the start: \(message)"
            )
        }
        for execution in batch.inserts {
            if let slot = executionTable.slot(of: execution.id), executionTable[slot].state == .inserting {
                leave(slot)
            }
        }
    }

    /// A single change was refused: its effects are undone.
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
            "a job named '\(name)' already exists; names are unique among jobs that are not deleted",
            errors: [FieldError(field: "name", message: "'\(name)' is taken; choose another, or update that job")],
            reason: .nameTaken
        )
    }
}
