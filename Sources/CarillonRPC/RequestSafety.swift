internal import CarillonCore
internal import CarillonWire

/// Whom a request may go to, and whether it may be sent again when it is not known what became of it.
struct RequestSafety: Sendable, Hashable {
    /// Any scheduler can answer it, from the database.
    var isRead: Bool
    /// Sending it twice does no more than sending it once.
    var isRepeatable: Bool
    /// Only a leader does it: who does it leads.
    var isLeaders: Bool

    /// - Parameter hasIdempotencyKey: the scheduler answers a repeated request with what the first one did.
    init(name: String, hasIdempotencyKey: Bool) {
        switch name {
        case "get_job", "list_jobs", "list_executions", "get_execution", "get_latest_execution",
            "get_execution_stats", "preview_schedule":
            (isRead, isRepeatable, isLeaders) = (true, true, false)
        case "get_cluster":
            // The leader knows best, but anyone may answer.
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
