/// From the due time to the dispatch to a worker.
extension Dispatcher {
    /// Moves due executions into the ready queue, and ends executions that have waited too long.
    mutating func collectDue(at now: Now) {
        while let slot = executionTable.popDue(at: self.now) {
            switch executionTable[slot].state {
            case .armed, .retrying:
                makeReady(slot)
            case .ready:
                endLateStart(slot)
            case .outcomePending:
                giveUp(
                    slot,
                    "outcome lost: the worker disappeared before reporting; the request may or may not have been delivered"
                )
            default:
                break
            }
        }
    }

    /// Ends an AT_MOST_ONCE execution whose outcome cannot be determined.
    mutating func giveUp(_ slot: Int32, _ message: String) {
        executionTable[slot].execution.lostAttempts += 1
        conclude(slot, as: .unknown, reason: .outcomeLost, message: message)
    }

    /// Puts an execution into the ready queue.
    mutating func makeReady(_ slot: Int32) {
        executionTable.clearTimer(slot)
        move(slot, to: .ready)
        if endLateStart(slot) { return }
        pool.ready.push(
            slot,
            id: executionTable[slot].execution.id,
            priority: jobTable[executionTable[slot].job].priority,
            time: executionTable[slot].execution.scheduledTime
        )
    }

    /// Dispatches ready executions while workers have free slots.
    mutating func dispatchReady() {
        guard !leadership.isStopping else { return }
        var deferred: [Int32] = []
        let sentBefore = pool.dispatchCount
        while !pool.ready.isEmpty, let link = pool.roster.leastLoaded {
            guard let (slot, id) = pool.ready.pop() else { return }
            // The execution may have been cancelled, withdrawn or adopted from a worker since it was queued.
            guard executionTable.slot(of: id) == slot, executionTable[slot].state == .ready else { continue }
            // Rows are large: each field is read in place.
            let job = executionTable[slot].job
            if jobTable[job].isHeld, isHeld(slot), !InjectedFault.dispatchesWhatIsHeld.isActive {
                changes.setAside(slot, id, of: jobTable[job].id)
                continue
            }
            let trigger = executionTable[slot].execution.trigger
            if jobTable[job].hasEnded(for: trigger) {
                endWithJob(slot)
                continue
            }
            if !executionTable[slot].hasBegun, trigger == .schedule {
                if let endsAt = jobTable[job].endsAt, executionTable[slot].execution.scheduledTime > endsAt {
                    conclude(slot, as: .skipped, reason: .expired)
                    continue
                }
                let isOverlapping =
                    jobTable[job].openCount > 0
                    || InjectedFault.skipsWhatOverlapsNothing.isActive && jobTable[job].executionCount > 1
                if jobTable[job].overlapPolicy == .skip, isOverlapping {
                    if recovery != nil {
                        // Recovered executions of the job may still be running.
                        deferred.append(slot)
                        continue
                    }
                    conclude(slot, as: .skipped, reason: .overlap)
                    continue
                }
            }
            guard let link = able(link, for: job) else {
                deferred.append(slot)
                continue
            }
            if isAtMostOnce(slot) {
                claim(slot, for: link)
            } else {
                send(slot, to: link)
            }
        }
        for slot in deferred { makeReady(slot) }
        let isStarved = !pool.ready.isEmpty && deferred.isEmpty && pool.roster.leastLoaded == nil
        pool.noteStarvation(isStarved, since: sentBefore, at: leadership.nowBoot)
    }

    /// The worker for a call of the job: the given one, unless the call requires features.
    private func able(_ link: ConnectionID, for job: Int32) -> ConnectionID? {
        let needed = CallKind.http(jobTable[job].call).requiredFeatures
        return needed.isEmpty ? link : pool.roster.leastLoaded(having: needed)
    }

    /// Whether the current attempt may be sent only once: either the job is AT_MOST_ONCE, or it was when the row's
    /// claim was made.
    func isAtMostOnce(_ slot: Int32) -> Bool {
        executionTable[slot].execution.isClaimed || jobTable[executionTable[slot].job].executionType == .atMostOnce
    }

    /// Claims an AT_MOST_ONCE execution. The call is sent after the claim is durable; meanwhile its slot is reserved.
    private mutating func claim(_ slot: Int32, for link: ConnectionID) {
        pool.roster.modify(link) { $0.reserved += 1 }
        let token = makeToken()
        executionTable[slot].execution.token = token
        executionTable[slot].execution.isClaimed = true
        executionTable[slot].execution.worker = pool.roster[link]?.name
        executionTable[slot].execution.workerBootID = pool.roster[link]?.bootID
        move(slot, to: .claiming(link))
        log.pending.starts.append(
            ExecutionStart(
                id: executionTable[slot].execution.id,
                token: token,
                attempts: executionTable[slot].execution.attempts + 1,
                lostAttempts: executionTable[slot].execution.lostAttempts,
                actualStartTime: executionTable[slot].execution.actualStartTime ?? now,
                worker: pool.roster[link]?.name,
                workerBootID: pool.roster[link]?.bootID,
                isClaim: true
            )
        )
        if InjectedFault.sendsClaimsBeforeTheyAreDurable.isActive { send(slot, to: link, token: token) }
    }

    /// The claim is durable: sends the call to its worker, or returns the claim if that worker cannot take the call.
    mutating func sendClaimed(_ slot: Int32, at now: Now) {
        guard case .claiming(let reserved) = executionTable[slot].state else { return }
        if !InjectedFault.keepsAReservedSlot.isActive { pool.roster.modify(reserved) { $0.reserved -= 1 } }
        executionTable[slot].rowStatus = .running
        if let reason = executionTable[slot].cancelReason {
            conclude(slot, as: .cancelled, reason: reason)
            return
        }
        guard leadership.lease.isValid(at: now.boot), (pool.roster[reserved]?.freeSlots ?? 0) > 0 else {
            // The claim names a worker process: no other process may get the call.
            giveBack(slot)
            return
        }
        send(slot, to: reserved, token: executionTable[slot].execution.token)
    }

    /// Records that a claim was not sent, so that any leader can claim the execution again.
    private mutating func giveBack(_ slot: Int32) {
        executionTable[slot].execution.token = nil
        executionTable[slot].execution.workerBootID = nil
        executionTable[slot].execution.status = .retrying
        executionTable[slot].execution.isClaimed = false
        executionTable[slot].execution.nextAttemptAt = now
        move(slot, to: .recording)
        log.pending.updates.append(PendingBatch.Update(execution: executionTable[slot].execution))
    }

    private mutating func makeToken() -> DispatchToken {
        DispatchToken(
            epoch: leadership.lease.epoch ?? 0,
            sequence: pool.takeTokenSequence(),
            incarnation: leadership.leadProof?.incarnation ?? 0
        )
    }

    private mutating func send(_ slot: Int32, to link: ConnectionID, token: DispatchToken? = nil) {
        let token = token ?? makeToken()
        executionTable[slot].execution.token = token
        executionTable[slot].dispatchedMicroseconds = leadership.nowMicroseconds
        executionTable[slot].isAdoptable = false
        executionTable[slot].isLost = false
        executionTable[slot].isAcknowledged = false
        executionTable[slot].hasStarted = false
        executionTable[slot].queriedLink = nil
        guard let worker = pool.roster.workers[link] else { return }
        executionTable[slot].execution.worker = worker.name
        move(slot, to: .dispatched(link))
        setDeadline(slot)
        pool.roster.modify(link) {
            $0.sent += 1
            $0.inFlight += 1
            $0.unacknowledged += 1
        }
        let (id, attempt) = (executionTable[slot].execution.id, executionTable[slot].attemptNumber)
        let job = executionTable[slot].job
        let (jobID, timeoutMs) = (jobTable[job].id, Int(jobTable[job].timeoutMs))
        pool.send(
            DispatchedCall(
                token: token,
                code: worker.key.code(of: token, id, attempt: attempt),
                shard: jobID.shard,
                executionID: id,
                jobID: jobID,
                attempt: attempt,
                scheduledTime: executionTable[slot].execution.scheduledTime,
                kind: .http(jobTable[job].call),
                timeoutMs: timeoutMs,
                connectTimeoutMs: min(configuration.connectTimeoutMs, timeoutMs),
                atMostOnce: isAtMostOnce(slot),
                responseLimit: configuration.responseLimit
            ),
            to: link
        )
    }

    /// Ends an execution without an outcome of an attempt.
    mutating func conclude(
        _ slot: Int32,
        as status: ExecutionStatus,
        reason: Reason,
        message: String? = nil,
        requestID: RequestID? = nil
    ) {
        executionTable.clearTimer(slot)
        executionTable[slot].execution.status = status
        executionTable[slot].execution.reason = reason
        executionTable[slot].execution.finishedAt = now
        executionTable[slot].execution.nextAttemptAt = nil
        if let message { executionTable[slot].execution.errorMessage = message }
        move(slot, to: .recording)
        log.pending.updates.append(PendingBatch.Update(execution: executionTable[slot].execution, requestID: requestID))
        if requestID != nil || executionTable[slot].waiter != nil { log.pending.hasWaiter = true }
    }
}
