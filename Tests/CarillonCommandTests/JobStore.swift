import CarillonCore
import CarillonCron
import CarillonJSON

@testable import CarillonCommand

/// A scheduler with several jobs and executions, which filters lists.
struct JobStore: Sendable {
    var jobs: [JSONValue]
    var executions: [JSONValue] = []
    /// The ids of jobs whose last execution failed.
    var failed: Set<String> = []
    var pageSize = Int.max

    static func job(_ id: String, _ name: String?, schedule: String = "0 9 * * *", url: String? = nil) -> JSONValue {
        guard case .object(var members) = Sample.job else { return nil }
        members.removeAll { ["job_id", "name", "schedule", "api_url"].contains($0.name) }
        members += [
            .init("job_id", .string(id)), .init("name", name.map(JSONValue.string) ?? .null),
            .init("schedule", .string(schedule)), .init("api_url", .string(url ?? "https://example.org/\(name ?? "")")),
        ]
        return .object(members)
    }

    static func execution(
        _ id: String,
        job: String = Sample.jobID,
        at time: String = "2026-11-25T08:00:00Z",
        status: String = "SUCCESS",
        error: String? = nil
    ) -> JSONValue {
        guard case .object(var members) = Sample.execution(status) else { return nil }
        members.removeAll { ["execution_id", "job_id", "scheduled_time", "error_message"].contains($0.name) }
        members += [
            .init("execution_id", .string(id)), .init("job_id", .string(job)), .init("scheduled_time", .string(time)),
            .init("error_message", error.map(JSONValue.string) ?? .null),
        ]
        return .object(members)
    }

    var scheduler: FakeScheduler {
        FakeScheduler { name, arguments throws(ClientError) in try answer(name, arguments) }
    }

    func answer(_ name: String, _ arguments: JSONValue) throws(ClientError) -> JSONValue {
        let id = arguments["job_id"]?.string
        switch name {
        case "list_jobs":
            return page(
                "jobs",
                jobs.filter { job in
                    (arguments["name"] == nil || job["name"] == arguments["name"])
                        && (arguments["last_status"] != "FAILED" || failed.contains(job["job_id"]?.string ?? ""))
                },
                arguments
            )
        case "list_executions":
            return page(
                "executions",
                executions.filter { execution in
                    let time = RFC3339.parse(execution["scheduled_time"]?.string ?? "") ?? 0
                    return (id == nil || execution["job_id"]?.string == id)
                        && time >= arguments["from"]?.string.flatMap { RFC3339.parse($0) } ?? .min
                        && time < arguments["to"]?.string.flatMap { RFC3339.parse($0) } ?? .max
                },
                arguments
            )
        case "get_execution", "cancel_execution":
            guard let found = executions.first(where: { $0["execution_id"] == arguments["execution_id"] }) else {
                throw ClientError(.notFound, "no such execution")
            }
            return found
        case "delete_job", "pause_job", "resume_job", "get_job":
            guard let job = jobs.first(where: { $0["job_id"]?.string == id }) else {
                throw ClientError(.notFound, "no such job")
            }
            return job
        case "run_job":
            return JobStore.execution(Sample.executionID, job: id ?? "", status: "PENDING")
        default: throw ClientError(.unimplemented, "no answer to \(name)")
        }
    }

    /// The cursor is the index of the next entry.
    private func page(_ member: String, _ entries: [JSONValue], _ arguments: JSONValue) -> JSONValue {
        let start = arguments["cursor"]?.string.flatMap { Int($0) } ?? 0
        let count = min(pageSize, Int(arguments["limit"]?.integer ?? 100))
        let rest = entries.dropFirst(start)
        let next: JSONValue = rest.count > count ? .string(String(start + count)) : nil
        return .object([.init(member, .array(Array(rest.prefix(count)))), .init("next_cursor", next)])
    }
}
