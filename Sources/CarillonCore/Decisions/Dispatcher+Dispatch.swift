/// From the due time to the worker (design § 5: Dispatch).
extension Dispatcher {
    /// Moves what is due into the ready queue, and ends what has waited too long.
    mutating func collectDue(at now: Now) {
        while let slot = ledger.popDue(at: self.now) {
            switch ledger[slot].state {
            case .armed, .retrying:
                makeReady(slot)
            case .ready:
                endLateStart(slot)
            case .missing:
                giveUp(
                    slot,
                    "outcome lost: the worker disappeared before reporting; the request may or may not have been delivered"
                )
            default:
                break
            }
        }
    }

    /// Ends an AT_MOST_ONCE execution whose outcome nobody can tell.
    mutating func giveUp(_ slot: Int32, _ message: String) {
        ledger[slot].execution.lostAttempts += 1
        conclude(slot, as: .unknown, reason: .outcomeLost, message: message)
    }

    /// Puts an execution in line for a slot.
    mutating func makeReady(_ slot: Int32) {
        ledger.clearTimer(slot)
        move(slot, to: .ready)
        if endLateStart(slot) { return }
        pool.ready.push(
            slot,
            id: ledger[slot].execution.id,
            priority: agenda[ledger[slot].job].priority,
            time: ledger[slot].execution.scheduledTime
        )
    }

    /// Sends what is ready, as long as there are free slots.
    mutating func dispatchReady() {
        guard !leadership.isStopping else { return }
        var deferred: [Int32] = []
        let sentBefore = pool.dispatchCount
        while !pool.ready.isEmpty, let link = pool.roster.freest {
            guard let (slot, id) = pool.ready.pop() else { return }
            // It may have been cancelled, withdrawn or claimed by its worker since it was put in line.
            guard ledger.slot(of: id) == slot, ledger[slot].state == .ready else { continue }
            let open = ledger[slot]
            let record = agenda[open.job]
            if record.isHeld, isHeld(slot), !Canary.dispatchesWhatIsHeld.sings {
                changes.setAside(slot, id, of: record.id)
                continue
            }
            if record.hasEnded(for: open.execution.trigger) {
                endWithJob(slot)
                continue
            }
            if !open.hasBegun, open.execution.trigger == .schedule {
                if let endsAt = record.endsAt, open.execution.scheduledTime > endsAt {
                    conclude(slot, as: .skipped, reason: .expired)
                    continue
                }
                let isOverlapping =
                    record.openCount > 0 || Canary.skipsWhatOverlapsNothing.sings && record.executionCount > 1
                if record.overlapPolicy == .skip, isOverlapping {
                    if recovery != nil {
                        // Whether what was inherited runs is not known yet.
                        deferred.append(slot)
                        continue
                    }
                    conclude(slot, as: .skipped, reason: .overlap)
                    continue
                }
            }
            guard let link = able(link, for: record) else {
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
        let isStarved = !pool.ready.isEmpty && deferred.isEmpty && pool.roster.freest == nil
        pool.noteStarvation(isStarved, since: sentBefore, at: leadership.nowBoot)
    }

    /// The worker to which a call of the job goes: the one that is chosen, unless the call needs features.
    private func able(_ link: LinkID, for record: JobRecord) -> LinkID? {
        let needed = CallKind.http(record.call).requiredFeatures
        return needed.isEmpty ? link : pool.roster.freest(having: needed)
    }

    /// Whether the current attempt may be sent once only: so its job wants it, or wanted it when the claim was made that its
    /// row still tells of.
    func isAtMostOnce(_ slot: Int32) -> Bool {
        ledger[slot].execution.isClaimed || agenda[ledger[slot].job].executionType == .atMostOnce
    }

    /// AT_MOST_ONCE leaves only after its claim is durable: the slot is reserved meanwhile.
    private mutating func claim(_ slot: Int32, for link: LinkID) {
        pool.roster.modify(link) { $0.reserved += 1 }
        let token = makeToken()
        ledger[slot].execution.token = token
        ledger[slot].execution.isClaimed = true
        ledger[slot].execution.worker = pool.roster[link]?.name
        ledger[slot].execution.workerBootID = pool.roster[link]?.bootID
        move(slot, to: .claiming(link))
        let execution = ledger[slot].execution
        log.pending.starts.append(
            ExecutionStart(
                id: execution.id,
                token: token,
                attempts: execution.attempts + 1,
                lostAttempts: execution.lostAttempts,
                actualStartTime: execution.actualStartTime ?? now,
                worker: pool.roster[link]?.name,
                workerBootID: pool.roster[link]?.bootID,
                isClaim: true
            )
        )
        if Canary.sendsClaimsBeforeTheyAreDurable.sings { send(slot, to: link, token: token) }
    }

    /// The claim is durable: the call leaves, to another worker if that one is gone.
    mutating func sendClaimed(_ slot: Int32, at now: Now) {
        guard case .claiming(let reserved) = ledger[slot].state else { return }
        if !Canary.keepsAReservedSlot.sings { pool.roster.modify(reserved) { $0.reserved -= 1 } }
        ledger[slot].rowStatus = .running
        if let reason = ledger[slot].cancelReason {
            conclude(slot, as: .cancelled, reason: reason)
            return
        }
        guard leadership.lease.isValid(at: now.boot), (pool.roster[reserved]?.freeSlots ?? 0) > 0 else {
            // The claim names the worker process that it was made for: no other may get the call.
            giveBack(slot)
            return
        }
        send(slot, to: reserved, token: ledger[slot].execution.token)
    }

    /// Records that a claim was not sent, so that any leader can claim the execution again.
    private mutating func giveBack(_ slot: Int32) {
        ledger[slot].execution.token = nil
        ledger[slot].execution.workerBootID = nil
        ledger[slot].execution.status = .retrying
        ledger[slot].execution.isClaimed = false
        ledger[slot].execution.nextAttemptAt = now
        move(slot, to: .recording)
        log.pending.updates.append(PendingBatch.Update(execution: ledger[slot].execution))
    }

    private mutating func makeToken() -> Token {
        Token(
            epoch: leadership.lease.epoch ?? 0,
            sequence: pool.takeTokenSequence(),
            incarnation: leadership.leadProof?.incarnation ?? 0
        )
    }

    private mutating func send(_ slot: Int32, to link: LinkID, token: Token? = nil) {
        let token = token ?? makeToken()
        ledger[slot].execution.token = token
        ledger[slot].dispatchedMicroseconds = leadership.nowMicroseconds
        ledger[slot].isAdoptable = false
        ledger[slot].isLost = false
        ledger[slot].isHeard = false
        ledger[slot].hasStarted = false
        ledger[slot].queriedLink = nil
        guard let worker = pool.roster.workers[link] else { return }
        ledger[slot].execution.worker = worker.name
        move(slot, to: .dispatched(link))
        setDeadline(slot)
        pool.roster.modify(link) {
            $0.sent += 1
            $0.inFlight += 1
            $0.unheard += 1
        }
        let open = ledger[slot]
        let record = agenda[open.job]
        pool.send(
            DispatchedCall(
                token: token,
                code: worker.key.code(of: token, open.execution.id, attempt: open.attemptNumber),
                shard: record.id.shard,
                executionID: open.execution.id,
                jobID: record.id,
                attempt: open.attemptNumber,
                scheduledTime: open.execution.scheduledTime,
                kind: .http(record.call),
                timeoutMs: Int(record.timeoutMs),
                connectTimeoutMs: min(configuration.connectTimeoutMs, Int(record.timeoutMs)),
                atMostOnce: isAtMostOnce(slot),
                responseLimit: configuration.responseLimit
            ),
            to: link
        )
    }

    /// Ends an execution without an attempt's outcome.
    mutating func conclude(
        _ slot: Int32,
        as status: ExecutionStatus,
        reason: Reason,
        message: String? = nil,
        ticket: Ticket? = nil
    ) {
        ledger.clearTimer(slot)
        ledger[slot].execution.status = status
        ledger[slot].execution.reason = reason
        ledger[slot].execution.finishedAt = now
        ledger[slot].execution.nextAttemptAt = nil
        if let message { ledger[slot].execution.errorMessage = message }
        move(slot, to: .recording)
        log.pending.updates.append(PendingBatch.Update(execution: ledger[slot].execution, ticket: ticket))
        if ticket != nil || ledger[slot].waiter != nil { log.pending.isAwaited = true }
    }
}
