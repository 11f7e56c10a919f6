internal import CarillonCore

// Closed sets of names as they are stored, where a string's making would cost more than its sending.

extension ExecutionStatus {
    var stored: StaticString {
        switch self {
        case .pending: "PENDING"
        case .running: "RUNNING"
        case .retrying: "RETRYING"
        case .success: "SUCCESS"
        case .failed: "FAILED"
        case .cancelled: "CANCELLED"
        case .unknown: "UNKNOWN"
        case .skipped: "SKIPPED"
        }
    }
}

extension Trigger {
    var stored: StaticString {
        switch self {
        case .schedule: "SCHEDULE"
        case .manual: "MANUAL"
        }
    }
}
