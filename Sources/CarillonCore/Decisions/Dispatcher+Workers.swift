/// Workers that connect, report their calls, and disconnect.
extension Dispatcher {
    /// The maximum number of slots of a worker (MAX_WORKERS). A larger reported number is reduced to it.
    private static var maxWorkersLimit: Int { 65_536 }

    /// How many attempts may be lost with their workers before an execution fails.
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
        // The name belongs to the connected process. If that process is dead, its missing heartbeats end the
        // connection.
        if pool.roster.workers.values.contains(where: { $0.name == name && $0.bootID != bootID }) {
            actions.append(.log(.workerNameInUse(name: name)))
            actions.append(.refuseWorker(link, .workerNameInUse(name)))
            return
        }
        // The same name with another boot id: the previous process has ended.
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
        // Announce the lead even if the renewal of the lease is late: no later event announces it to this worker. The
        // epoch is sufficient proof.
        if case .leading = leadership.phase { announceLead(to: link, into: &actions) }
    }

    func announceLead(to link: ConnectionID, into actions: inout [Action]) {
        if let leadProof = leadership.leadProof {
            actions.append(.announceLead(link, leadProof, shards: Array(0..<16)))
        }
    }

    /// A worker accepts only a later epoch than ours, because the database was restored or its clock stepped back. If
    /// this cluster held that epoch, the leader takes the lease again above it.
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
        stepDown("a worker has accepted epoch \(highest.epoch); taking the lease above it", at: now, into: &actions)
        leadership.lease.lost(at: now.boot, waitMs: 0)
    }

    /// Applies a Credit. The first one after Lead ends the worker's report of held calls and outcomes.
    mutating func workerGranted(_ link: ConnectionID, _ granted: UInt64, into actions: inout [Action]) {
        guard var worker = pool.roster[link] else { return }
        worker.granted = granted
        let isFirst = !worker.hasAnswered
        // A credit sent before the worker received this Lead does not answer it.
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

    /// Treats a worker as having answered if it sent Holding and its credit has not changed, so no Credit follows.
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

    /// How long to wait for the Credit after a Holding.
    private static var answerMs: Int64 { 2_000 }

    /// Records the start of long-running calls in their rows.
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
            // For calls dispatched by a previous leader, the start time arrives only with the outcome.
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

    /// Records the worker's first report about the current attempt.
    mutating func markAcknowledged(_ slot: Int32) {
        guard case .dispatched(let link) = executionTable[slot].state, !executionTable[slot].isAcknowledged else {
            return
        }
        executionTable[slot].isAcknowledged = true
        pool.roster.modify(link) { $0.unacknowledged -= 1 }
    }

    /// A connection was lost. Its worker has two seconds to reconnect and report its calls.
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
        // The same process reconnected before the loss of its old connection was noticed. Its report may be incomplete,
        // so ask for it again.
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

    /// Records which workers the next leader has to ask. A name is durable before its worker gets a call.
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

    /// An attempt was lost with its worker. It does not count and is dispatched again, unless that could send a request
    /// twice.
    mutating func lose(_ slot: Int32) {
        counters.lostAttempts += 1
        if isAtMostOnce(slot) {
            // A claim time in the future dates from before the clock stepped back.
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
        // The recorded start of an earlier leader belongs to the lost attempt.
        if executionTable[slot].execution.attempts == 0 { executionTable[slot].execution.actualStartTime = nil }
        if executionTable[slot].execution.lostAttempts >= lostAttemptsLimit {
            conclude(
                slot,
                as: .failed,
                reason: .workerLost,
                message: "\(lostAttemptsLimit) attempts in a row were lost with their workers"
            )
        } else {
            redispatch(slot)
        }
    }

    /// Dispatches a lost attempt again, at the earliest one heartbeat after its last dispatch. So a worker that takes
    /// calls and disconnects costs an execution at most one attempt per heartbeat.
    private mutating func redispatch(_ slot: Int32) {
        // At most one heartbeat from now, because the clock may have stepped back.
        let earliest = min(Timestamp(milliseconds: executionTable[slot].dispatchedMicroseconds / 1_000), now) + 2_000
        guard executionTable[slot].dispatchedMicroseconds != 0, earliest > now else { return makeReady(slot) }
        delay(slot, until: earliest)
    }

    /// Delays the next dispatch of an execution.
    mutating func delay(_ slot: Int32, until time: Timestamp) {
        move(slot, to: .retrying)
        executionTable.setTimer(slot, to: time)
    }

    /// The time of the current claim; `nil` if neither this leader nor the row has it. The row contains only the first
    /// start.
    func knownClaimTime(of open: OpenExecution) -> Timestamp? {
        if open.dispatchedMicroseconds != 0 { return Timestamp(milliseconds: open.dispatchedMicroseconds / 1_000) }
        guard open.rowStatus == .running, open.execution.attempts == 0 else { return nil }
        return open.execution.actualStartTime
    }

    /// The time of the current claim, or its upper bound.
    func claimTime(of open: OpenExecution) -> Timestamp {
        knownClaimTime(of: open).map { max($0, open.execution.scheduledTime) } ?? now
    }
}
