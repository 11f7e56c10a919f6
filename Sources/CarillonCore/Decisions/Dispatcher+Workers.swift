/// Workers come, say what they hold, and go (design § 5: Workers across a take-over, Credit).
extension Dispatcher {
    /// The most slots that one worker can have (MAX_WORKERS). One that says more is taken at this.
    private static var maxWorkersLimit: Int { 65_536 }

    /// Attempts that may be lost with their workers before an execution fails.
    private var lostAttemptsLimit: Int { 5 }

    mutating func workerJoined(
        _ link: LinkID,
        name: String,
        bootID: UniqueID,
        _ maxWorkers: Int,
        _ features: Set<String>,
        at now: Now,
        into actions: inout [Action]
    ) {
        // A name belongs to the process that is connected. A dead one is found out by its heartbeats.
        if roster.workers.values.contains(where: { $0.name == name && $0.bootID != bootID }) {
            actions.append(.note(.workerNameInUse(name: name)))
            actions.append(.refuseWorker(link, .workerNameInUse(name)))
            return
        }
        // The same name with another boot id: the process that had it is dead.
        if let parted = roster.parted[name], parted.bootID != bootID {
            _ = roster.endParting(name)
            loseAll(of: name, into: &actions)
        }
        roster[link] = ConnectedWorker(
            name: name,
            bootID: bootID,
            maxWorkers: min(maxWorkers, Self.maxWorkersLimit),
            features: features,
            key: clusterKey.workerKey(name: name, bootID: bootID)
        )
        // Even while the renewal of the lease is late: nobody would tell this worker when it came. The epoch says enough.
        if case .leading = phase { announceLead(to: link, into: &actions) }
    }

    func announceLead(to link: LinkID, into actions: inout [Action]) {
        if let leadProof { actions.append(.announceLead(link, leadProof, shards: Array(0..<16))) }
    }

    /// A worker obeys a later epoch than ours: the database's history went back, or its clock did. The lease is taken again
    /// above that epoch, if this cluster ever held it.
    mutating func workerRefusedLead(
        _ link: LinkID,
        epoch: Int64,
        highest: LeadProof,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard case .leading = phase, epoch == lease.epoch, let worker = roster[link], highest.epoch > epoch else {
            return
        }
        let isProven =
            clusterKey.proof(epoch: highest.epoch, incarnation: highest.incarnation) == highest.proof
            && highest.epoch < .max
        roster.modify(link) { $0.obeyedEpoch = highest.epoch }
        actions.append(.note(.leadRefused(worker: worker.name, highest: highest.epoch, isProven: isProven)))
        guard isProven else { return }
        epochFloor = max(epochFloor, highest.epoch)
        stepDown("a worker obeys epoch \(highest.epoch); the lease is taken again above it", at: now, into: &actions)
        lease.lost(at: now.boot, waitMs: 0)
    }

    /// What a worker runs: it stays with it.
    mutating func workerHeld(_ link: LinkID, epoch: Int64, _ held: [HeldCall], into actions: inout [Action]) {
        guard case .leading = phase, epoch == lease.epoch, roster[link] != nil else { return }
        roster.modify(link) {
            $0.heldEpoch = epoch
            $0.heldAt = nowBoot
            $0.obeyedEpoch = nil
        }
        for call in held {
            guard call.shard == call.jobID.shard,
                isIssued(call.token, call.code, call.executionID, call.attempt, to: link)
            else {
                reject(link, "a call with a token that was not issued to the worker is held", into: &actions)
                actions.append(.cancelCalls(link, [call.token]))
                continue
            }
            if let slot = ledger.slot(of: call.executionID), ledger[slot].state == .inserting {
                early.held[call.token] = (link, call, early.held[call.token]?.isMadeAgain ?? false)
            } else if makeAgain(call.executionID, of: call.jobID) {
                early.held[call.token] = (link, call, true)
            } else {
                take(call, heldBy: link, into: &actions)
            }
        }
    }

    /// Whether a token was issued for this attempt of this execution to the worker process at the other end.
    func isIssued(
        _ token: Token,
        _ code: AuthenticationCode,
        _ id: ExecutionID,
        _ attempt: Int,
        to link: LinkID
    ) -> Bool {
        if Canary.believesEveryToken.sings { return roster[link] != nil }
        guard let worker = roster.workers[link] else { return false }
        let expected = worker.key.code(of: token, id, attempt: attempt)
        return (expected.high ^ code.high) | (expected.low ^ code.low) == 0
    }

    /// A report had no effect, or another one than it asked for.
    mutating func reject(_ link: LinkID, _ why: String, into actions: inout [Action]) {
        figures.foreignReports += 1
        actions.append(.note(.reportRejected(worker: roster[link]?.name ?? "", why: why)))
    }

    private mutating func take(_ call: HeldCall, heldBy link: LinkID, into actions: inout [Action]) {
        guard let slot = ledger.slot(of: call.executionID), ledger[slot].execution.jobID == call.jobID,
            accepts(call.token, call.attempt, for: slot)
        else {
            // Its outcome will change nothing: the target need not be kept busy.
            if !isRecording(call) { actions.append(.cancelCalls(link, [call.token])) }
            return
        }
        hear(of: slot)
        if case .dispatched(let other) = ledger[slot].state {
            if other == link { return }
            roster.modify(other) { $0.inFlight -= 1 }
        }
        adopt(slot, call.token)
        ledger[slot].execution.worker = roster[link]?.name
        ledger[slot].execution.workerBootID = roster[link]?.bootID
        ledger[slot].isHeard = true
        move(slot, to: .dispatched(link))
        resumeDeadline(slot)
        roster.modify(link) { $0.inFlight += 1 }
        if ledger[slot].cancelReason != nil { actions.append(.cancelCalls(link, [call.token])) }
    }

    /// Whether the outcome of that very call is on its way to the database.
    private func isRecording(_ call: HeldCall) -> Bool {
        guard let slot = ledger.slot(of: call.executionID) else { return false }
        return ledger[slot].state == .recording && ledger[slot].execution.token == call.token
    }

    /// Makes the row again of an occurrence that a worker was told to call before the clock went back, and whose row was
    /// withdrawn since, as one of the future: without it its time would come again, and with it the call. (One that is long
    /// past may be without a row since retention has dropped it.) Returns whether it did.
    mutating func makeAgain(_ id: ExecutionID, of job: JobID) -> Bool {
        guard id.time > now - 3_600_000, id == ExecutionID(job: job, scheduledTime: id.time, trigger: .schedule),
            let slot = agenda.slot(of: job), let row = make(slot, at: id.time)
        else { return false }
        catchUp?.cover(job, [GapRow(jobID: job, from: id.time, to: id.time)])
        if catchUp?.time(of: slot) == id.time { catchUp?.arm(slot, agenda[slot], after: id.time) }
        pending.add(insert: row)
        return true
    }

    /// What workers said of executions whose rows were still to become durable.
    mutating func takeEarly(using random: inout some RandomNumberGenerator, into actions: inout [Action]) {
        guard !early.isEmpty else { return }
        let reports = early
        early = EarlyReports()
        for (token, report) in reports.held.sorted(by: { $0.key < $1.key }) {
            let call = report.call
            if let slot = ledger.slot(of: call.executionID), ledger[slot].state == .inserting {
                early.held[token] = report
                continue
            }
            if roster[report.link] != nil { take(call, heldBy: report.link, into: &actions) }
            if report.isMadeAgain { withdrawUnlessDue(call.executionID) }
        }
        for (_, (link, outcome)) in reports.outcomes.sorted(by: { $0.key < $1.key }) {
            take(outcome, over: link, using: &random, into: &actions)
        }
    }

    /// A row that was made again for a call that nobody has any more: it stands if its time is still to come, and near enough
    /// for a change of its job to find it.
    private mutating func withdrawUnlessDue(_ id: ExecutionID) {
        guard let slot = ledger.slot(of: id), !ledger[slot].hasBegun else { return }
        switch ledger[slot].state {
        case .armed, .ready: break
        default: return
        }
        if id.time <= furthestRow, agenda[ledger[slot].job].isDue(at: id.time) { return }
        pending.withdrawals.append(id)
        leave(slot)
    }

    /// A worker's word about an attempt counts: it is the current one, and was not lost after all.
    mutating func adopt(_ slot: Int32, _ token: Token) {
        ledger.clearTimer(slot)
        ledger[slot].execution.token = token
        ledger[slot].isAdoptable = false
        guard ledger[slot].isLost else { return }
        ledger[slot].isLost = false
        ledger[slot].execution.lostAttempts -= 1
    }

    /// Whether a worker's word about an attempt counts: its token is the current one, or the execution was taken over and
    /// has not been dispatched since, or no attempt of it is known here at all.
    func accepts(_ token: Token, _ attempt: Int, for slot: Int32) -> Bool {
        let open = ledger[slot]
        switch open.state {
        case .dispatched, .parted, .missing:
            return open.execution.token == token
        case .inherited, .ready, .armed, .retrying:
            if open.isLost, open.execution.token == token, attempt == open.attemptNumber { return true }
            // Not begun, as far as is known here: its row was made again after the clock went back, or was given back.
            guard open.isAdoptable || !open.hasBegun else { return false }
            if open.rowStatus == .running, let known = open.execution.token, known == token { return true }
            // A claim names the only call that there can be; any other row may have been dispatched again since, whatever its
            // job has become.
            if open.rowStatus == .running, open.execution.isClaimed { return false }
            return (attempt == open.attemptNumber || Canary.ignoresTheAttemptNumber.sings)
                && (token.epoch < (lease.epoch ?? 0) || !open.hasBegun)
        case .inserting, .claiming, .recording:
            return false
        }
    }

    /// The first credit after Lead also says: everything that this worker holds, or has to report, was told.
    mutating func workerGranted(_ link: LinkID, _ granted: UInt64, into actions: inout [Action]) {
        guard var worker = roster[link] else { return }
        worker.granted = granted
        let isFirst = !worker.hasAnswered
        // A credit that was on its way before the worker heard of this leadership is no answer to it.
        if case .leading = phase, let epoch = lease.epoch, worker.heldEpoch == epoch {
            worker.hasAnswered = true
            worker.obeyedEpoch = nil
        }
        roster.modify(link) { $0 = worker }
        if isFirst, worker.hasAnswered { answered(worker, into: &actions) }
    }

    private mutating func answered(_ worker: ConnectedWorker, into actions: inout [Action]) {
        isClaimQueryDue = true
        guard roster.parted[worker.name] != nil else { return }
        _ = roster.endParting(worker.name)
        loseAll(of: worker.name, into: &actions)
    }

    /// A worker that answered Lead with Holding and sends no Credit, because its number has not changed, has told what it
    /// holds and has to report.
    mutating func assumeAnswers(into actions: inout [Action]) {
        for (link, worker) in roster.workers where !worker.hasAnswered && worker.heldEpoch == lease.epoch {
            guard let heldAt = worker.heldAt, nowBoot >= heldAt + Self.answerMs, worker.heldEpoch != nil else {
                continue
            }
            roster.modify(link) { $0.hasAnswered = true }
            answered(worker, into: &actions)
        }
    }

    /// How long the Credit after a Holding may take.
    private static var answerMs: Int64 { 2_000 }

    /// Calls that run for long: their rows say so. (Rare, and many at once: one walk finds them all.)
    mutating func workerStarted(_ link: LinkID, _ tokens: [Token]) {
        guard case .leading = phase, !tokens.isEmpty else { return }
        let started = Set(tokens)
        for slot in ledger.allSlots where ledger[slot].state == .dispatched(link) {
            let execution = ledger[slot].execution
            guard let token = execution.token, started.contains(token) else { continue }
            hear(of: slot)
            ledger[slot].hasStarted = true
            if ledger[slot].rowStatus == .running { continue }
            ledger[slot].rowStatus = .running
            // Of one that an earlier leader dispatched nobody says when it began before its end does.
            let dispatched = ledger[slot].dispatchedMicroseconds
            let start = dispatched == 0 ? now : Timestamp(milliseconds: dispatched / 1_000)
            pending.starts.append(
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
    mutating func hear(of slot: Int32) {
        guard case .dispatched(let link) = ledger[slot].state, !ledger[slot].isHeard else { return }
        ledger[slot].isHeard = true
        roster.modify(link) { $0.unheard -= 1 }
    }

    /// A connection was cut. Its worker has two seconds to come back with what it holds.
    mutating func workerLeft(_ link: LinkID, at now: Now, into actions: inout [Action]) {
        guard let worker = roster[link] else { return }
        roster[link] = nil
        var isMissed = false
        for slot in ledger.allSlots where ledger[slot].state == .dispatched(link) {
            move(slot, to: .parted(worker: worker.name))
            isMissed = true
        }
        guard isMissed else { return }
        roster.part(worker.name, bootID: worker.bootID, until: now.boot + 2_000)
        // The same process came back before its old connection was seen to be dead. What it said then may not have been all:
        // it is asked once more what it holds.
        let twins = roster.workers.filter { $0.value.name == worker.name && $0.value.bootID == worker.bootID }.keys
        guard case .leading = phase else { return }
        for twin in twins.sorted() {
            roster.modify(twin) {
                $0.hasAnswered = false
                $0.heldEpoch = nil
                $0.heldAt = nil
            }
            announceLead(to: twin, into: &actions)
        }
    }

    /// Whom the next leader has to ask: the names are durable before anything is sent to those that bear them.
    mutating func recordWorkers() {
        guard roster.isRecordDue else { return }
        if let names = roster.namesToRecord(besides: adoptUntil == nil ? [] : awaited ?? []) { pending.workers = names }
    }

    mutating func endPartings(at now: Now, into actions: inout [Action]) {
        for name in roster.overdue(at: now.boot) {
            _ = roster.endParting(name)
            loseAll(of: name, into: &actions)
        }
    }

    private mutating func loseAll(of name: String, into actions: inout [Action]) {
        var count = 0
        if Canary.waitsForEverForALostWorker.sings { return }
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
        if isAtMostOnce(slot) {
            // One in the future was made before the clock went back.
            let claimed = min(now, claimTime(of: ledger[slot]))
            move(slot, to: .missing)
            isClaimQueryDue = true
            let patience: Int64 = Canary.givesUpClaimsAtOnce.sings ? 0 : 60_000
            ledger.setTimer(slot, to: claimed + Int64(record.timeoutMs) + patience)
            return
        }
        ledger[slot].execution.lostAttempts += 1
        if let reason = ledger[slot].cancelReason {
            conclude(slot, as: .cancelled, reason: reason)
            return
        }
        ledger[slot].isLost = true
        // What an earlier leader wrote of its start was the lost attempt's.
        if ledger[slot].execution.attempts == 0 { ledger[slot].execution.actualStartTime = nil }
        if ledger[slot].execution.lostAttempts >= lostAttemptsLimit {
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
        let earliest = min(Timestamp(milliseconds: ledger[slot].dispatchedMicroseconds / 1_000), now) + 2_000
        guard ledger[slot].dispatchedMicroseconds != 0, earliest > now else { return makeReady(slot) }
        delay(slot, until: earliest)
    }

    /// Lets an execution wait before it is given out again.
    mutating func delay(_ slot: Int32, until time: Timestamp) {
        move(slot, to: .retrying)
        ledger.setTimer(slot, to: time)
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
