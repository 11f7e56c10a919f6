/// What holds between two events, whatever has happened. The simulation asks after every turn: a book that is wrong is found
/// where it goes wrong, and not by what comes of it an hour later.
extension Dispatcher {
    /// What contradicts something else; `nil` while all is well. It looks at everything, so it is for tests only.
    package var inconsistency: String? {
        if let found = jobTable.inconsistency ?? executionTable.inconsistency ?? readyInconsistency { return found }
        if let found = startTimerInconsistency ?? countsInconsistency ?? rosterInconsistency { return found }
        if let found = log.inconsistency(of: openExecutions.map(\.open)) ?? changesInconsistency { return found }
        return backlog.inconsistency(in: jobTable) ?? leadership.inconsistency ?? standbyInconsistency
    }

    private var openExecutions: [(slot: Int32, open: OpenExecution)] {
        executionTable.allSlots.map { ($0, executionTable[$0]) }
    }

    /// What is ready and not in line would wait for ever.
    private var readyInconsistency: String? {
        guard pool.ready.isConsistent else { return "the ready queue's heap is broken" }
        let inLine = Set(pool.ready.entries.map(\.id))
        let forgotten = openExecutions.first { slot, open in
            guard open.state == .ready, !inLine.contains(open.execution.id) else { return false }
            return !(changes[open.execution.jobID]?.setAside.contains { $0.slot == slot } ?? false)
        }
        return forgotten.map { "\($0.open.execution.id) is ready, and not in line" }
    }

    /// A job that counts its executions wrongly runs over itself, or never again.
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
        return counts.isEmpty ? nil : "executions have no job"
    }

    /// A worker whose calls are counted wrongly gets too many, or none.
    private var rosterInconsistency: String? {
        guard case .leading = leadership.phase else { return nil }
        var counts: [ConnectionID: (inFlight: Int, unacknowledged: Int, reserved: Int)] = [:]
        for (_, open) in openExecutions {
            switch open.state {
            case .dispatched(let link):
                guard pool.roster[link] != nil else { return "\(open.execution.id) is with a worker that is gone" }
                counts[link, default: (0, 0, 0)].inFlight += 1
                if !open.isAcknowledged { counts[link, default: (0, 0, 0)].unacknowledged += 1 }
            case .claiming(let link):
                counts[link, default: (0, 0, 0)].reserved += 1
            case .disconnected(let name) where pool.roster.disconnected[name] == nil:
                return "\(open.execution.id) waits for \(name), and nobody waits for \(name)"
            default: break
            }
        }
        for (link, worker) in pool.roster.workers.sorted(by: { $0.key < $1.key }) {
            let count = counts[link] ?? (0, 0, 0)
            guard (worker.inFlight, worker.unacknowledged, worker.reserved) == count else {
                let said = (inFlight: worker.inFlight, unacknowledged: worker.unacknowledged, reserved: worker.reserved)
                return "\(worker.name) counts \(said), and there are \(count)"
            }
        }
        return nil
    }

    /// A staged change is in one batch, and its job is held if the change gives it another schedule.
    private var changesInconsistency: String? {
        if let text = changes.inconsistency(written: log.batches.flatMap(\.stagedJobs)) { return text }
        for slot in jobTable.allSlots {
            let record = jobTable[slot]
            guard record.isHeld == (changes[record.id]?.restartedAt != nil) else {
                return
                    "\(record.id) is \(record.isHeld ? "held without a staged change" : "not held, though it is changed")"
            }
        }
        return nil
    }

    /// Who does not lead keeps nothing of what belongs to the leader.
    private var standbyInconsistency: String? {
        guard case .standby = leadership.phase, !leadership.hasStopped else { return nil }
        let isEmpty =
            executionTable.count == 0 && jobTable.count == 0 && log.isEmpty
            && changes.isEmpty
        return isEmpty && pool.ready.isEmpty && backlog.catchUp == nil && backlog.outageScan == nil
            ? nil : "a standby keeps a leader's books"
    }
}
