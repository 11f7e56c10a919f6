/// The workers, the ready executions, and the messages collected in this turn.
struct WorkerPool {
    var roster = WorkerRoster()
    var ready = ReadyQueue()
    private var nextToken: UInt64 = 1
    var outgoing: [ConnectionID: [DispatchedCall]] = [:]
    var acknowledgements: [ConnectionID: [AcknowledgedOutcome]] = [:]
    /// Whether to query claims: AT_MOST_ONCE calls lost their worker, or a worker reconnected.
    var isClaimQueryDue = false
    /// Since when executions have been due without a free slot or a dispatch.
    private(set) var starvedSince: BootTime?
    private(set) var dispatchCount: UInt64 = 0

    /// The sequence of the next dispatch token.
    mutating func takeTokenSequence() -> UInt64 {
        defer { nextToken += 1 }
        return nextToken
    }

    /// Starts a new leadership.
    mutating func begin() {
        nextToken = 1
        roster.forgetAnswers()
    }

    /// Ends a leadership: calls and acknowledgements now belong to the next leader.
    mutating func end() {
        ready.removeAll()
        (outgoing, acknowledgements) = ([:], [:])
        isClaimQueryDue = false
        starvedSince = nil
        roster.forgetAnswers()
    }

    mutating func send(_ call: DispatchedCall, to link: ConnectionID) {
        dispatchCount &+= 1
        outgoing[link, default: []].append(call)
    }

    mutating func acknowledge(_ token: DispatchToken, _ result: AckResult, to link: ConnectionID) {
        acknowledgements[link, default: []].append(AcknowledgedOutcome(token, result))
    }

    /// Notes whether executions wait for a slot. A dispatch since the last check restarts the wait.
    ///
    /// - Parameter count: the number of dispatches before this check.
    mutating func noteStarvation(_ isStarved: Bool, since count: UInt64, at boot: BootTime) {
        if !isStarved {
            starvedSince = nil
        } else if starvedSince == nil || dispatchCount != count {
            starvedSince = boot
        }
    }
}
