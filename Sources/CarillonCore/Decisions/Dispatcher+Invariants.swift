/// Invariants that hold between two events. The simulation checks them after every turn, so that an error is found
/// where it occurs.
extension Dispatcher {
    /// The first violated invariant; `nil` if there is none. The check reads the whole state, so it is for tests only.
    package var inconsistency: String? {
        if let found = jobTable.inconsistency ?? executionTable.inconsistency ?? readyInconsistency { return found }
        if let found = startTimerInconsistency ?? countsInconsistency ?? rosterInconsistency { return found }
        if let found = log.inconsistency(of: openExecutions.map(\.open)) ?? changesInconsistency { return found }
        return backlog.inconsistency(in: jobTable) ?? leadership.inconsistency ?? standbyInconsistency
    }

    private var openExecutions: [(slot: Int32, open: OpenExecution)] {
        executionTable.allSlots.map { ($0, executionTable[$0]) }
    }

    /// A ready execution outside of the ready queue would wait forever.
    private var readyInconsistency: String? {
        guard pool.ready.isConsistent else { return "the ready queue's heap is inconsistent" }
        let inLine = Set(pool.ready.entries.map(\.id))
        let forgotten = openExecutions.first { slot, open in
            guard open.state == .ready, !inLine.contains(open.execution.id) else { return false }
            return !(changes[open.execution.jobID]?.setAside.contains { $0.slot == slot } ?? false)
        }
        return forgotten.map { "\($0.open.execution.id) is ready, but not in the ready queue" }
    }

    /// A job with wrong execution counts would overlap itself or never run again.
    private var countsInconsistency: String? {
        var counts: [Int32: (all: Int32, open: Int32)] = [:]
        for (_, open) in openExecutions {
            counts[open.job, default: (0, 0)].all += 1
            if open.isOpen { counts[open.job, default: (0, 0)].open += 1 }
        }
        for job in jobTable.allSlots {
            let (record, count) = (jobTable[job], counts.removeValue(forKey: job) ?? (0, 0))
            guard record.executionCount == count.all, record.openCount == count.open else {
                return
                    "\(record.id) counts \(record.executionCount) executions, \(record.openCount) open; there are \(count)"
            }
        }
        return counts.isEmpty ? nil : "some executions have no job"
    }

    /// A worker with wrong call counts would get too many calls or none.
    private var rosterInconsistency: String? {
        guard case .leading = leadership.phase else { return nil }
        var counts: [ConnectionID: (inFlight: Int, unacknowledged: Int, reserved: Int)] = [:]
        for (_, open) in openExecutions {
            switch open.state {
            case .dispatched(let link):
                guard pool.roster[link] != nil else { return "\(open.execution.id) is with a disconnected worker" }
                counts[link, default: (0, 0, 0)].inFlight += 1
                if !open.isAcknowledged { counts[link, default: (0, 0, 0)].unacknowledged += 1 }
            case .claiming(let link):
                counts[link, default: (0, 0, 0)].reserved += 1
            case .disconnected(let name) where pool.roster.disconnected[name] == nil:
                return "\(open.execution.id) waits for worker \(name), which has no reconnect deadline"
            default: break
            }
        }
        for (link, worker) in pool.roster.workers.sorted(by: { $0.key < $1.key }) {
            let count = counts[link] ?? (0, 0, 0)
            guard (worker.inFlight, worker.unacknowledged, worker.reserved) == count else {
                let said = (inFlight: worker.inFlight, unacknowledged: worker.unacknowledged, reserved: worker.reserved)
                return "\(worker.name) counts \(said); there are \(count)"
            }
        }
        return nil
    }

    /// A staged change is in exactly one batch. Its job is held if the change has a new schedule.
    private var changesInconsistency: String? {
        if let text = changes.inconsistency(written: log.batches.flatMap(\.stagedJobs)) { return text }
        for slot in jobTable.allSlots {
            let record = jobTable[slot]
            guard record.isHeld == (changes[record.id]?.restartedAt != nil) else {
                return
                    "\(record.id) is \(record.isHeld ? "held without a staged change" : "not held during a change")"
            }
        }
        return nil
    }

    /// A standby keeps no state of a leader.
    private var standbyInconsistency: String? {
        guard case .standby = leadership.phase, !leadership.hasStopped else { return nil }
        let isEmpty =
            executionTable.count == 0 && jobTable.count == 0 && log.isEmpty
            && changes.isEmpty
        return isEmpty && pool.ready.isEmpty && backlog.catchUp == nil && backlog.outageScan == nil
            ? nil : "a standby has state of a leader"
    }
}
