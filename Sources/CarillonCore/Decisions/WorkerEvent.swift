/// What happens to a worker.
package enum WorkerEvent: Sendable {
    /// The end of a turn, or a timer: time to look at the clock. Every other event only takes notice, or answers at once
    /// what must not wait for it.
    case tick
    /// A connection to a scheduler is up.
    case connected(ConnectionID)
    case disconnected(ConnectionID)
    /// All shards that a scheduler leads under that epoch.
    case leadAnnounced(ConnectionID, LeadProof, shards: [UInt8])
    /// `receivedAt` is when the frame was there, which may be earlier than the turn that it is handled in.
    case dispatched(ConnectionID, clusterTime: Timestamp, [DispatchedCall], receivedAt: BootTime)
    case cancelRequested(ConnectionID, [DispatchToken])
    /// These outcomes are settled: they can be forgotten.
    case acknowledged(ConnectionID, [AcknowledgedOutcome])
    /// A leader asks what became of AT_MOST_ONCE calls.
    case claimsQueried(ConnectionID, [QueriedClaim])
    /// Calls that the HTTP client has finished with.
    case ended([HTTPResult])
    /// SIGTERM: take nothing more, finish what runs, deliver what came of it.
    case drainRequested
}

/// What a worker is to do.
package enum WorkerAction: Sendable {
    case start([HTTPRequest])
    /// Calls that run are to be cut off; each still ends in a result.
    case cut([DispatchToken])

    // To a scheduler, in this order where several are for one
    case hold(ConnectionID, epoch: Int64, [HeldCall])
    /// The answer to a Lead of shards for which a higher epoch was seen.
    case refuseLead(ConnectionID, epoch: Int64, shards: [UInt8], highest: LeadProof)
    case report(ConnectionID, [CallOutcome])
    case tellStarted(ConnectionID, [DispatchToken])
    case answerClaims(ConnectionID, rememberedMs: UInt64, [AnsweredClaim])
    case announceDrain(ConnectionID)
    /// Calls that the scheduler may dispatch on the connection in all.
    case grant(ConnectionID, UInt64)

    /// That scheduler breaks the rules: the connection is to be ended.
    case close(ConnectionID, why: String)
    case log(WorkerLogEvent)
    /// Drained: nothing is left to do.
    case drained
}

/// Something that people should be able to read in the log.
package enum WorkerLogEvent: Sendable, Hashable {
    case leaderChanged(ConnectionID, epoch: Int64)
    /// So many shards have no leader any more.
    case leaderLost(epoch: Int64, shards: Int)
    /// A scheduler leads under a lower epoch than the highest one seen.
    case leadRefused(ConnectionID, epoch: Int64, highest: Int64)
    /// The scheduler did not accept an outcome as it was.
    case outcomeRejected(ExecutionID, AckResult)
    case draining(running: Int, unacknowledged: Int)
    /// The end of a drain that nobody took the last outcomes of: how many, and some of their executions.
    case undelivered(count: Int, [ExecutionID])
}
