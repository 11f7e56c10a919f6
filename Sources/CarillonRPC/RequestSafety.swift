internal import CarillonCore
internal import CarillonWire

/// Which schedulers can take a request, and whether it may be repeated when its outcome is unknown.
struct RequestSafety: Sendable, Hashable {
    /// Any scheduler can answer it from the database.
    var isRead: Bool
    /// Repeating it has no further effect.
    var isRepeatable: Bool
    /// Only a leader performs it, so a scheduler that performs it leads.
    var isLeaders: Bool

    /// - Parameter hasIdempotencyKey: whether the scheduler answers a repeated request with the result of the first one.
    init(name: String, hasIdempotencyKey: Bool) {
        switch name {
        case "get_job", "list_jobs", "list_executions", "get_execution", "get_latest_execution",
            "get_execution_stats", "preview_schedule":
            (isRead, isRepeatable, isLeaders) = (true, true, false)
        case "get_cluster":
            // The leader knows most, but any scheduler may answer.
            (isRead, isRepeatable, isLeaders) = (false, true, false)
        case "watch_executions", "refresh_schedule":
            (isRead, isRepeatable, isLeaders) = (false, true, true)
        case "create_job", "run_job":
            (isRead, isRepeatable, isLeaders) = (false, hasIdempotencyKey, true)
        default:
            (isRead, isRepeatable, isLeaders) = (false, false, true)
        }
    }

    init(_ request: Request) {
        let key: String? =
            switch request {
            case .createJob(_, let key, _), .runJob(_, let key, _): key
            default: nil
            }
        self.init(name: request.name, hasIdempotencyKey: key?.isEmpty == false)
    }
}
