/// The workers, the executions that wait for a free slot of them, and what is sent to them in this turn.
struct WorkerPool {
    var roster = WorkerRoster()
    var ready = ReadyQueue()
    private var nextToken: UInt64 = 1
    var outgoing: [ConnectionID: [DispatchedCall]] = [:]
    var acknowledgements: [ConnectionID: [AcknowledgedOutcome]] = [:]
    /// AT_MOST_ONCE calls became missing, or a worker has come back: somebody may know of them.
    var isClaimQueryDue = false
    /// Since when executions are due, no worker has a free slot, and nothing was dispatched.
    private(set) var starvedSince: BootTime?
    private(set) var dispatchCount: UInt64 = 0

    /// The sequence of the next dispatch token.
    mutating func takeTokenSequence() -> UInt64 {
        defer { nextToken += 1 }
        return nextToken
    }

    /// A new leader begins.
    mutating func begin() {
        nextToken = 1
        roster.forgetAnswers()
    }

    /// The lead is lost: calls and acknowledgements are the next leader's.
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

    /// Notes whether executions wait for a slot. A dispatch since the last look begins the wait anew.
    ///
    /// - Parameter count: of dispatches, before this look.
    mutating func noteStarvation(_ isStarved: Bool, since count: UInt64, at boot: BootTime) {
        if !isStarved {
            starvedSince = nil
        } else if starvedSince == nil || dispatchCount != count {
            starvedSince = boot
        }
    }
}
