/// Workers come, say what they hold, and go (design § 5: Workers across a take-over, Credit).
extension Dispatcher {
    /// Attempts that may be lost with their workers before an execution fails.
    private var lostAttemptsLimit: Int { 5 }

    mutating func workerJoined(
        _ link: LinkID,
        name: String,
        bootID: UniqueID,
        maxWorkers: Int,
        at now: Now,
        into actions: inout [Action]
    ) {
        // The same name with another boot id: the process that had it is dead.
        if let parted = roster.parted[name], parted.bootID != bootID {
            _ = roster.endParting(name)
            loseAll(of: name, into: &actions)
        }
        for (old, worker) in roster.workers where worker.name == name && worker.bootID != bootID {
            roster[old] = nil
            for slot in ledger.allSlots where ledger[slot].state == .dispatched(old) { lose(slot) }
        }
        roster[link] = ConnectedWorker(name: name, bootID: bootID, maxWorkers: maxWorkers)
        if case .leading = phase, let epoch = lease.epoch, lease.isValid(at: now.boot) {
            actions.append(.announceLead(link, epoch: epoch, shards: Array(0..<16)))
        }
    }

    /// What a worker runs: it stays with it.
    mutating func workerHeld(_ link: LinkID, epoch: Int64, _ held: [HeldCall]) {
        guard case .leading = phase, epoch == lease.epoch, roster[link] != nil else { return }
        for call in held {
            guard let slot = ledger.slot(of: call.executionID), accepts(call.token, call.attempt, for: slot) else {
                continue
            }
            if case .dispatched(let other) = ledger[slot].state, other == link { continue }
            ledger.clearTimer(slot)
            ledger[slot].execution.token = call.token
            ledger[slot].execution.worker = roster[link]?.name
            ledger[slot].isAdoptable = false
            move(slot, to: .dispatched(link))
            roster.modify(link) { $0.inFlight += 1 }
            if ledger[slot].dispatchedMicroseconds == 0 { ledger[slot].dispatchedMicroseconds = nowMicroseconds }
        }
    }

    /// Whether a worker's word about an attempt counts: its token is the current one, or the execution was taken over and
    /// has not been dispatched since.
    func accepts(_ token: Token, _ attempt: Int, for slot: Int32) -> Bool {
        let open = ledger[slot]
        switch open.state {
        case .dispatched, .parted, .missing:
            return open.execution.token == token
        case .inherited, .ready:
            guard open.isAdoptable else { return false }
            if open.rowStatus == .running, let known = open.execution.token { return known == token }
            return attempt == open.attemptNumber && token.epoch < (lease.epoch ?? 0)
        case .inserting, .armed, .claiming, .retrying, .recording:
            return false
        }
    }

    /// The first credit after Lead also says: everything that this worker holds, or has to report, was told.
    mutating func workerGranted(_ link: LinkID, _ granted: UInt64, into actions: inout [Action]) {
        guard var worker = roster[link] else { return }
        worker.granted = max(worker.granted, granted)
        let isFirst = !worker.hasAnswered
        if case .leading = phase { worker.hasAnswered = true }
        roster[link] = worker
        guard isFirst, worker.hasAnswered, roster.parted[worker.name] != nil else { return }
        _ = roster.endParting(worker.name)
        loseAll(of: worker.name, into: &actions)
    }

    /// Calls that run for long: their rows say so. (Rare, and many at once: one walk finds them all.)
    mutating func workerStarted(_ link: LinkID, _ tokens: [Token]) {
        guard case .leading = phase, !tokens.isEmpty else { return }
        let started = Set(tokens)
        for slot in ledger.allSlots where ledger[slot].state == .dispatched(link) && ledger[slot].rowStatus != .running {
            let execution = ledger[slot].execution
            guard let token = execution.token, started.contains(token) else { continue }
            ledger[slot].rowStatus = .running
            let start = execution.actualStartTime ?? Timestamp(milliseconds: ledger[slot].dispatchedMicroseconds / 1000)
            pending.starts.append(
                ExecutionStart(
                    id: execution.id, token: token, attempts: execution.attempts + 1,
                    lostAttempts: execution.lostAttempts, actualStartTime: start, worker: execution.worker
                )
            )
        }
    }

    /// A connection was cut. Its worker has two seconds to come back with what it holds.
    mutating func workerLeft(_ link: LinkID, at now: Now) {
        guard let worker = roster[link] else { return }
        roster[link] = nil
        let twin = roster.workers.first { $0.value.name == worker.name && $0.value.bootID == worker.bootID }?.key
        var isMissed = false
        for slot in ledger.allSlots where ledger[slot].state == .dispatched(link) {
            if let twin {
                // The same process is connected twice: it reports over the other connection.
                move(slot, to: .dispatched(twin))
                roster.modify(twin) { $0.inFlight += 1 }
            } else {
                move(slot, to: .parted(worker: worker.name))
                isMissed = true
            }
        }
        if isMissed { roster.part(worker.name, bootID: worker.bootID, until: now.boot + 2_000) }
    }

    mutating func endPartings(at now: Now, into actions: inout [Action]) {
        for name in roster.overdue(at: now.boot) {
            _ = roster.endParting(name)
            loseAll(of: name, into: &actions)
        }
    }

    private mutating func loseAll(of name: String, into actions: inout [Action]) {
        var count = 0
        for slot in ledger.allSlots where ledger[slot].state == .parted(worker: name) {
            lose(slot)
            count += 1
        }
        if count > 0 { actions.append(.note(.workerLost(name: name, executions: count))) }
    }

    /// An attempt was lost with its worker. It does not count, and goes out again, unless that could send a request twice.
    mutating func lose(_ slot: Int32) {
        let record = agenda[ledger[slot].job]
        figures.lostAttempts += 1
        if record.executionType == .atMostOnce {
            let claimed = ledger[slot].execution.actualStartTime ?? now
            move(slot, to: .missing)
            ledger.setTimer(slot, to: max(claimed, ledger[slot].execution.scheduledTime) + Int64(record.timeoutMs) + 60_000)
            return
        }
        if let reason = ledger[slot].cancelReason {
            conclude(slot, as: .cancelled, reason: reason)
            return
        }
        ledger[slot].execution.lostAttempts += 1
        ledger[slot].execution.token = nil
        if ledger[slot].execution.lostAttempts >= lostAttemptsLimit {
            conclude(
                slot, as: .failed, reason: .workerLost,
                message: "\(lostAttemptsLimit) attempts in a row were lost with the workers that made them"
            )
        } else {
            makeReady(slot)
        }
    }
}
