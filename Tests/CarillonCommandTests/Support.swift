import CarillonCore
import CarillonCron
import CarillonJSON
import CarillonSystem
import CarillonWire
import Synchronization

@testable import CarillonCommand

/// A scheduler with given responses.
final class FakeScheduler: SchedulerCaller {
    struct Request: Sendable, Hashable {
        var name: String
        var arguments: JSONValue

        init(_ name: String, _ arguments: JSONValue) {
            self.name = name
            self.arguments = arguments
        }
    }

    typealias Answer = @Sendable (String, JSONValue) throws(ClientError) -> JSONValue

    private let answer: Answer
    private let watched: [JSONValue]
    private let pings: Mutex<[Result<Int64, ClientError>]>
    private let log = Mutex<[Request]>([])

    /// - Parameters:
    ///   - watched: the changes that a watch returns before it ends.
    ///   - pings: microseconds or failures, one after the other; the last one is repeated.
    init(watched: [JSONValue] = [], pings: [Result<Int64, ClientError>] = [.success(100)], _ answer: @escaping Answer) {
        self.watched = watched
        self.pings = Mutex(pings)
        self.answer = answer
    }

    var requests: [Request] { log.withLock { $0 } }

    func call(_ name: String, _ arguments: JSONValue) async throws(ClientError) -> JSONValue {
        log.withLock { $0.append(Request(name, arguments)) }
        return try answer(name, arguments)
    }

    func watch(_ arguments: JSONValue) -> AsyncThrowingStream<JSONValue, any Error> {
        log.withLock { $0.append(Request("watch_executions", arguments)) }
        return AsyncThrowingStream { continuation in
            for execution in watched { continuation.yield(execution) }
            continuation.finish()
        }
    }

    func ping() async throws(ClientError) -> RoundTrip {
        let next = pings.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        return RoundTrip(microseconds: try next.get(), address: "127.0.0.1:7070")
    }
}

/// The result of a command line.
struct Outcome {
    var status: Int32
    var output: String
    var errors: String
    var requests: [FakeScheduler.Request]
    /// The addresses and the timeout of the connection; `nil` if there was none.
    var connection: (addresses: [String], timeoutMs: Int64?)?
    /// The number of writes to standard output.
    var writes: Int

    /// The arguments of the last request.
    var arguments: JSONValue? { requests.last?.arguments }

    var json: JSONValue? { try? JSONText.read(output) }

    var jsonLines: [JSONValue] {
        output.split(separator: "\n").compactMap { try? JSONText.read(String($0)) }
    }
}

/// 2026-11-25, a Wednesday.
let now = Timestamp(milliseconds: RFC3339.parse("2026-11-25T12:34:56.789Z") ?? 0)

/// Runs one command line with a given `World`.
func run(
    _ arguments: [String],
    scheduler: FakeScheduler = FakeScheduler(Sample.answer),
    environment: [String: String] = [:],
    input: [String] = [],
    files: [String: String] = [:],
    terminalWidth: Int? = nil,
    isInteractive: Bool = false,
    localZone: TimeZoneRules = .utc,
    writeProblem: OutputProblem? = nil,
    whenWritten: @escaping @Sendable (String) -> Void = { _ in }
) async -> Outcome {
    struct Record {
        var output = ""
        var errors = ""
        var writes = 0
        var connection: (addresses: [String], timeoutMs: Int64?)?
        var input: [String]
    }
    final class Console: Sendable {
        let record: Mutex<Record>
        init(_ input: [String]) { record = Mutex(Record(input: input)) }
    }
    let console = Console(input)
    let world = World(
        environment: environment,
        terminalWidth: terminalWidth,
        isInteractive: isInteractive,
        now: { now },
        write: { text throws(OutputProblem) in
            if let writeProblem { throw writeProblem }
            console.record.withLock {
                $0.output += text
                $0.writes += 1
            }
            whenWritten(text)
        },
        writeError: { text in console.record.withLock { $0.errors += text } },
        readInput: { () throws(FileProblem) in
            console.record.withLock { record in
                defer { record.input = [] }
                return Array(record.input.joined().utf8)
            }
        },
        readPart: { () throws(FileProblem) in
            console.record.withLock { $0.input.isEmpty ? nil : Array($0.input.removeFirst().utf8) }
        },
        readFile: { path throws(FileProblem) in
            guard let text = files[path] else { throw FileProblem("\(path) cannot be read: No such file or directory") }
            return Array(text.utf8)
        },
        fileExists: { files[$0] != nil },
        sleep: { _ in },
        connect: { addresses, timeoutMs throws(ClientError) in
            console.record.withLock { $0.connection = (addresses, timeoutMs) }
            return scheduler
        },
        localZone: { localZone }
    )
    let status = await runCarillon(arguments, in: world)
    return console.record.withLock { record in
        Outcome(
            status: status,
            output: record.output,
            errors: record.errors,
            requests: scheduler.requests,
            connection: record.connection,
            writes: record.writes
        )
    }
}

/// Responses of a scheduler.
enum Sample {
    static let jobID = "019abcde-0000-7000-8000-000000000001"
    static let executionID = "019abcde-1111-8000-8000-000000000001"

    static let job: JSONValue = [
        "job_id": .string(jobID), "schedule": "0 9 * * *", "schedule_description": "At 09:00:00",
        "api_url": "https://example.org/report", "execution_type": "AT_LEAST_ONCE", "name": "report",
        "description": nil,
        "time_zone": "Europe/Berlin", "dst_policy": "CRON", "http_method": "POST", "headers": ["X-A": "1"], "body": nil,
        "timeout_seconds": 30, "max_retries": 3, "retry_initial_delay_seconds": 2, "retry_max_delay_seconds": 30,
        "catch_up_policy": "LATEST", "catch_up_window_seconds": 60, "overlap_policy": "ALLOW", "priority": 0,
        "active": true, "tags": ["nightly", "eu"], "version": 3, "created_at": "2026-11-01T00:00:00Z",
        "updated_at": "2026-11-02T00:00:00Z", "next_run_time": "2026-11-26T08:00:00Z",
    ]

    static func execution(_ status: String = "SUCCESS") -> JSONValue {
        [
            "execution_id": .string(executionID), "job_id": .string(jobID), "trigger": "SCHEDULE",
            "scheduled_time": "2026-11-25T08:00:00Z", "actual_start_time": "2026-11-25T08:00:00.002Z",
            "finished_at": "2026-11-25T08:00:00.127Z", "status": .string(status), "reason": nil, "attempts": 1,
            "http_status": 200, "duration_ms": 125, "drift_ms": .number(1.5), "response": "ok", "error_message": nil,
            "worker": "worker-1", "created_at": "2026-11-25T07:59:59.500Z",
        ]
    }

    static let stats: JSONValue = [
        "job_id": .string(jobID), "from": "2026-11-24T12:34:56Z", "to": "2026-11-25T12:34:56Z", "total_executions": 200,
        "success_count": 199, "failure_count": 1, "success_rate": .number(99.5), "avg_duration_ms": .number(12.25),
        "avg_drift_ms": .number(0.8), "p50_duration_ms": 10, "p95_duration_ms": 20, "p99_duration_ms": 40,
        "p50_drift_ms": .number(0.5), "p95_drift_ms": 2, "p99_drift_ms": 3,
    ]

    static let cluster: JSONValue = [
        "server_id": "a1", "leading": true, "leader_address": "127.0.0.1:7070", "epoch": 4, "database_connected": true,
        "cluster_time": "2026-11-25T12:34:56Z", "jobs": 12, "active_jobs": 10, "heap_size": 10, "ready_queue_depth": 0,
        "open_executions": 1, "version": "1.0.0", "tzdata_version": "2026a",
        "workers": [
            ["name": "w1", "address": "127.0.0.1:50000", "max_workers": 256, "in_flight": 1, "free_slots": 255]
        ],
        "shards": [
            ["shard": 0, "address": "127.0.0.1:7070", "epoch": 4],
            ["shard": 1, "address": "127.0.0.1:7070", "epoch": 4],
            ["shard": 3, "address": "127.0.0.1:7070", "epoch": 4], ["shard": 2, "address": nil, "epoch": 3],
        ],
    ]

    /// The responses of a scheduler with one job and one execution.
    static let answer: FakeScheduler.Answer = { name, arguments throws(ClientError) in
        switch name {
        case "list_jobs":
            let isFailed = arguments["name"] == nil && arguments["last_status"] == "FAILED"
            let isOther = arguments["name"]?.string.map { $0 != "report" } ?? isFailed
            return ["jobs": .array(isOther ? [] : [job])]
        case "create_job", "get_job", "update_job", "pause_job", "resume_job": return job
        case "delete_job": return ["job_id": .string(jobID)]
        case "run_job": return execution("PENDING")
        case "list_executions": return ["executions": [execution(), execution("FAILED")]]
        case "get_execution":
            guard case .object(let members) = execution("FAILED") else { return nil }
            let attempts: JSONValue = [
                [
                    "attempt": 1, "started_at": "2026-11-25T08:00:00.002Z", "http_status": 503,
                    "error_message": "HTTP 503",
                ]
            ]
            return .object(members + [JSONValue.Member("failed_attempts", attempts)])
        case "get_latest_execution", "cancel_execution": return execution("CANCELLED")
        case "get_execution_stats": return stats
        case "preview_schedule":
            let days = ["26", "27", "28"].map { day -> JSONValue in ["time": .string("2026-11-\(day)T08:00:00Z")] }
            return ["schedule": "0 0 9 * * *", "times": .array(days)]
        case "get_cluster": return cluster
        case "refresh_schedule": return ["status": "SCHEDULE_REFRESHED"]
        default: throw ClientError(.unimplemented, "no answer to \(name)")
        }
    }

    static func refusing(_ error: ClientError) -> FakeScheduler {
        FakeScheduler { _, _ throws(ClientError) in throw error }
    }
}
