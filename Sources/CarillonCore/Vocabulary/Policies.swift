/// Whether an execution's request may be repeated after a crash (G2) or must never be (G3).
package enum ExecutionType: String, Sendable, CaseIterable {
    case atLeastOnce = "AT_LEAST_ONCE"
    case atMostOnce = "AT_MOST_ONCE"
}

/// What becomes of missed times that are older than the catch-up window (G8).
package enum CatchUpPolicy: String, Sendable, CaseIterable {
    case latest = "LATEST"
    case all = "ALL"
    case none = "NONE"
}

/// Whether a due time may start while an execution of the same job is open.
package enum OverlapPolicy: String, Sendable, CaseIterable {
    case allow = "ALLOW"
    case skip = "SKIP"
}

/// What made an execution: its schedule, or someone's request.
package enum Trigger: String, Sendable, CaseIterable {
    case schedule = "SCHEDULE"
    case manual = "MANUAL"
}

/// Where an execution stands. PENDING → RUNNING → one of the final ones, with RETRYING between attempts; SKIPPED for a
/// due time that was deliberately not run.
package enum ExecutionStatus: String, Sendable, CaseIterable {
    case pending = "PENDING"
    case running = "RUNNING"
    case retrying = "RETRYING"
    case success = "SUCCESS"
    case failed = "FAILED"
    case cancelled = "CANCELLED"
    case unknown = "UNKNOWN"
    case skipped = "SKIPPED"

    /// Whether nothing more will happen to it (UNKNOWN may still turn into the truth, G6).
    package var isFinal: Bool {
        switch self {
        case .pending, .running, .retrying: false
        case .success, .failed, .cancelled, .unknown, .skipped: true
        }
    }
}

/// Why an execution is SKIPPED, FAILED, CANCELLED or UNKNOWN where its status alone does not say it.
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
