/// Invariants that hold between two events.
extension WorkerEngine {
    /// The first violated invariant; `nil` if there is none. The check reads the whole state, so it is for tests only.
    package var inconsistency: String? {
        guard held.isConsistent, timers.isConsistent, settled.isConsistent else {
            return "the engine's table, heap or memory of tokens is inconsistent"
        }
        let calls = held.slots.map { (slot: $0, call: held[$0]) }
        guard slots.count == calls.count, calls.allSatisfy({ slots[$0.call.token] == $0.slot }) else {
            return "the engine's index of calls is wrong"
        }
        var (waiting, running, unacknowledged, timed) = (0, 0, Set<DispatchToken>(), 0)
        for (slot, call) in calls {
            let hasTimer = timers.time(of: slot) != nil
            if hasTimer { timed += 1 }
            let waitsForTime: Bool
            switch call.state {
            case .waiting:
                waiting += 1
                waitsForTime = true
            case .running(let isLong):
                running += 1
                waitsForTime = !isLong
            case .unacknowledged:
                unacknowledged.insert(call.token)
                waitsForTime = false
            }
            guard hasTimer == waitsForTime else { return "\(call.token) has \(hasTimer ? "a" : "no") timer" }
        }
        guard timers.count == timed else { return "a timer has no call" }
        guard (waiting, running, unacknowledged.count) == (waitingCount, runningCount, unacknowledgedCount) else {
            return "the engine counts its calls wrongly"
        }
        guard waiting + running <= configuration.maxWorkers else {
            return "\(waiting + running) calls have a slot; there are \(configuration.maxWorkers) slots"
        }
        if let inconsistency = leaders.inconsistency { return inconsistency }
        guard leaders.leading.allSatisfy({ links[$0] != nil }) else { return "a closed connection leads" }
        let unsent = Set(unreported)
        for (_, call) in calls where unacknowledged.contains(call.token) && !unsent.contains(call.token) {
            guard leaders.leader(of: call.shard) != nil else { continue }
            let isWithLeader = call.reportedTo.map { leaders.leads($0, call.shard) } ?? false
            guard isWithLeader else { return "\(call.token) was not reported to the leader of its shard" }
        }
        let offered = leaders.leading.reduce(0) { $0 + (links[$1]?.offered ?? 0) }
        guard isDraining || offered <= configuration.maxWorkers else {
            return "\(offered) slots are offered; there are \(configuration.maxWorkers)"
        }
        let isOverdue = links.values.contains { $0.received > $0.granted + UInt64(configuration.maxWorkers) }
        return isOverdue ? "more calls were taken than granted" : nil
    }
}
