/// Whether a request may be repeated after a crash (G2) or never is (G3).
package enum ExecutionType: String, Sendable, CaseIterable {
    case atLeastOnce = "AT_LEAST_ONCE"
    case atMostOnce = "AT_MOST_ONCE"
}

/// Which missed times older than the catch-up window run (G8).
package enum CatchUpPolicy: String, Sendable, CaseIterable {
    case latest = "LATEST"
    case all = "ALL"
    case none = "NONE"
}

/// Whether an execution may start at its due time while another execution of the same job is open.
package enum OverlapPolicy: String, Sendable, CaseIterable {
    case allow = "ALLOW"
    case skip = "SKIP"
}

/// The origin of an execution: its schedule or a client's request.
package enum Trigger: String, Sendable, CaseIterable {
    case schedule = "SCHEDULE"
    case manual = "MANUAL"
}

/// The state of an execution. PENDING → RUNNING → a final state, with RETRYING between attempts; SKIPPED for a due time
/// that was deliberately not run.
package enum ExecutionStatus: String, Sendable, CaseIterable {
    case pending = "PENDING"
    case running = "RUNNING"
    case retrying = "RETRYING"
    case success = "SUCCESS"
    case failed = "FAILED"
    case cancelled = "CANCELLED"
    case unknown = "UNKNOWN"
    case skipped = "SKIPPED"

    /// Whether the state is final. UNKNOWN may still be replaced by the actual outcome (G6).
    package var isFinal: Bool {
        switch self {
        case .pending, .running, .retrying: false
        case .success, .failed, .cancelled, .unknown, .skipped: true
        }
    }
}

/// The reason for SKIPPED, FAILED, CANCELLED or UNKNOWN where the status alone does not explain it.
package enum Reason: String, Sendable, CaseIterable {
    case overlap = "OVERLAP"
    case catchUp = "CATCH_UP"
    case expired = "EXPIRED"
    case jobPaused = "JOB_PAUSED"
    case jobDeleted = "JOB_DELETED"
    case cancelRequested = "CANCEL_REQUESTED"
    case workerLost = "WORKER_LOST"
    case retriesExhausted = "RETRIES_EXHAUSTED"
    case outcomeLost = "OUTCOME_LOST"
    case recordRefused = "RECORD_REFUSED"
    case startDeadline = "START_DEADLINE"
}
