/// What a reported outcome came to. The worker forgets the outcome in every case.
package enum AckResult: Sendable, Hashable, CaseIterable {
    /// Durable, or settled otherwise.
    case recorded
    /// Late, repeated, or overtaken by another dispatch: it changed nothing.
    case superseded
    /// The token was not issued to this worker process for this attempt of this execution: it changed nothing.
    case notIssued
    /// The outcome contradicts itself or an earlier report of the call. A failed attempt, or UNKNOWN, was recorded instead.
    case invalid
}

/// An outcome that the worker may forget.
package struct AcknowledgedOutcome: Sendable, Hashable {
    package var token: DispatchToken
    package var result: AckResult

    package init(_ token: DispatchToken, _ result: AckResult) {
        self.token = token
        self.result = result
    }
}
