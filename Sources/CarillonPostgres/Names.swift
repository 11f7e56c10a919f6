internal import CarillonCore

// Closed sets of stored names as static strings, because creating a String would cost more than sending it.

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
