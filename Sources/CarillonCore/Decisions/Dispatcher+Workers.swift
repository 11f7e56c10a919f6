/// Workers come, say what they hold, and go (design § 5: Workers across a take-over, Credit).
extension Dispatcher {
    /// The most slots that one worker can have (MAX_WORKERS). One that says more is taken at this.
    private static var maxWorkersLimit: Int { 65_536 }

    /// Attempts that may be lost with their workers before an execution fails.
    private var lostAttemptsLimit: Int { 5 }

    mutating func workerJoined(
        _ link: ConnectionID,
        name: String,
        bootID: UniqueID,
        _ maxWorkers: Int,
        _ features: Set<String>,
        at now: Now,
        into actions: inout [Action]
    ) {
        // A name belongs to the process that is connected. A dead one is found out by its heartbeats.
        if pool.roster.workers.values.contains(where: { $0.name == name && $0.bootID != bootID }) {
            actions.append(.log(.workerNameInUse(name: name)))
            actions.append(.refuseWorker(link, .workerNameInUse(name)))
            return
        }
        // The same name with another boot id: the process that had it is dead.
        if let disconnected = pool.roster.disconnected[name], disconnected.bootID != bootID {
            _ = pool.roster.endReconnectWait(name)
            loseAll(of: name, into: &actions)
        }
        pool.roster[link] = ConnectedWorker(
            name: name,
            bootID: bootID,
            maxWorkers: min(maxWorkers, Self.maxWorkersLimit),
            features: features,
            key: leadership.clusterKey.workerKey(name: name, bootID: bootID)
        )
        // Even while the renewal of the lease is late: nobody would tell this worker when it came. The epoch says enough.
        if case .leading = leadership.phase { announceLead(to: link, into: &actions) }
    }

    func announceLead(to link: ConnectionID, into actions: inout [Action]) {
        if let leadProof = leadership.leadProof {
            actions.append(.announceLead(link, leadProof, shards: Array(0..<16)))
        }
    }

    /// A worker obeys a later epoch than ours: the database's history went back, or its clock did. The lease is taken again
    /// above that epoch, if this cluster ever held it.
    mutating func workerRefusedLead(
        _ link: ConnectionID,
        epoch: Int64,
        highest: LeadProof,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard case .leading = leadership.phase, epoch == leadership.lease.epoch, let worker = pool.roster[link],
            highest.epoch > epoch
        else {
            return
        }
        let isProven =
            leadership.clusterKey.proof(epoch: highest.epoch, incarnation: highest.incarnation) == highest.proof
            && highest.epoch < .max
        pool.roster.modify(link) { $0.obeyedEpoch = highest.epoch }
        actions.append(.log(.leadRefused(worker: worker.name, highest: highest.epoch, isProven: isProven)))
        guard isProven else { return }
        leadership.epochFloor = max(leadership.epochFloor, highest.epoch)
        stepDown("a worker obeys epoch \(highest.epoch); the lease is taken again above it", at: now, into: &actions)
        leadership.lease.lost(at: now.boot, waitMs: 0)
    }

    /// The first credit after Lead also says: everything that this worker holds, or has to report, was told.
    mutating func workerGranted(_ link: ConnectionID, _ granted: UInt64, into actions: inout [Action]) {
        guard var worker = pool.roster[link] else { return }
        worker.granted = granted
        let isFirst = !worker.hasAnswered
        // A credit that was on its way before the worker heard of this leadership is no answer to it.
        if case .leading = leadership.phase, let epoch = leadership.lease.epoch, worker.heldEpoch == epoch {
            worker.hasAnswered = true
            worker.obeyedEpoch = nil
        }
        pool.roster.modify(link) { $0 = worker }
        if isFirst, worker.hasAnswered { answered(worker, into: &actions) }
    }

    private mutating func answered(_ worker: ConnectedWorker, into actions: inout [Action]) {
        pool.isClaimQueryDue = true
        guard pool.roster.disconnected[worker.name] != nil else { return }
        _ = pool.roster.endReconnectWait(worker.name)
        loseAll(of: worker.name, into: &actions)
    }

    /// A worker that answered Lead with Holding and sends no Credit, because its number has not changed, has told what it
    /// holds and has to report.
    mutating func assumeAnswers(into actions: inout [Action]) {
        for (link, worker) in pool.roster.workers
        where !worker.hasAnswered && worker.heldEpoch == leadership.lease.epoch {
            guard let heldAt = worker.heldAt, leadership.nowBoot >= heldAt + Self.answerMs, worker.heldEpoch != nil
            else {
                continue
            }
            pool.roster.modify(link) { $0.hasAnswered = true }
            answered(worker, into: &actions)
        }
    }

    /// How long the Credit after a Holding may take.
    private static var answerMs: Int64 { 2_000 }

    /// Calls that run for long: their rows say so.
    mutating func workerStarted(_ link: ConnectionID, _ tokens: [DispatchToken]) {
        guard case .leading = leadership.phase, !tokens.isEmpty else { return }
        let started = Set(tokens)
        for slot in executionTable.slots(heldBy: .connection(link)) {
            guard let token = executionTable[slot].execution.token, started.contains(token) else { continue }
            markAcknowledged(slot)
            executionTable[slot].hasStarted = true
            if executionTable[slot].rowStatus == .running { continue }
            executionTable[slot].rowStatus = .running
            let execution = executionTable[slot].execution
            // Of one that an earlier leader dispatched nobody says when it began before its end does.
            let dispatched = executionTable[slot].dispatchedMicroseconds
            let start = dispatched == 0 ? now : Timestamp(milliseconds: dispatched / 1_000)
            log.pending.starts.append(
                ExecutionStart(
                    id: execution.id,
                    token: token,
                    attempts: execution.attempts + 1,
                    lostAttempts: execution.lostAttempts,
                    actualStartTime: execution.actualStartTime ?? start,
                    worker: execution.worker,
                    isClaim: false
                )
            )
        }
    }

    /// A worker's first word of the current attempt.
    mutating func markAcknowledged(_ slot: Int32) {
        guard case .dispatched(let link) = executionTable[slot].state, !executionTable[slot].isAcknowledged else {
            return
        }
        executionTable[slot].isAcknowledged = true
        pool.roster.modify(link) { $0.unacknowledged -= 1 }
    }

    /// A connection was cut. Its worker has two seconds to come back with what it holds.
    mutating func workerLeft(_ link: ConnectionID, at now: Now, into actions: inout [Action]) {
        guard let worker = pool.roster[link] else { return }
        pool.roster[link] = nil
        var isMissed = false
        for slot in executionTable.slots(heldBy: .connection(link)) {
            move(slot, to: .disconnected(worker: worker.name))
            isMissed = true
        }
        guard isMissed else { return }
        pool.roster.workerDisconnected(worker.name, bootID: worker.bootID, until: now.boot + 2_000)
        // The same process came back before its old connection was seen to be dead. What it said then may not have been all:
        // it is asked once more what it holds.
        let twins = pool.roster.workers.filter { $0.value.name == worker.name && $0.value.bootID == worker.bootID }.keys
        guard case .leading = leadership.phase else { return }
        for twin in twins.sorted() {
            pool.roster.modify(twin) {
                $0.hasAnswered = false
                $0.heldEpoch = nil
                $0.heldAt = nil
            }
            announceLead(to: twin, into: &actions)
        }
    }

    /// Whom the next leader has to ask: the names are durable before anything is sent to those that bear them.
    mutating func recordWorkers() {
        guard pool.roster.isRecordDue else { return }
        if let names = pool.roster.namesToRecord(besides: recovery?.workers ?? []) { log.pending.workers = names }
    }

    mutating func endPartings(at now: Now, into actions: inout [Action]) {
        for name in pool.roster.overdue(at: now.boot) {
            _ = pool.roster.endReconnectWait(name)
            loseAll(of: name, into: &actions)
        }
    }

    private mutating func loseAll(of name: String, into actions: inout [Action]) {
        var count = 0
        if InjectedFault.waitsIndefinitelyForALostWorker.isActive { return }
        for slot in executionTable.slots(heldBy: .worker(name)) {
            lose(slot)
            count += 1
        }
        if count > 0 { actions.append(.log(.workerLost(name: name, executions: count))) }
    }

    /// An attempt was lost with its worker. It does not count, and goes out again, unless that could send a request twice.
    mutating func lose(_ slot: Int32) {
        counters.lostAttempts += 1
        if isAtMostOnce(slot) {
            // One in the future was made before the clock went back.
            let claimed = min(now, claimTime(of: executionTable[slot]))
            move(slot, to: .outcomePending)
            pool.isClaimQueryDue = true
            let patience: Int64 = InjectedFault.givesUpClaimsAtOnce.isActive ? 0 : 60_000
            let timeoutMs = Int64(jobTable[executionTable[slot].job].timeoutMs)
            executionTable.setTimer(slot, to: claimed + timeoutMs + patience)
            return
        }
        executionTable[slot].execution.lostAttempts += 1
        if let reason = executionTable[slot].cancelReason {
            conclude(slot, as: .cancelled, reason: reason)
            return
        }
        executionTable[slot].isLost = true
        // What an earlier leader wrote of its start was the lost attempt's.
        if executionTable[slot].execution.attempts == 0 { executionTable[slot].execution.actualStartTime = nil }
        if executionTable[slot].execution.lostAttempts >= lostAttemptsLimit {
            conclude(
                slot,
                as: .failed,
                reason: .workerLost,
                message: "\(lostAttemptsLimit) attempts in a row were lost with the workers that made them"
            )
        } else {
            redispatch(slot)
        }
    }

    /// Gives a lost attempt out again, at the earliest a heartbeat after the lost one was given out: a worker that takes calls
    /// and disconnects costs an execution one attempt a heartbeat.
    private mutating func redispatch(_ slot: Int32) {
        // Never later than a heartbeat from now: the clock may have gone back since.
        let earliest = min(Timestamp(milliseconds: executionTable[slot].dispatchedMicroseconds / 1_000), now) + 2_000
        guard executionTable[slot].dispatchedMicroseconds != 0, earliest > now else { return makeReady(slot) }
        delay(slot, until: earliest)
    }

    /// Lets an execution wait before it is given out again.
    mutating func delay(_ slot: Int32, until time: Timestamp) {
        move(slot, to: .retrying)
        executionTable.setTimer(slot, to: time)
    }

    /// When the current claim was made; `nil` when neither this leader nor the row knows. (The row tells only the first start.)
    func knownClaimTime(of open: OpenExecution) -> Timestamp? {
        if open.dispatchedMicroseconds != 0 { return Timestamp(milliseconds: open.dispatchedMicroseconds / 1_000) }
        guard open.rowStatus == .running, open.execution.attempts == 0 else { return nil }
        return open.execution.actualStartTime
    }

    /// When the current claim was made, or the latest moment that it can have been.
    func claimTime(of open: OpenExecution) -> Timestamp {
        knownClaimTime(of: open).map { max($0, open.execution.scheduledTime) } ?? now
    }
}
