internal import CarillonCore
internal import CarillonWire

/// Limits of concurrent requests for each connection, by the cost of the requests.
struct RequestLimits: Sendable {
    /// Reads of history: most of the work is the database's. The limit is far above the number of database connections, so a
    /// single client can use all of them.
    private let history = RequestLimiter(share: 64)
    /// Requests that are answered with a job, whose body may have 1 MiB. One query reads many jobs.
    private let jobs = RequestLimiter(share: 64)
    /// Requests that change a job and are answered with the job. One commit holds many changes.
    private let changes = RequestLimiter(share: 128)

    /// The limiter for the request; `nil` for requests with small answers, which are not limited.
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

    /// Registers a new connection.
    func open(_ connection: ConnectionID) {
        for limiter in all { limiter.open(connection) }
    }

    /// Pauses the start of the connection's requests, or resumes it.
    func hold(_ connection: ConnectionID, _ isHeld: Bool) {
        for limiter in all { limiter.hold(connection, isHeld) }
    }

    /// Removes a connection that has ended.
    func forget(_ connection: ConnectionID) {
        for limiter in all { limiter.forget(connection) }
    }
}
