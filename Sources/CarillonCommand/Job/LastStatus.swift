internal import CarillonJSON

/// Adds `last_status` to listed jobs. Jobs in RPC responses have no such field. One more request lists the jobs of the
/// same page whose last execution failed.
struct LastStatus {
    private static let failed = "FAILED"

    /// The status that all listed jobs have, because the list was filtered by it.
    private let only: String?
    /// Whether the last response contained all remaining failed jobs, so that further pages have none.
    private var isExhausted = false
    private var failures: Set<String> = []

    init(only: String?) {
        self.only = only
    }

    /// - Parameter page: the arguments of the request that listed these jobs.
    mutating func added(
        to jobs: [JSONValue],
        ofPage page: JSONValue,
        in session: Session
    ) async throws -> [JSONValue] {
        if only == nil, !isExhausted, !jobs.isEmpty, jobs.contains(where: { $0["last_status"] == nil }),
            case .object(let arguments) = page
        {
            // The failed jobs are a subset of the page: at most one page, from the same cursor.
            let request = arguments + [JSONValue.Member("last_status", .string(LastStatus.failed))]
            let answer = try await session.call("list_jobs", .object(request))
            failures = Set((answer["jobs"]?.array ?? []).compactMap { $0["job_id"]?.string })
            isExhausted = answer["next_cursor"]?.string == nil
        }
        return jobs.map { job in
            guard case .object(let members) = job, job["last_status"] == nil else { return job }
            let status = only ?? (failures.contains(job["job_id"]?.string ?? "") ? LastStatus.failed : nil)
            return status.map { .object(members + [JSONValue.Member("last_status", .string($0))]) } ?? job
        }
    }
}
