/// What holds between two events, whatever has happened (see the dispatcher's).
extension WorkerEngine {
    /// What contradicts something else; `nil` while all is well. It looks at everything, so it is for tests only.
    package var inconsistency: String? {
        guard held.isConsistent, timers.isConsistent, settled.isConsistent else {
            return "the engine's table, heap or memory of tokens is broken"
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
            return "\(waiting + running) calls have a slot, and there are \(configuration.maxWorkers)"
        }
        if let inconsistency = leaders.inconsistency { return inconsistency }
        guard leaders.leading.allSatisfy({ links[$0] != nil }) else { return "a connection that has ended leads" }
        let unsent = Set(unreported)
        for (_, call) in calls where unacknowledged.contains(call.token) && !unsent.contains(call.token) {
            guard leaders.leader(of: call.shard) != nil else { continue }
            let isWithLeader = call.reportedTo.map { leaders.leads($0, call.shard) } ?? false
            guard isWithLeader else { return "the leader of its shard was not told of \(call.token)" }
        }
        let offered = leaders.leading.reduce(0) { $0 + (links[$1]?.offered ?? 0) }
        guard isDraining || offered <= configuration.maxWorkers else {
            return "\(offered) slots are offered, and there are \(configuration.maxWorkers)"
        }
        let isOverdue = links.values.contains { $0.received > $0.granted + UInt64(configuration.maxWorkers) }
        return isOverdue ? "more calls were taken than granted" : nil
    }
}
