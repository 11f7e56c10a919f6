/// Standby, take-over, and the end of leading (design § 5: Leases, Workers across a take-over).
extension Dispatcher {
    mutating func leaseAnswered(
        _ result: LeaseResult,
        sentAt: BootTime,
        at now: Now,
        into actions: inout [Action]
    ) {
        // Asked before the lease was lost, and answered after: by now another question is on its way, or will be.
        guard lease.awaitsAnswer(to: sentAt) else { return }
        switch result {
        case .heldByOther(_, let databaseTime):
            sampleClock(databaseTime, sentAt: sentAt, at: now, into: &actions)
            stepDown("another scheduler holds the lease", at: now, into: &actions)
            lease.lost(at: now.boot)
        case .held(let epoch, let shards, let databaseTime, let standby):
            self.standby = standby.map { (owner: $0, at: now.boot) }
            let isNew = lease.epoch == nil
            lease.held(epoch: epoch, at: now.boot)
            sampleClock(databaseTime, sentAt: sentAt, at: now, into: &actions)
            guard isNew, lease.epoch == epoch else { return }
            takeKey(from: shards, epoch: epoch)
            actions.append(.note(.leadershipTaken(epoch: epoch, clusterTime: self.now)))
            actions.append(.beginEditSearch(self.now))
            phase = .loading(Loading(shards: shards))
            agenda.removeAll()
            actions.append(.loadJobs)
        }
    }

    /// Takes the cluster's key and the proof of the new epoch.
    private mutating func takeKey(from shards: [ShardRecord], epoch: Int64) {
        clusterKey = ClusterKey(secret: shards.lazy.compactMap(\.clusterSecret).first ?? [])
        let incarnation = shards.first?.incarnation ?? 0
        leadProof = LeadProof(
            epoch: epoch,
            incarnation: incarnation,
            proof: clusterKey.proof(epoch: epoch, incarnation: incarnation)
        )
        let key = clusterKey
        roster.setKeys { key.workerKey(name: $0.name, bootID: $0.bootID) }
    }

    /// Takes in the database's clock. A step while leading is an outage, or its opposite.
    private mutating func sampleClock(
        _ databaseTime: Timestamp,
        sentAt: BootTime,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard case .stepped(let milliseconds) = clock.sample(databaseTime, sent: sentAt, received: now.boot) else {
            nowMicroseconds = max(nowMicroseconds, clock.microseconds(at: now.boot))
            return
        }
        nowMicroseconds = clock.microseconds(at: now.boot)
        actions.append(.note(.clockStepped(milliseconds: milliseconds)))
        if milliseconds < 0 { actions.append(.extendEditSearch(backMs: -milliseconds)) }
        guard case .leading = phase else { return }
        if milliseconds > 5_000 {
            openGap(into: &actions)
        } else if milliseconds < 0 {
            stepBack(milliseconds: -milliseconds)
        }
    }

    /// The clock went back: rows that lie in the future again are withdrawn, and made anew when their time comes. What has
    /// run keeps its row, so it never runs again.
    private mutating func stepBack(milliseconds: Int64) {
        let now = self.now
        var withdrawn: Set<ExecutionID> = []
        var withdrawnJobs: Set<JobID> = []
        for slot in ledger.allSlots {
            let open = ledger[slot]
            switch open.state {
            case .retrying, .missing:
                // These wait for a while, not for a date.
                if let time = ledger.timer(of: slot) { ledger.setTimer(slot, to: time - milliseconds) }
                if let next = open.execution.nextAttemptAt {
                    ledger[slot].execution.nextAttemptAt = next - milliseconds
                }
            case .armed where open.execution.trigger == .manual:
                ledger.setTimer(slot, to: min(now, open.execution.scheduledTime))
            case .inserting, .armed, .ready:
                guard open.execution.trigger == .schedule, open.execution.scheduledTime > now, !open.hasBegun else {
                    break
                }
                withdrawn.insert(open.execution.id)
                withdrawnJobs.insert(open.execution.jobID)
                leave(slot)
            default:
                break
            }
        }
        dropInserts { withdrawn.contains($0.id) }
        pending.withdrawals.append(contentsOf: withdrawn.sorted())
        changes.clockWentBack(to: now)
        if let mark = inFlight?.materializedThrough { inFlight?.materializedThrough = min(mark, now) }
        defer { pending.settledThrough = settledMark }
        // After a long stall it may lie behind now all the same, and what is missing in between is due. A change that was
        // refused may have made rows beyond it.
        guard materializedThrough > now else {
            for slot in withdrawnJobs.compactMap({ agenda.slot(of: $0) }) { agenda.arm(slot, after: now) }
            return
        }
        materializedThrough = now
        sealedThrough = min(sealedThrough, now)
        if let mark = stallEnd { stallEnd = min(mark, now) }
        pending.materializedThrough = now
        for slot in agenda.allSlots { agenda.arm(slot, after: now) }
        guard catchUp != nil else { return }
        truncateGapReading(to: now)
        catchUp?.truncate(to: now)
        for slot in agenda.allSlots {
            if let time = catchUp?.time(of: slot), time > now { catchUp?.disarm(slot) }
        }
    }

    mutating func jobsLoaded(
        _ jobs: [PlannedJob],
        isLast: Bool,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard !isStale(isLast), case .loading(var loading) = phase else { return }
        for job in jobs { agenda.put(JobRecord(job)) }
        guard isLast else { return }
        if case .jobs = loading.step {
            loading.step = .openExecutions
            phase = .loading(loading)
            actions.append(.loadOpenExecutions(since: settledThrough(of: loading.shards)))
        } else {
            loadGapRows(loading, at: now, into: &actions)
        }
    }

    mutating func openExecutionsLoaded(
        _ executions: [Execution],
        isLast: Bool,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard !isStale(isLast), case .loading(var loading) = phase else { return }
        loading.executions.append(contentsOf: executions)
        phase = .loading(loading)
        guard isLast else { return }
        let missing = Set(loading.executions.map(\.jobID)).filter { agenda.slot(of: $0) == nil }
        if missing.isEmpty {
            loadGapRows(loading, at: now, into: &actions)
        } else {
            loading.step = .jobsNamed(missing.sorted())
            phase = .loading(loading)
            actions.append(.loadJobsNamed(missing.sorted()))
        }
    }

    private mutating func loadGapRows(_ loading: Loading, at now: Now, into actions: inout [Action]) {
        var loading = loading
        // Rows are made in this order only: the marks of all shards move together, so the earliest is the truth.
        let marks = loading.shards.map { $0.materializedThrough ?? self.now }
        let noted = loading.shards.compactMap(\.gap)
        let from = min(marks.min() ?? self.now, noted.map(\.from).min() ?? .distantFuture)
        guard from < self.now else {
            lead(loading, at: now, into: &actions)
            return
        }
        let gap = Gap(from: from, to: max(self.now, marks.max() ?? self.now))
        loading.gap = gap
        loading.step = .gapRows(gap)
        phase = .loading(loading)
        actions.append(.loadGapRows(gap))
    }

    mutating func gapRowsLoaded(
        _ rows: [GapRow],
        isLast: Bool,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard !isStale(isLast) else { return }
        if case .leading = phase { gapRead(rows, isLast: isLast) }
        guard case .loading(var loading) = phase else { return }
        for row in rows { loading.gapRows[row.jobID, default: []].append(row) }
        phase = .loading(loading)
        if isLast { lead(loading, at: now, into: &actions) }
    }

    /// Whether an answer is one to a read of a leadership before this one. Reads are answered in their order.
    private mutating func isStale(_ isLast: Bool) -> Bool {
        guard staleLoads > 0 else { return false }
        if isLast { staleLoads -= 1 }
        return true
    }

    mutating func loadFailed(_ text: String, into actions: inout [Action]) {
        if case .leading = phase { gapNotRead(text, into: &actions) }
        guard case .loading(var loading) = phase else { return }
        actions.append(.note(.loadFailed(text)))
        switch loading.step {
        case .jobs:
            agenda.removeAll()
            actions.append(.loadJobs)
        case .openExecutions:
            loading.executions = []
            actions.append(.loadOpenExecutions(since: settledThrough(of: loading.shards)))
        case .jobsNamed(let ids):
            actions.append(.loadJobsNamed(ids))
        case .gapRows(let gap):
            loading.gapRows = [:]
            actions.append(.loadGapRows(gap))
        }
        phase = .loading(loading)
    }

    private func settledThrough(of shards: [ShardRecord]) -> Timestamp {
        let marks = shards.map { $0.settledThrough ?? Timestamp(milliseconds: 0) }
        return marks.min() ?? Timestamp(milliseconds: 0)
    }

    /// All is read: from here on this scheduler leads.
    private mutating func lead(_ loading: Loading, at now: Now, into actions: inout [Action]) {
        guard let epoch = lease.epoch else { return }
        phase = .leading
        let mark = loading.shards.compactMap(\.materializedThrough).max() ?? self.now
        // A mark that is far ahead of now was set before the clock went back.
        let isAhead = mark - self.now > 2 * max(horizonMs, 2_000)
        // A gap that was noted and not read lies ahead, since the clock went back: what it has missed is yet to come.
        let isGapAhead = loading.gap == nil && loading.shards.contains { $0.gap != nil }
        materializedThrough = isAhead || isGapAhead ? self.now : max(self.now, mark)
        sealedThrough = materializedThrough
        abandonedTime = nil
        pending = PendingBatch()
        pending.materializedThrough = materializedThrough
        if isGapAhead { pending.gap = .some(nil) }
        inFlight = nil
        parts = []
        nextSequence = 1
        nextToken = 1
        marksWrittenAt = now.boot
        isMaterializationHeld = false

        for slot in agenda.allSlots { agenda.arm(slot, after: materializedThrough) }
        for execution in loading.executions { inherit(execution) }
        if let gap = loading.gap, !Canary.forgetsTheGap.sings {
            // The gap ends where its reading began; what became due while it was read is missed as well.
            openGap(Gap(from: gap.from, to: materializedThrough), covered: loading.gapRows, into: &actions)
            // Rows beyond it, from before the clock went back, are withdrawn, or looked for anew if their times are missed.
            catchUp?.truncate(to: materializedThrough)
        }
        // The one before may have had a clock that was ahead of this one: what begins now must not lie below its mark.
        pending.settledThrough = settledMark
        roster.forgetAnswers()
        adoptUntil = now.boot + 2_000
        workerlessSince = nil
        let names = loading.shards.compactMap(\.workers)
        awaited = names.isEmpty ? nil : Set(names.joined())
        roster.inherit(names.flatMap { $0 })
        for link in roster.workers.keys.sorted() { announceLead(to: link, into: &actions) }
        actions.append(.note(.leading(epoch: epoch, jobs: agenda.visibleCount, openExecutions: ledger.count)))
    }

    /// Takes over an execution that the leader before left open.
    private mutating func inherit(_ row: Execution) {
        guard let job = agenda.slot(of: row.jobID), ledger.slot(of: row.id) == nil else { return }
        var execution = row
        // In the row the attempt that runs is counted already; here it counts when it has ended.
        if row.status == .running { execution.attempts = max(0, row.attempts - 1) }
        // Written before the clock went back, it would lie further ahead than any retry. (After a change of the job it may come
        // sooner than it was to.)
        if let next = row.nextAttemptAt {
            // The first attempt began before the delay did.
            let sinceStart = row.actualStartTime.map { max(0, next - $0) } ?? .max
            let longest = min(longestRetryDelayMs(of: agenda[job], after: row), sinceStart)
            execution.nextAttemptAt = min(next, now + longest)
        }
        var open = OpenExecution(execution: execution, job: job, state: .inherited)
        open.rowStatus = row.status
        open.isAdoptable = true
        switch row.status {
        case .pending where row.scheduledTime > now && row.trigger == .schedule:
            open.state = .armed
        case .retrying where (execution.nextAttemptAt ?? now) > now:
            open.state = .retrying
        default:
            break
        }
        let slot = enter(open)
        switch open.state {
        case .armed: ledger.setTimer(slot, to: row.scheduledTime)
        case .retrying: ledger.setTimer(slot, to: execution.nextAttemptAt ?? now)
        default: break
        }
    }

    /// What nobody has claimed goes out again, or, where that could send a request twice, waits for the truth.
    mutating func endAdoption(at now: Now) {
        guard let until = adoptUntil else { return }
        let haveAllAnswered = awaited.map { roster.haveAllAnswered(besides: $0) } ?? false
        guard now.boot >= until || haveAllAnswered else { return }
        adoptUntil = nil
        awaited = nil
        roster.forgetAwaited()
        for slot in ledger.allSlots where ledger[slot].state == .inherited {
            let open = ledger[slot]
            if open.rowStatus == .running, !Canary.refiresClaimsOnTakeOver.sings {
                lose(slot)
            } else {
                makeReady(slot)
            }
        }
        withdrawFarRows()
        // Rows of an instant that was only half made lie beyond the mark. Their jobs' next times come after them, as if they had
        // been made here: an outage that begins at the mark must not count them, whatever has become of them by then.
        for job in Set(ledger.allSlots.map { ledger[$0].job }).sorted() {
            if let next = agenda.nextTime(of: job) { armSchedule(of: job, after: next - 1) }
        }
    }

    /// No row waits for a time after this, once a take-over is done. Some lie beyond materializedThrough: those of an instant
    /// that is only half made, and those of the leader before, who made them further ahead.
    var furthestRow: Timestamp { max(materializedThrough, now + max(horizonMs, 2_000)) }

    /// Rows that were made before the clock went back, and not withdrawn by whoever made them. Their times come again. If a worker comes later that has, or had, one of them, the row is made again.
    private mutating func withdrawFarRows() {
        for slot in ledger.allSlots where ledger[slot].state == .armed {
            let open = ledger[slot]
            guard open.execution.trigger == .schedule, !open.hasBegun, open.execution.scheduledTime > furthestRow else {
                continue
            }
            pending.withdrawals.append(open.execution.id)
            leave(slot)
        }
    }

    /// Ends leading: all that is in memory belongs to the next leader now.
    mutating func stepDown(_ why: String, at now: Now, into actions: inout [Action]) {
        guard lease.epoch != nil else { return }
        actions.append(.note(.leadershipLost(why)))
        let unknown = ClientError(
            .unavailable,
            "the leading scheduler changed while this request was on its way; whether it was done is not known",
            reason: .outcomeUnknown
        )
        for cancel in pendingCancels { actions.append(.reply(cancel.ticket, .refused(unknown))) }
        pendingCancels = []
        lookups = []
        stallEnd = nil
        isClaimQueryDue = false
        starvedSince = nil
        let batches = [inFlight?.batch, pending].compactMap { $0 } + parts
        for batch in batches {
            for change in batch.changes {
                // Who waits for an execution's end is told below.
                guard let ticket = change.ticket, change.result != nil else { continue }
                actions.append(.reply(ticket, .refused(unknown)))
            }
            for update in batch.updates {
                if let ticket = update.ticket { actions.append(.reply(ticket, .refused(unknown))) }
            }
        }
        for ticket in changes.takeTickets() { actions.append(.reply(ticket, .refused(.notLeading))) }
        changes = ChangeQueue()
        for slot in ledger.allSlots {
            if let ticket = ledger[slot].waiter { actions.append(.reply(ticket, .refused(unknown))) }
        }
        for link in roster.workers.keys.sorted() {
            if let leadProof { actions.append(.announceLead(link, leadProof, shards: [])) }
        }
        if case .loading = phase { staleLoads += 1 }
        endGapReading()
        phase = .standby
        forgetRefreshed()
        agenda.removeAll()
        ledger.removeAll()
        ready.removeAll()
        pending = PendingBatch()
        inFlight = nil
        parts = []
        catchUp = nil
        adoptUntil = nil
        early = EarlyReports()
        outgoing = [:]
        acknowledgements = [:]
        roster.forgetAnswers()
    }
}
