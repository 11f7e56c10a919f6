/// A worker's state of an AT_MOST_ONCE call.
package enum ClaimState: Sendable, Hashable, CaseIterable {
    /// The call never started and never will.
    case neverBegun
    case running
    /// The call ended. If its outcome was reported under this token, the worker sent it again before this answer.
    case ended
}

/// An AT_MOST_ONCE call that a leader asks a worker about.
package struct QueriedClaim: Sendable, Hashable {
    package var token: DispatchToken
    package var executionID: ExecutionID
    /// From 1.
    package var attempt: Int
    package var shard: UInt8

    package init(token: DispatchToken, executionID: ExecutionID, attempt: Int, shard: UInt8) {
        self.token = token
        self.shard = shard
        self.executionID = executionID
        self.attempt = attempt
    }
}

/// A worker's answer about one such call.
package struct AnsweredClaim: Sendable, Hashable {
    package var claim: QueriedClaim
    package var state: ClaimState

    package init(_ claim: QueriedClaim, _ state: ClaimState) {
        self.claim = claim
        self.state = state
    }
}
