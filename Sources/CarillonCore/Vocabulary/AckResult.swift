/// The scheduler's verdict on a reported outcome. The worker forgets the outcome in every case.
package enum AckResult: Sendable, Hashable, CaseIterable {
    /// The outcome is durable or needs no further processing.
    case recorded
    /// The report was late, repeated, or superseded by another dispatch. Nothing changed.
    case superseded
    /// The token was not issued to this worker process for this attempt of this execution. Nothing changed.
    case notIssued
    /// The outcome contradicts itself or an earlier report. A failed attempt or UNKNOWN was recorded instead.
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
