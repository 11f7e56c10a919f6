/// An event for the worker engine.
package enum WorkerEvent: Sendable {
    /// The end of a turn, or a timer. Other events only update state or send answers that must not wait.
    case tick
    /// A connection to a scheduler was opened.
    case connected(ConnectionID)
    case disconnected(ConnectionID)
    /// A scheduler announced all shards that it leads under this epoch.
    case leadAnnounced(ConnectionID, LeadProof, shards: [UInt8])
    /// `receivedAt` is when the frame arrived, which may be earlier than the turn that handles it.
    case dispatched(ConnectionID, clusterTime: Timestamp, [DispatchedCall], receivedAt: BootTime)
    case cancelRequested(ConnectionID, [DispatchToken])
    /// These outcomes are settled and can be forgotten.
    case acknowledged(ConnectionID, [AcknowledgedOutcome])
    /// A leader asks about the state of AT_MOST_ONCE calls.
    case claimsQueried(ConnectionID, [QueriedClaim])
    /// Calls that ended in the HTTP client.
    case ended([HTTPResult])
    /// SIGTERM: accept no more calls, finish running ones, deliver their outcomes.
    case drainRequested
}

/// An action that the runner performs for the worker engine.
package enum WorkerAction: Sendable {
    case start([HTTPRequest])
    /// Aborts running calls; each still ends in a result.
    case cut([DispatchToken])

    // Messages to schedulers, in the order in which one scheduler gets them
    case hold(ConnectionID, epoch: Int64, [HeldCall])
    /// Answers a Lead for shards for which a higher epoch is known.
    case refuseLead(ConnectionID, epoch: Int64, shards: [UInt8], highest: LeadProof)
    case report(ConnectionID, [CallOutcome])
    case tellStarted(ConnectionID, [DispatchToken])
    case answerClaims(ConnectionID, rememberedMs: UInt64, [AnsweredClaim])
    case announceDrain(ConnectionID)
    /// The total number of calls that the scheduler may dispatch on this connection.
    case grant(ConnectionID, UInt64)

    /// Closes the connection to a scheduler that violates the protocol.
    case close(ConnectionID, why: String)
    case log(WorkerLogEvent)
    /// The drain is complete.
    case drained
}

/// An event for the log.
package enum WorkerLogEvent: Sendable, Hashable {
    case leaderChanged(ConnectionID, epoch: Int64)
    /// This many shards lost their leader.
    case leaderLost(epoch: Int64, shards: Int)
    /// A scheduler leads under a lower epoch than the highest one seen.
    case leadRefused(ConnectionID, epoch: Int64, highest: Int64)
    /// The scheduler rejected or corrected an outcome.
    case outcomeRejected(ExecutionID, AckResult)
    case draining(running: Int, unacknowledged: Int)
    /// A drain ended with unacknowledged outcomes: their number, and some of their executions.
    case undelivered(count: Int, [ExecutionID])
}
