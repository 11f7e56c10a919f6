/// The next wake-up, the work of a tick, and the bookkeeping of executions.
extension Dispatcher {
    /// When `tick` must be called next if no event arrives before.
    package func wake(after now: Now) -> BootTime? {
        var wake = leadership.lease.wake(after: now.boot)
        func consider(_ time: BootTime?) {
            guard let time else { return }
            wake = min(wake ?? time, time)
        }
        guard case .leading = leadership.phase else { return wake }
        consider(recovery?.until)
        consider(pool.roster.wake)
        consider(executionTable.firstDeadline)
        consider(changes.cancels.map(\.until).min())
        consider(unansweredWake)
        // Without the lease only its renewal matters: due executions wait for that answer.
        guard leadership.lease.isValid(at: now.boot) else { return wake }
        if leadership.clock.isSet {
            consider(executionTable.firstTimer.map { leadership.clock.boot(at: $0) })
            if !leadership.isStopping, !materializer.isMaterializationHeld, !isBatchStalled,
                log.pending.rowCount < batchLimit
            {
                consider(jobTable.firstTime.map { leadership.clock.boot(at: $0 - horizonMs) })
            }
        }
        if log.inFlight == nil {
            consider(log.marksWrittenAt + marksIntervalMs)
            if !log.pending.isEmpty { consider(log.committedAt + Int64(configuration.recordDelayMs)) }
        }
        return wake
    }

    /// How many rows a batch may contain before further rows wait for the next batch.
    var batchLimit: Int { 5_000 }

    /// How often the marks in `shards` advance while nothing else is written.
    var marksIntervalMs: Int64 { 5_000 }

    /// How far ahead rows are inserted: further with many active jobs, so that the rows of a burst are durable in time.
    var horizonMs: Int64 {
        jobTable.activeCount > 5_000 ? max(2_000, Int64(configuration.horizonMs)) : Int64(configuration.horizonMs)
    }

    /// Does all due work, in the order of an execution's life.
    mutating func tick(
        at now: Now,
        using random: inout some RandomNumberGenerator,
        into actions: inout [Action]
    ) {
        if case .leading = leadership.phase {
            endPartings(at: now, into: &actions)
            endOverdueCalls(into: &actions)
            answerLateCancels(into: &actions)
            answerLateChanges(into: &actions)
            assumeAnswers(into: &actions)
            takeBufferedReports(using: &random, into: &actions)
            endAdoption(at: now)
            jobTable.forgetDeletions(at: now.boot)
            if leadership.lease.isValid(at: now.boot) {
                endStall(into: &actions)
                if !leadership.isStopping {
                    takeRefreshed(into: &actions)
                    materialize(into: &actions)
                    continueCatchUp(into: &actions)
                }
                collectDue(at: now)
                dispatchReady()
                queryClaims(into: &actions)
                recordWorkers()
                writeMarks(at: now)
                commit(at: now, into: &actions)
            }
            flush(at: now, into: &actions)
            handOverIfUseless(at: now, into: &actions)
            stopIfDone(into: &actions)
        } else if leadership.isStopping {
            stopIfDone(into: &actions)
        }
        guard !leadership.isStopping || leadership.lease.epoch != nil else { return }
        switch leadership.lease.next(at: now.boot) {
        case .acquire:
            actions.append(.acquireLease(above: leadership.epochFloor, usableWorkers: usableWorkers(at: now.boot)))
        case .renew(let epoch): actions.append(.renewLease(epoch: epoch))
        case .release, nil: break
        }
    }

    /// Stops when the started work is durable: nothing more is dispatched, and no batch is in flight.
    private mutating func stopIfDone(into actions: inout [Action]) {
        guard leadership.isStopping, !leadership.hasStopped else { return }
        if case .leading = leadership.phase, !log.isEmpty, leadership.lease.epoch != nil { return }
        leadership.hasStopped = true
        for link in pool.roster.workers.keys.sorted() {
            if let leadProof = leadership.leadProof { actions.append(.announceLead(link, leadProof, shards: [])) }
        }
        if case .release(let epoch) = leadership.lease.release() {
            actions.append(.releaseLease(epoch: epoch))
        }
        leadership.phase = .standby
        actions.append(.stopped)
    }

    /// Sends the messages collected in this turn: one message per worker.
    private mutating func flush(at now: Now, into actions: inout [Action]) {
        for (link, calls) in pool.outgoing.sorted(by: { $0.key < $1.key }) where !calls.isEmpty {
            actions.append(.dispatch(link, clusterTime: self.now, calls))
        }
        pool.outgoing.removeAll(keepingCapacity: true)
        for (link, outcomes) in pool.acknowledgements.sorted(by: { $0.key < $1.key }) where !outcomes.isEmpty {
            actions.append(.acknowledge(link, outcomes))
        }
        pool.acknowledgements.removeAll(keepingCapacity: true)
    }

    /// Changes the state of an execution, and updates the job's count of open executions.
    mutating func move(_ slot: Int32, to state: OpenExecution.State) {
        if case .dispatched = executionTable[slot].state { executionTable.clearDeadline(slot) }
        if case .ready = executionTable[slot].state { executionTable.clearTimer(slot) }
        executionTable.setState(slot, state)
        let (wasCounted, isOpen) = (executionTable[slot].countsAsOpen, executionTable[slot].isOpen)
        guard wasCounted != isOpen else { return }
        executionTable[slot].countsAsOpen = isOpen
        jobTable.countOpen(executionTable[slot].job, by: isOpen ? 1 : -1)
    }

    /// Adds an execution to the execution table.
    @discardableResult
    mutating func enter(_ open: OpenExecution) -> Int32 {
        var open = open
        open.countsAsOpen = open.isOpen
        jobTable.countExecution(open.job, by: 1)
        if open.countsAsOpen { jobTable.countOpen(open.job, by: 1) }
        return executionTable.insert(open)
    }

    /// Removes an execution from the execution table, and its job if no execution needs it any more.
    @discardableResult
    mutating func leave(_ slot: Int32) -> OpenExecution {
        let open = takeOut(slot)
        forgetJobIfIdle(open.job)
        return open
    }

    /// Removes an execution whose job is still needed.
    @discardableResult
    mutating func takeOut(_ slot: Int32) -> OpenExecution {
        let open = executionTable.remove(slot)
        if open.countsAsOpen { jobTable.countOpen(open.job, by: -1) }
        jobTable.countExecution(open.job, by: -1)
        return open
    }

    /// Removes a deleted or ad-hoc job from memory when no execution needs it.
    mutating func forgetJobIfIdle(_ job: Int32) {
        guard jobTable[job].deleted || jobTable[job].isAdHoc, jobTable[job].executionCount == 0 else { return }
        backlog.catchUp?.disarm(job)
        if jobTable[job].deleted { jobTable.removeDeleted(job, at: now) } else { jobTable.remove(job) }
    }
}
