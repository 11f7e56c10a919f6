/// Rows ahead of their due times, and the catch-up after an outage.
extension Dispatcher {
    /// Inserts the rows of all due times within the horizon.
    mutating func materialize(into actions: inout [Action]) {
        guard !isBatchStalled else { return }
        let until = now + horizonMs
        let (isAdmitted, isNewlyHeld) = materializer.admits(
            executionTable.count,
            limit: configuration.maxOpenExecutions
        )
        if isNewlyHeld { actions.append(.log(.materializationHeld(openExecutions: executionTable.count))) }
        guard isAdmitted else { return }
        // Far behind after a hold or a long stall: treat the missed times as an outage, to limit the load.
        if materializer.materializedThrough < now - outageMs, let first = jobTable.firstTime, first < now - outageMs {
            openOutage(into: &actions)
        }
        while let (time, slot) = jobTable.first, time <= until {
            guard log.pending.rowCount < batchLimit, executionTable.count < configuration.maxOpenExecutions else {
                return
            }
            if let row = make(slot, at: time) { log.pending.add(insert: row) }
            jobTable.arm(slot, after: time)
            let isLastOfInstant = jobTable.firstTime.map { $0 > time } ?? true
            if isLastOfInstant, time > materializer.materializedThrough {
                materializer.materializedThrough = time
                log.pending.materializedThrough = InjectedFault.marksWhatHasNoRow.isActive ? time + 3_000 : time
            }
        }
    }

    /// Adds an occurrence to the execution table. Returns its row; `nil` if the occurrence already exists.
    mutating func make(_ job: Int32, at time: Timestamp, isCatchUp: Bool = false) -> Execution? {
        let execution = occurrence(of: jobTable[job].id, at: time)
        guard executionTable.slot(of: execution.id) == nil else { return nil }
        var open = OpenExecution(execution: execution, job: job, state: .inserting)
        open.isCatchUp = isCatchUp
        enter(open)
        return execution
    }

    func occurrence(of job: JobID, at time: Timestamp, trigger: Trigger = .schedule, nonce: [UInt8] = []) -> Execution {
        Execution(
            id: ExecutionID(job: job, scheduledTime: time, trigger: trigger, nonce: nonce),
            jobID: job,
            trigger: trigger,
            scheduledTime: time,
            status: .pending,
            createdAt: now
        )
    }

    /// Opens an outage from materializedThrough to now.
    mutating func openOutage(into actions: inout [Action]) {
        guard materializer.materializedThrough < now else { return }
        let outage = Outage(from: materializer.materializedThrough, to: now)
        var covered: [JobID: [OutageRow]] = [:]
        for slot in jobTable.allSlots where !jobTable[slot].isHeld {
            let record = jobTable[slot]
            // Some rows of a partially materialized instant exist.
            let next = jobTable.nextTime(of: slot) ?? .distantFuture
            var time = outage.from
            while let made = record.next(after: time), made < next, made <= now {
                covered[record.id, default: []].append(OutageRow(jobID: record.id, from: made, to: made))
                time = made
            }
            jobTable.arm(slot, after: now)
        }
        materializer.materializedThrough = now
        log.pending.materializedThrough = now
        openOutage(outage, covered: covered, into: &actions)
        if backlog.catchUp != nil { awaitOutageScan(of: outage) }
    }

    /// Adds the due times of an outage to the catch-up, after those of an earlier outage.
    mutating func openOutage(_ outage: Outage, covered: [JobID: [OutageRow]], into actions: inout [Action]) {
        if backlog.catchUp != nil {
            backlog.catchUp!.extend(by: outage)
            for (job, rows) in covered { backlog.catchUp!.cover(job, rows) }
        } else {
            backlog.catchUp = CatchUp(outage: outage, covered: covered)
        }
        for slot in jobTable.allSlots where !(backlog.catchUp?.isArmed(slot) ?? true) {
            let record = jobTable[slot]
            if record.isScheduled, !record.isHeld { backlog.catchUp?.arm(slot, record, after: outage.from) }
        }
        changes.noteMissedTimes()
        guard let open = backlog.catchUp else { return }
        if open.isEmpty, !changes.hasMissedTimes {
            backlog.catchUp = nil
            log.pending.outage = .some(nil)
        } else {
            log.pending.outage = .some(open.outage)
            actions.append(.log(.outageOpened(open.outage)))
        }
    }

    /// Continues the catch-up besides the live work, with at most a tenth of the current capacity.
    mutating func continueCatchUp(into actions: inout [Action]) {
        guard backlog.catchUp != nil, backlog.outageScan == nil else { return }
        let limit = InjectedFault.runsAllThatWasMissedAtOnce.isActive ? 1_000 : max(1, pool.roster.capacity / 10)
        var steps = 0
        var times = 0
        while executionTable.catchUpCount < limit, steps < 1_000, times < timesPerTurn,
            log.pending.rowCount < batchLimit,
            executionTable.count < configuration.maxOpenExecutions, let (time, slot) = backlog.catchUp?.first
        {
            steps += 1
            for row in account(slot, at: time, counting: &times) { log.pending.add(insert: row) }
        }
        // A change may have removed the last job from the catch-up.
        guard steps > 0 || backlog.catchUp?.isEmpty == true, !changes.hasMissedTimes else { return }
        if let outage = backlog.catchUp?.progress() {
            log.pending.outage = .some(outage)
        } else {
            backlog.catchUp = nil
            log.pending.outage = .some(nil)
            actions.append(.log(.outageClosed))
        }
    }

    /// The rows of all due times of a job that have none yet. The old schedule ends here, so they must be inserted now.
    mutating func accountDue(of job: Int32, into actions: inout [Action]) -> [Execution] {
        if let next = jobTable.nextTime(of: job), next < now - outageMs { openOutage(into: &actions) }
        var rows: [Execution] = []
        var times = 0
        // After the clock stepped back, an outage may end in the future. That part belongs to the new definition.
        while let time = backlog.catchUp?.time(of: job), time <= now {
            rows += account(job, at: time, through: now, mayRun: rows.count < 1_000, counting: &times)
        }
        while let time = jobTable.nextTime(of: job), time <= now {
            if let row = make(job, at: time) { rows.append(row) }
            jobTable.arm(job, after: time)
        }
        return rows
    }

    /// The rows of a job's due times in (from, to] that a refused change had held back. All of them are inserted,
    /// whatever the catch-up policy. Some times may have rows from before the change, so no SKIPPED row covers several
    /// times.
    mutating func insertMissed(_ job: Int32, after from: Timestamp, through to: Timestamp) -> [Execution] {
        let record = jobTable[job]
        var rows: [Execution] = []
        var time = from
        while let next = record.next(after: time), next <= to {
            time = next
            if let row = make(job, at: next) { rows.append(row) }
        }
        return rows
    }

    /// A leader that is further behind than this has missed due times.
    var outageMs: Int64 { 5_000 }

    /// Inserts the row of a missed time and, depending on the job's policy, one row for the following times that are
    /// too old to run (G8).
    private mutating func account(
        _ slot: Int32,
        at time: Timestamp,
        through limit: Timestamp = .distantFuture,
        mayRun: Bool = true,
        counting times: inout Int
    ) -> [Execution] {
        guard let outage = backlog.catchUp?.outage else { return [] }
        let record = jobTable[slot]
        // After the clock stepped back and forward the time already has a row that is being processed.
        guard !isOpen(record, at: time) else {
            backlog.catchUp?.arm(slot, record, after: time)
            return []
        }
        let isGreedy = InjectedFault.runsAllThatWasMissed.isActive && record.catchUpPolicy == .latest
        let policy: CatchUpPolicy = isGreedy ? .all : mayRun ? record.catchUpPolicy : .none
        let oldest =
            mayRun && !InjectedFault.ignoresTheCatchUpWindow.isActive
            ? outage.to - Int64(record.catchUpWindowMs) : outage.to + 1
        guard time < oldest, policy != .all else {
            backlog.catchUp?.arm(slot, record, after: time)
            return make(slot, at: time, isCatchUp: true).map { [$0] } ?? []
        }
        var rows: [Execution] = []
        var last = time
        var beforeLast: Timestamp?
        var count: Int64 = 1
        // A long outage is processed in slices, so that no turn takes long. A change processes the whole outage at
        // once.
        while count < 100_000, let next = backlog.catchUp?.next(after: last, of: record), next < oldest, next <= limit,
            !isOpen(record, at: next)
        {
            beforeLast = last
            last = next
            count += 1
        }
        times += Int(count)
        let isWhole = backlog.catchUp?.next(after: last, of: record).map { $0 >= oldest || $0 > limit } ?? true
        if policy == .latest, isWhole {
            if let beforeLast { rows.append(skipped(slot, from: time, to: beforeLast, count: count - 1)) }
            if let row = make(slot, at: last, isCatchUp: true) { rows.append(row) }
        } else {
            rows.append(skipped(slot, from: time, to: last, count: count))
        }
        backlog.catchUp?.arm(slot, record, after: last)
        return rows
    }

    /// After this many missed times a turn processes no further job.
    private var timesPerTurn: Int { 10_000 }

    private func isOpen(_ record: JobRecord, at time: Timestamp) -> Bool {
        record.executionCount > 0 && executionTable.holds(time, of: record.id)
    }

    /// One SKIPPED row for due times that are not run.
    private func skipped(_ job: Int32, from: Timestamp, to: Timestamp, count: Int64) -> Execution {
        var execution = occurrence(of: jobTable[job].id, at: to)
        execution.status = .skipped
        execution.reason = .catchUp
        execution.finishedAt = now
        execution.skippedCount = count
        execution.skippedFrom = from
        return execution
    }

    /// The lower bound of the scheduled times of open executions. Rows still to be inserted are after
    /// materializedThrough.
    var settledMark: Timestamp {
        var settled = min(materializer.materializedThrough, now)
        if InjectedFault.settlesWhatIsOpen.isActive { return settled }
        if let outage = backlog.catchUp?.outage { settled = min(settled, outage.from) }
        if let restart = changes.earliestRestart { settled = min(settled, restart) }
        if let abandonedTime = materializer.abandonedTime { settled = min(settled, abandonedTime) }
        if let earliest = executionTable.earliestTime { settled = min(settled, earliest) }
        return settled
    }

    /// Advances the marks from time to time, so that a take-over has little to read.
    mutating func writeMarks(at now: Now) {
        guard log.inFlight == nil, now.boot >= log.marksWrittenAt + marksIntervalMs else { return }
        log.marksWrittenAt = now.boot
        log.pending.settledThrough = settledMark
        // There was no due time in between, so nothing was missed until now.
        if !materializer.isMaterializationHeld, jobTable.firstTime.map({ $0 > self.now }) ?? true,
            self.now > materializer.materializedThrough
        {
            materializer.materializedThrough = self.now
        }
        if log.pending.materializedThrough == nil, !log.pending.inserts.isEmpty || log.inFlight == nil {
            log.pending.materializedThrough = materializer.materializedThrough
        }
    }
}
