internal import CarillonJSON

/// Adds `last_status` to listed jobs. The protocol's jobs do not have it, but it lists the jobs whose last execution has failed: of
/// the same page, with one more request.
struct LastStatus {
    private static let failed = "FAILED"

    /// The status that all listed jobs have, because it was asked for.
    private let only: String?
    /// Whether the jobs of the last answer were all there are: then no further page has one.
    private var isExhausted = false
    private var failures: Set<String> = []

    init(only: String?) {
        self.only = only
    }

    /// - Parameter page: The arguments of the request that listed these jobs.
    mutating func added(
        to jobs: [JSONValue],
        ofPage page: JSONValue,
        in session: Session
    ) async throws -> [JSONValue] {
        if only == nil, !isExhausted, !jobs.isEmpty, jobs.contains(where: { $0["last_status"] == nil }),
            case .object(let arguments) = page
        {
            // Failed jobs are some of the page's: as many as the page has at most, from the same cursor on.
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
