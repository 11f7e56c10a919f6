internal import CarillonCore
internal import CarillonWire

/// How many requests of one connection are done at a time, by what they cost.
struct RequestLimits: Sendable {
    /// Requests for which the database does most of the work. The share is far larger than the number of the database's
    /// sessions, so a client that is alone uses all of them.
    private let history = RequestLimiter(share: 64)
    /// Requests that are answered with a job, whose body may have 1 MiB. Jobs are read together, many in one query.
    private let jobs = RequestLimiter(share: 64)
    /// Requests that change a job and are answered with it. Many changes are one commit.
    private let changes = RequestLimiter(share: 128)

    /// The turns that the request waits for; `nil` for requests that are answered in few bytes.
    func limiter(for request: Request) -> RequestLimiter? {
        switch request {
        case .listJobs, .listExecutions, .getExecution, .getLatestExecution, .getExecutionStats: history
        case .getJob, .previewSchedule: jobs
        case .createJob, .updateJob, .pauseJob, .resumeJob, .runJob: changes
        case .deleteJob, .cancelExecution, .executeNow, .refreshSchedule, .getCluster, .watchExecutions, .stopWatching:
            nil
        }
    }

    private var all: [RequestLimiter] { [history, jobs, changes] }

    /// The connection may ask.
    func open(_ connection: ConnectionID) {
        for limiter in all { limiter.open(connection) }
    }

    /// Lets none of the connection's requests begin for now, or lets them go on.
    func hold(_ connection: ConnectionID, _ isHeld: Bool) {
        for limiter in all { limiter.hold(connection, isHeld) }
    }

    /// The connection has ended.
    func forget(_ connection: ConnectionID) {
        for limiter in all { limiter.forget(connection) }
    }
}
