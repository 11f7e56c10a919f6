internal import CarillonJSON

/// The data of the status page, read at the same time.
struct Snapshot: Sendable {
    struct JobLine: Sendable {
        var job: JSONValue
        /// The latest execution; `nil` if the job has none or if it could not be read.
        var latest: JSONValue?
    }

    var health: Health
    var jobs: [JobLine] = []
    var jobCount: Int64?
    var failures: [JSONValue] = []
    /// The reason why data is missing.
    var problem: String?
}

extension Gateway {
    /// The number of jobs on the status page.
    private static let shownJobs: Int64 = 25

    func snapshot() async -> Snapshot {
        async let health = health()
        async let failures = entries(
            "list_executions",
            "executions",
            ["status": ["FAILED", "UNKNOWN"], "limit": 10]
        )
        var snapshot = Snapshot(health: Health())
        do throws(Problem) {
            let list = try await call(
                "list_jobs",
                [.init("limit", .integer(Gateway.shownJobs))],
                timeout: Gateway.probeTimeout
            )
            snapshot.jobCount = list["total_count"]?.integer
            snapshot.jobs = await lines(list["jobs"]?.array ?? [])
        } catch {
            snapshot.problem = error.detail
        }
        snapshot.health = await health
        snapshot.failures = await failures
        return snapshot
    }

    private func entries(_ request: String, _ member: String, _ arguments: JSONValue) async -> [JSONValue] {
        guard case .object(let members) = arguments else { return [] }
        do throws(Problem) {
            return try await call(request, members, timeout: Gateway.probeTimeout)[member]?.array ?? []
        } catch {
            return []
        }
    }

    private func lines(_ jobs: [JSONValue]) async -> [Snapshot.JobLine] {
        await withTaskGroup(of: (Int, JSONValue?).self) { group in
            for (index, job) in jobs.enumerated() {
                let id = job["job_id"] ?? .null
                group.addTask {
                    do throws(Problem) {
                        let members = [JSONValue.Member("job_id", id)]
                        return (
                            index, try await self.call("get_latest_execution", members, timeout: Gateway.probeTimeout)
                        )
                    } catch {
                        return (index, nil)
                    }
                }
            }
            var lines = jobs.map { Snapshot.JobLine(job: $0) }
            for await (index, latest) in group { lines[index].latest = latest }
            return lines
        }
    }
}
