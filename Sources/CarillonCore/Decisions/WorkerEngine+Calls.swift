/// From the dispatch to the outcome.
extension WorkerEngine {
    /// Long-running calls are reported in batches, at most every quarter of a second.
    private static var longCallStep: Int64 { 250_000_000 }

    mutating func dispatched(
        _ link: ConnectionID,
        clusterTime: Timestamp,
        _ calls: [DispatchedCall],
        receivedAt: BootTime,
        into actions: inout [WorkerAction]
    ) {
        guard let sender = links[link] else { return }
        // The sender has counted these calls, even if they are returned.
        let received = sender.received + UInt64(calls.count)
        links[link]?.received = received
        links[link]?.movedAt = receivedAt
        // A withdrawn offer may have been used before the withdrawal arrived. More calls violate the protocol: returned
        // calls stay in memory until they are acknowledged, so they must be limited.
        guard received <= sender.granted + UInt64(configuration.maxWorkers) else {
            actions.append(
                .close(link, why: "\(received) calls were dispatched on this connection; \(sender.granted) are granted")
            )
            return
        }
        let offered = leaders.leading.reduce(0) { $0 + (links[$1]?.offered ?? 0) }
        for (index, call) in calls.enumerated() {
            guard
                leaders.leads(link, call.shard, by: call.token) || InjectedFault.takesCallsOfAnEpochThatIsOver.isActive
            else {
                counters.stale += 1
                continue
            }
            guard slots[call.token] == nil, !settled.contains(call.token), !memory.isPromised(call.token) else {
                counters.duplicates += 1
                continue
            }
            if call.atMostOnce, memory.knows(call.executionID, call.attempt) {
                refuseRepeat(call, clusterTime: clusterTime, receivedAt: receivedAt)
                continue
            }
            // A call beyond the credit must not take a slot that is offered to another leader.
            let isOffered = sender.received + UInt64(index) < sender.granted
            let isWelcome = !isDraining && freeCount > (isOffered ? 0 : offered)
            let slot = hold(
                Held(call, clusterTime: clusterTime, receivedAt: receivedAt, state: .waiting(call))
            )
            if case .unsupported = call.kind {
                giveBack(slot, because: "this worker does not support the kind of the call")
            } else if isWelcome {
                let wait = Int64(clamping: min(call.startAfterMicroseconds, UInt64(Int64.max / 4_000)))
                timers.set(slot, to: receivedAt.nanoseconds &+ wait &* 1_000)
            } else {
                giveBack(slot)
            }
        }
    }

    /// Starts due calls. Returns the calls that have become long-running.
    mutating func startDue(at now: BootTime, into actions: inout [WorkerAction]) -> [DispatchToken] {
        var requests: [HTTPRequest] = []
        var becameLong: [DispatchToken] = []
        while let first = timers.first, first.time <= now.nanoseconds {
            timers.remove(first.key)
            let slot = first.key
            let call = held[slot]
            switch call.state {
            case .waiting(let dispatched):
                guard case .http(let http) = dispatched.kind else { continue }
                if let latest = dispatched.startBeforeClockMicroseconds, now.microseconds >= latest {
                    giveBack(slot, because: "the call could not start before the deadline in its dispatch")
                    continue
                }
                if call.atMostOnce, memory.knows(call.executionID, call.attempt) {
                    drop(slot)
                    refuseRepeat(dispatched, clusterTime: call.clusterTime, receivedAt: call.receivedAt)
                    continue
                }
                if call.atMostOnce {
                    memory.began(call.executionID, call.attempt, call.token, timeoutMs: dispatched.timeoutMs, at: now)
                }
                let actualTime = call.clusterTime + now.milliseconds(since: call.receivedAt)
                requests.append(
                    HTTPRequest(dispatched, http, actualTime: actualTime, userAgent: configuration.userAgent)
                )
                move(slot, to: .running(isLong: false))
                let long = now.nanoseconds &+ configuration.longCallMs &* 1_000_000
                timers.set(slot, to: (long / Self.longCallStep + 1) * Self.longCallStep)
            case .running:
                move(slot, to: .running(isLong: true))
                becameLong.append(call.token)
            case .unacknowledged:
                break
            }
        }
        if !requests.isEmpty { actions.append(.start(requests)) }
        return becameLong
    }

    /// Cancels calls on request of the leader of their shards.
    mutating func cancel(_ tokens: [DispatchToken], from link: ConnectionID, into actions: inout [WorkerAction]) {
        var running: [DispatchToken] = []
        for token in tokens {
            guard let slot = slots[token], leaders.leads(link, held[slot].shard) else { continue }
            switch held[slot].state {
            case .waiting: giveBack(slot)
            case .running: running.append(token)
            case .unacknowledged: break
            }
        }
        if !running.isEmpty { actions.append(.cut(running)) }
    }

    /// Returns a call that was never started.
    mutating func giveBack(_ slot: Int32, because why: String? = nil) {
        let call = held[slot]
        counters.returned += 1
        conclude(
            slot,
            CallOutcome(
                token: call.token,
                code: call.code,
                shard: call.shard,
                executionID: call.executionID,
                jobID: call.jobID,
                attempt: call.attempt,
                kind: .notStarted,
                errorMessage: why,
                dispatchTime: call.clusterTime
            )
        )
    }

    mutating func ended(_ result: HTTPResult, at now: BootTime) {
        guard let slot = slots[result.token], case .running = held[slot].state else { return }
        let call = held[slot]
        let waited = max(0, result.startedAt - call.receivedAt) / 1_000
        let outcome = CallOutcome(
            token: call.token,
            code: call.code,
            shard: call.shard,
            executionID: call.executionID,
            jobID: call.jobID,
            attempt: call.attempt,
            kind: result.kind,
            startedAfterMicroseconds: UInt64(waited),
            durationMicroseconds: result.durationMicroseconds,
            httpStatus: result.httpStatus,
            response: result.response.map { OutcomeCheck.clipped($0, to: call.responseLimit) },
            errorMessage: result.errorMessage.map { OutcomeCheck.clipped($0, to: OutcomeCheck.messageBytes) },
            retryAfterMs: result.retryAfterMs,
            dispatchTime: call.clusterTime,
            startedClockMicroseconds: result.startedAt.microseconds
        )
        conclude(slot, outcome)
        guard call.atMostOnce else { return }
        // Repeated dispatches of the same attempt get the same outcome.
        for repeated in memory.ended(outcome, at: now) { answer(repeated, with: outcome) }
    }

    private mutating func conclude(_ slot: Int32, _ outcome: CallOutcome) {
        timers.remove(slot)
        move(slot, to: .unacknowledged(outcome))
        unreported.append(outcome.token)
    }
}
