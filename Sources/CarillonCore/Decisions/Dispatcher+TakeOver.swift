/// Standby, take-over, and the end of leading.
extension Dispatcher {
    mutating func leaseAnswered(
        _ result: LeaseResult,
        sentAt: BootTime,
        at now: Now,
        into actions: inout [Action]
    ) {
        // The request was sent before the lease was lost. A newer request is in flight or follows.
        guard leadership.lease.awaitsAnswer(to: sentAt) else { return }
        switch result {
        case .heldByOther(_, let databaseTime):
            sampleClock(databaseTime, sentAt: sentAt, at: now, into: &actions)
            stepDown("another scheduler holds the lease", at: now, into: &actions)
            leadership.lease.lost(at: now.boot)
        case .held(let epoch, let shards, let databaseTime, let standby):
            leadership.standby = standby.map { (owner: $0, at: now.boot) }
            let isNew = leadership.lease.epoch == nil
            leadership.lease.held(epoch: epoch, at: now.boot)
            sampleClock(databaseTime, sentAt: sentAt, at: now, into: &actions)
            guard isNew, leadership.lease.epoch == epoch else { return }
            // A batch names owner and epoch: this process must not lead twice under one number.
            leadership.epochFloor = max(leadership.epochFloor, epoch)
            takeKey(from: shards, epoch: epoch)
            actions.append(.log(.leadershipTaken(epoch: epoch, clusterTime: self.now)))
            actions.append(.beginEditSearch(self.now))
            leadership.phase = .loading(Leadership.Loading(shards: shards))
            jobTable.removeAll()
            actions.append(.loadJobs)
        }
    }

    /// Derives the cluster's key and the proof of the new epoch.
    private mutating func takeKey(from shards: [ShardRecord], epoch: Int64) {
        leadership.clusterKey = ClusterKey(secret: shards.lazy.compactMap(\.clusterSecret).first ?? [])
        let incarnation = shards.first?.incarnation ?? 0
        leadership.leadProof = LeadProof(
            epoch: epoch,
            incarnation: incarnation,
            proof: leadership.clusterKey.proof(epoch: epoch, incarnation: incarnation)
        )
        let key = leadership.clusterKey
        pool.roster.setKeys { key.workerKey(name: $0.name, bootID: $0.bootID) }
    }

    mutating func jobsLoaded(
        _ jobs: [PlannedJob],
        isLast: Bool,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard !leadership.isStale(isLast), case .loading(var loading) = leadership.phase else { return }
        for job in jobs { jobTable.put(JobRecord(job)) }
        guard isLast else { return }
        if case .jobs = loading.step {
            loading.step = .openExecutions
            leadership.phase = .loading(loading)
            actions.append(.loadOpenExecutions(since: settledThrough(of: loading.shards)))
        } else {
            loadOutageRows(loading, at: now, into: &actions)
        }
    }

    mutating func openExecutionsLoaded(
        _ executions: [Execution],
        isLast: Bool,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard !leadership.isStale(isLast), case .loading(var loading) = leadership.phase else { return }
        loading.executions.append(contentsOf: executions)
        leadership.phase = .loading(loading)
        guard isLast else { return }
        let missing = Set(loading.executions.map(\.jobID)).filter { jobTable.slot(of: $0) == nil }
        if missing.isEmpty {
            loadOutageRows(loading, at: now, into: &actions)
        } else {
            loading.step = .jobsNamed(missing.sorted())
            leadership.phase = .loading(loading)
            actions.append(.loadJobsNamed(missing.sorted()))
        }
    }

    private mutating func loadOutageRows(_ loading: Leadership.Loading, at now: Now, into actions: inout [Action]) {
        var loading = loading
        // Rows are inserted in order of time, and the marks of all shards move together, so the earliest mark is
        // correct.
        let marks = loading.shards.map { $0.materializedThrough ?? self.now }
        let noted = loading.shards.compactMap(\.outage)
        let from = min(marks.min() ?? self.now, noted.map(\.from).min() ?? .distantFuture)
        guard from < self.now else {
            lead(loading, at: now, into: &actions)
            return
        }
        let outage = Outage(from: from, to: max(self.now, marks.max() ?? self.now))
        loading.outage = outage
        loading.step = .outageRows(outage)
        leadership.phase = .loading(loading)
        actions.append(.loadOutageRows(outage))
    }

    mutating func outageRowsLoaded(
        _ rows: [OutageRow],
        isLast: Bool,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard !leadership.isStale(isLast) else { return }
        if case .leading = leadership.phase { outageRowsRead(rows, isLast: isLast) }
        guard case .loading(var loading) = leadership.phase else { return }
        for row in rows { loading.outageRows[row.jobID, default: []].append(row) }
        leadership.phase = .loading(loading)
        if isLast { lead(loading, at: now, into: &actions) }
    }

    mutating func loadFailed(_ text: String, into actions: inout [Action]) {
        if case .leading = leadership.phase { outageScanFailed(text, into: &actions) }
        guard case .loading(var loading) = leadership.phase else { return }
        actions.append(.log(.loadFailed(text)))
        switch loading.step {
        case .jobs:
            jobTable.removeAll()
            actions.append(.loadJobs)
        case .openExecutions:
            loading.executions = []
            actions.append(.loadOpenExecutions(since: settledThrough(of: loading.shards)))
        case .jobsNamed(let ids):
            actions.append(.loadJobsNamed(ids))
        case .outageRows(let outage):
            loading.outageRows = [:]
            actions.append(.loadOutageRows(outage))
        }
        leadership.phase = .loading(loading)
    }

    private func settledThrough(of shards: [ShardRecord]) -> Timestamp {
        let marks = shards.map { $0.settledThrough ?? Timestamp(milliseconds: 0) }
        return marks.min() ?? Timestamp(milliseconds: 0)
    }

    /// Starts to lead: jobs, executions and outage rows are loaded.
    private mutating func lead(_ loading: Leadership.Loading, at now: Now, into actions: inout [Action]) {
        guard let epoch = leadership.lease.epoch else { return }
        leadership.phase = .leading
        let mark = loading.shards.compactMap(\.materializedThrough).max() ?? self.now
        // A mark far ahead of now was set before the clock stepped back.
        let isAhead = mark - self.now > 2 * max(horizonMs, 2_000)
        // A stored outage that was not read lies in the future, because the clock stepped back: its times are not
        // missed yet.
        let isOutageAhead = loading.outage == nil && loading.shards.contains { $0.outage != nil }
        materializer.begin(at: isAhead || isOutageAhead ? self.now : max(self.now, mark))
        log.begin(at: materializer.materializedThrough, boot: now.boot)
        log.pending.materializedThrough = materializer.materializedThrough
        if isOutageAhead { log.pending.outage = .some(nil) }
        pool.begin()

        for slot in jobTable.allSlots { jobTable.arm(slot, after: materializer.materializedThrough) }
        for execution in loading.executions { recover(execution) }
        if let outage = loading.outage, !InjectedFault.forgetsTheOutage.isActive {
            // The outage ends where its read began. Times that became due during the read are missed too.
            openOutage(
                Outage(from: outage.from, to: materializer.materializedThrough),
                covered: loading.outageRows,
                into: &actions
            )
            // Rows beyond this mark date from before the clock step. They are withdrawn, or read again if their times
            // are missed.
            backlog.catchUp?.truncate(to: materializer.materializedThrough)
        }
        // The previous leader's clock may have been ahead: new executions must not lie before its mark.
        log.pending.settledThrough = settledMark
        leadership.workerlessSince = nil
        let names = loading.shards.compactMap(\.workers)
        recovery = Recovery(at: now.boot, workers: names.isEmpty ? nil : names.flatMap { $0 })
        pool.roster.restoreRecorded(names.flatMap { $0 })
        for link in pool.roster.workers.keys.sorted() { announceLead(to: link, into: &actions) }
        actions.append(.log(.leading(epoch: epoch, jobs: jobTable.visibleCount, openExecutions: executionTable.count)))
    }

    /// Takes over an open execution of the previous leader.
    private mutating func recover(_ row: Execution) {
        guard let job = jobTable.slot(of: row.jobID), executionTable.slot(of: row.id) == nil else { return }
        var execution = row
        // The row counts the running attempt already; in memory it counts when it ends.
        if row.status == .running { execution.attempts = max(0, row.attempts - 1) }
        // A time written before the clock stepped back could be too far ahead: limit it to the longest retry delay.
        // After a change of the job the retry may come earlier than planned.
        if let next = row.nextAttemptAt {
            // The first attempt started before the delay did.
            let sinceStart = row.actualStartTime.map { max(0, next - $0) } ?? .max
            let longest = min(longestRetryDelayMs(of: jobTable[job], after: row), sinceStart)
            execution.nextAttemptAt = min(next, now + longest)
        }
        var open = OpenExecution(execution: execution, job: job, state: .recovered)
        open.rowStatus = row.status
        open.isAdoptable = true
        // The row of an unclaimed call is RUNNING only after its worker reported the start.
        open.hasStarted = execution.status == .running && !execution.isClaimed
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
        case .armed: executionTable.setTimer(slot, to: row.scheduledTime)
        case .retrying: executionTable.setTimer(slot, to: execution.nextAttemptAt ?? now)
        default: break
        }
    }

    /// Ends the wait for workers. Executions that no worker reported are dispatched again; an AT_MOST_ONCE call waits for
    /// its outcome.
    mutating func endAdoption(at now: Now) {
        guard let waiting = recovery, waiting.isOver(at: now.boot, pool.roster) else { return }
        recovery = nil
        pool.roster.forgetPendingReports()
        for slot in executionTable.allSlots where executionTable[slot].state == .recovered {
            let open = executionTable[slot]
            if open.rowStatus == .running, !InjectedFault.refiresClaimsOnTakeOver.isActive {
                lose(slot)
            } else {
                makeReady(slot)
            }
        }
        withdrawFarRows()
        // Some rows of a partially materialized instant lie beyond the mark. Arm their jobs after these rows, so that
        // an outage that starts at the mark does not count their times as missed.
        for job in Set(executionTable.allSlots.map { executionTable[$0].job }).sorted() {
            if let next = jobTable.nextTime(of: job) { armSchedule(of: job, after: next - 1) }
        }
    }

    /// The latest scheduled time of any row after a take-over. Rows can lie beyond materializedThrough: those of a
    /// partially materialized instant, and those of a previous leader with a longer horizon.
    var furthestRow: Timestamp { max(materializer.materializedThrough, now + max(horizonMs, 2_000)) }

    /// Withdraws rows inserted before the clock stepped back, because their times come again. A row is recreated if a
    /// worker reports a call of it later.
    private mutating func withdrawFarRows() {
        for slot in executionTable.allSlots where executionTable[slot].state == .armed {
            let open = executionTable[slot]
            guard open.execution.trigger == .schedule, !open.hasBegun, open.execution.scheduledTime > furthestRow else {
                continue
            }
            withdraw(slot)
        }
    }

    /// Withdraws a row. A row whose time comes again is inserted again then: a change of the job that was dropped or applied
    /// while the row existed has armed the job past that time.
    mutating func withdraw(_ slot: Int32) {
        let open = takeOut(slot)
        log.pending.withdrawals.append(open.execution.id)
        let time = open.execution.scheduledTime
        if time > furthestRow, jobTable.nextTime(of: open.job).map({ $0 > time }) ?? true {
            jobTable.arm(open.job, after: time - 1)
        }
        forgetJobIfIdle(open.job)
    }

    /// Stops leading and discards all state that belongs to the next leader.
    mutating func stepDown(_ why: String, at now: Now, into actions: inout [Action]) {
        guard leadership.lease.epoch != nil else { return }
        actions.append(.log(.leadershipLost(why)))
        let unknown = ClientError(
            .unavailable,
            "the leader changed during this request, so its outcome is unknown; read the object before repeating it",
            reason: .outcomeUnknown
        )
        for cancel in changes.cancels { actions.append(.reply(cancel.requestID, .refused(unknown))) }
        let batches = [log.inFlight?.batch, log.pending].compactMap { $0 } + log.parts
        for batch in batches {
            for change in batch.changes {
                // Clients that wait for the end of an execution are answered below.
                guard let requestID = change.requestID, change.result != nil else { continue }
                actions.append(.reply(requestID, .refused(unknown)))
            }
            for update in batch.updates {
                if let requestID = update.requestID { actions.append(.reply(requestID, .refused(unknown))) }
            }
        }
        for requestID in changes.takeRequestIDs() { actions.append(.reply(requestID, .refused(.notLeading))) }
        changes = ChangeQueue()
        for slot in executionTable.allSlots {
            if let requestID = executionTable[slot].waiter { actions.append(.reply(requestID, .refused(unknown))) }
        }
        for link in pool.roster.workers.keys.sorted() {
            if let leadProof = leadership.leadProof { actions.append(.announceLead(link, leadProof, shards: [])) }
        }
        if case .loading = leadership.phase { leadership.staleLoads += 1 }
        endOutageScan()
        leadership.phase = .standby
        jobTable.removeAll()
        executionTable.removeAll()
        log = CommitLog()
        backlog.catchUp = nil
        recovery = nil
        reports = ReportInbox()
        pool.end()
    }
}
