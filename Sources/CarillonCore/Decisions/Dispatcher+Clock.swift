/// Samples of the database's clock, and the effects of its steps.
extension Dispatcher {
    /// Applies a reading of the database's clock. While leading, a step forward is an outage and a step back withdraws
    /// rows.
    mutating func sampleClock(
        _ databaseTime: Timestamp,
        sentAt: BootTime,
        at now: Now,
        into actions: inout [Action]
    ) {
        guard case .stepped(let milliseconds) = leadership.clock.sample(databaseTime, sent: sentAt, received: now.boot)
        else {
            // Who does not lead has decided nothing that time may not go back behind: after a silence its clock may have been
            // ahead by a quartz's drift, and a call must not be early by that.
            if case .standby = leadership.phase {
                leadership.stepClock(at: now.boot)
            } else {
                leadership.advance(to: now.boot)
            }
            return
        }
        leadership.stepClock(at: now.boot)
        actions.append(.log(.clockStepped(milliseconds: milliseconds)))
        if milliseconds < 0 { actions.append(.extendEditSearch(backMs: -milliseconds)) }
        guard case .leading = leadership.phase else { return }
        if milliseconds > 5_000 {
            openOutage(into: &actions)
        } else if milliseconds < 0 {
            stepBack(milliseconds: -milliseconds)
        }
    }

    /// The clock stepped back: rows that lie in the future again are withdrawn and inserted again at their time.
    /// Executions that have run keep their rows, so they never run twice.
    private mutating func stepBack(milliseconds: Int64) {
        let now = self.now
        var withdrawn: Set<ExecutionID> = []
        var withdrawnJobs: Set<JobID> = []
        for slot in executionTable.allSlots {
            let open = executionTable[slot]
            switch open.state {
            case .retrying, .outcomePending:
                // These executions wait for a duration, not for a date.
                if let time = executionTable.timer(of: slot) { executionTable.setTimer(slot, to: time - milliseconds) }
                if let next = open.execution.nextAttemptAt {
                    executionTable[slot].execution.nextAttemptAt = next - milliseconds
                }
            case .armed where open.execution.trigger == .manual:
                executionTable.setTimer(slot, to: min(now, open.execution.scheduledTime))
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
        log.dropInserts { withdrawn.contains($0.id) }
        log.pending.withdrawals.append(contentsOf: withdrawn.sorted())
        changes.clockWentBack(to: now)
        log.clockWentBack(to: now)
        defer { log.pending.settledThrough = settledMark }
        // After a long stall the mark may still be behind `now`; the times in between are due. A refused change may
        // have inserted rows beyond the mark.
        guard materializer.materializedThrough > now else {
            for slot in withdrawnJobs.compactMap({ jobTable.slot(of: $0) }) { jobTable.arm(slot, after: now) }
            return
        }
        materializer.materializedThrough = now
        log.markWentBack(to: now)
        for slot in jobTable.allSlots { jobTable.arm(slot, after: now) }
        guard backlog.catchUp != nil else { return }
        truncateOutageScan(to: now)
        backlog.catchUp?.truncate(to: now)
        for slot in jobTable.allSlots {
            if let time = backlog.catchUp?.time(of: slot), time > now { backlog.catchUp?.disarm(slot) }
        }
    }
}
