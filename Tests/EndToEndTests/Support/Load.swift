import CarillonClient
import CarillonCore
import CarillonJSON
import CarillonRPC
import CarillonWire
import Glibc
import TestSupport

/// The jobs of a scenario: a number of jobs due every second, some of them AT_MOST_ONCE, some with a failing target.
struct Load {
    let system: TestSystem
    let jobs: [String]
    let timeoutSeconds: Int64

    /// The path that a job calls: one in ten fails.
    static func mixed(_ number: Int) -> String { number % 20 == 7 || number % 20 == 8 ? "/fail" : "/ok" }

    /// Whether a job is AT_MOST_ONCE: one in four is.
    static func isAtMostOnce(_ number: Int) -> Bool { number % 4 == 3 }

    /// Creates the jobs and returns once all exist.
    static func begin(
        _ system: TestSystem,
        jobs count: Int,
        calling path: @Sendable (Int) -> String = mixed,
        timeoutSeconds: Int64 = 5,
        catchUpSeconds: @Sendable (Int) -> Int64 = { _ in 60 }
    ) async throws -> Load {
        let client = system.client
        let target = system.target
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<count {
                let atMostOnce = isAtMostOnce(number)
                let (path, window) = (path(number), catchUpSeconds(number))
                group.addTask {
                    let job = try await client.call(
                        "create_job",
                        [
                            "schedule": "* * * * * *", "api_url": .string(target.url(path)),
                            "execution_type": atMostOnce ? "AT_MOST_ONCE" : "AT_LEAST_ONCE", "max_retries": 1,
                            "retry_initial_delay_seconds": 1, "timeout_seconds": .integer(timeoutSeconds),
                            "catch_up_window_seconds": .integer(window),
                            "idempotency_key": .string("job-\(number)"),
                        ]
                    )
                    return job["job_id"]?.string ?? ""
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return Load(system: system, jobs: ids, timeoutSeconds: timeoutSeconds)
    }

    /// Ends the schedules of all jobs and waits until no execution is open, except AT_MOST_ONCE calls with an unknown
    /// outcome: those become UNKNOWN a minute after their timeout. (A pause would skip waiting executions.)
    func end() async throws {
        let client = system.client
        // The changes take less than these 3 s. Executions due until then run.
        let end = try system.psql(
            """
            SELECT to_char((clock_timestamp() + interval '3 s') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            """
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            for job in jobs {
                group.addTask {
                    let change: JSONValue = ["job_id": .string(job), "ends_at": .string(end)]
                    _ = try await Self.persistently { try await client.call("update_job", change) }
                }
            }
            try await group.waitForAll()
        }
        while try system.psql("SELECT clock_timestamp() > '\(end)'::timestamptz + interval '1 s'") != "t" {
            try await Task.sleep(for: .milliseconds(100))
        }
        try await Self.untilSettled(system, timeoutSeconds: timeoutSeconds)
    }

    /// Waits until no execution is open except AT_MOST_ONCE calls with an unknown outcome.
    static func untilSettled(_ system: TestSystem, timeoutSeconds: Int64) async throws {
        while true {
            let open = try system.psql(
                """
                SELECT count(*) FROM job_executions e JOIN jobs j USING (job_id)
                WHERE e.status IN ('PENDING', 'RUNNING', 'RETRYING') AND NOT (e.status = 'RUNNING' AND j.execution_type = 'AT_MOST_ONCE'
                    AND e.token_epoch IS NOT NULL AND e.actual_start_time < clock_timestamp() - interval '\(timeoutSeconds + 3) s')
                """
            )
            let outage = try system.psql("SELECT count(*) FROM shards WHERE gap_to IS NOT NULL")
            if open == "0", outage == "0" { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Retries an idempotent operation while faults are injected.
    static func persistently<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var attempts = 0
        while true {
            do {
                return try await body()
            } catch let error as ClientError where error.code == .unavailable && attempts < 50 {
                attempts += 1
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
