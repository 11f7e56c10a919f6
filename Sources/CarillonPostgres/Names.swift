internal import CarillonCore
internal import CarillonCron

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

extension DaylightPolicy {
    var stored: StaticString {
        switch self {
        case .cron: "CRON"
        case .skip: "SKIP"
        case .both: "BOTH"
        }
    }

    init(stored: String) {
        switch stored {
        case "SKIP": self = .skip
        case "BOTH": self = .both
        default: self = .cron
        }
    }
}
