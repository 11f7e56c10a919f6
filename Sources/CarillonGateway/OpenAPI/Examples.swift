internal import CarillonCore
internal import CarillonJSON
internal import CarillonSystem

/// The examples of the documentation.
enum Examples {
    static let jobID = "01980f3c-4b5a-7c31-9e55-2f8d1c6a7b90"
    static let executionID = "01980f3d-1a00-8e21-b7c4-90d2e35f1a68"
    private static let manualID = "01980f3d-5c11-8a4f-a2b9-6d17c08e43f5"

    static let newJob: JSONValue = [
        "schedule": "0 30 9 * * MON-FRI", "api_url": "https://example.com/reports", "time_zone": "Europe/Berlin",
        "name": "nightly-report", "tags": ["reports"],
    ]

    static let jobChange: JSONValue = ["schedule": "0 0 10 * * MON-FRI", "max_retries": 5, "description": nil]

    static let call: JSONValue = ["api_url": "https://example.com/reports", "timeout_seconds": 5]

    /// `newJob`, with the defaults of the settings that it leaves out.
    static let job: JSONValue = {
        var members: [JSONValue.Member] = [.init("job_id", .string(jobID))]
        for field in JobField.all {
            members.append(.init(field.name, newJob[field.name] ?? field.defaultJSON))
            guard field.name == JobField.schedule.name else { continue }
            members.append(.init("schedule_description", "At 09:30:00, Monday through Friday"))
        }
        members += [
            .init("version", 1), .init("created_at", "2026-01-05T08:00:00Z"),
            .init("updated_at", "2026-01-05T08:00:00Z"), .init("next_run_time", "2026-01-05T08:30:00Z"),
        ]
        return .object(members)
    }()

    static let execution = execution()

    /// A successful execution, with some members replaced or added.
    private static func execution(_ changes: [JSONValue.Member] = []) -> JSONValue {
        let usual: JSONValue = [
            "execution_id": .string(executionID), "job_id": .string(jobID), "trigger": "SCHEDULE",
            "scheduled_time": "2026-01-05T08:30:00Z", "actual_start_time": "2026-01-05T08:30:00.002Z",
            "finished_at": "2026-01-05T08:30:00.145Z", "status": "SUCCESS", "reason": nil, "attempts": 1,
            "http_status": 200, "duration_ms": .number(142.7), "drift_ms": .number(2.1), "response": "{\"ok\":true}",
            "error_message": nil, "worker": "worker-1", "created_at": "2026-01-05T08:29:59.502Z",
        ]
        guard case .object(var members) = usual else { return usual }
        for change in changes {
            if let index = members.firstIndex(where: { $0.name == change.name }) {
                members[index].value = change.value
            } else {
                members.append(change)
            }
        }
        return .object(members)
    }

    static let retriedExecution = execution([
        .init("attempts", 2),
        .init(
            "failed_attempts",
            [
                [
                    "attempt": 1, "started_at": "2026-01-05T08:30:00.002Z", "finished_at": "2026-01-05T08:30:00.031Z",
                    "http_status": 503, "duration_ms": .number(28.4), "response": "busy",
                    "error_message": "the target answered 503", "worker": "worker-1",
                ]
            ]
        ),
    ])

    /// The members that are null before the first call of an execution.
    private static let unborn: [JSONValue.Member] = [
        .init("actual_start_time", nil), .init("finished_at", nil), .init("attempts", 0), .init("http_status", nil),
        .init("duration_ms", nil), .init("drift_ms", nil), .init("response", nil), .init("worker", nil),
    ]

    static let manualExecution = execution(
        [
            .init("execution_id", .string(manualID)), .init("trigger", "MANUAL"), .init("status", "PENDING"),
            .init("scheduled_time", "2026-01-05T08:31:07.217Z"), .init("created_at", "2026-01-05T08:31:07.221Z"),
        ] + unborn
    )

    static let cancelledExecution = execution(
        [.init("status", "CANCELLED"), .init("reason", "CANCEL_REQUESTED")] + unborn
            + [.init("finished_at", "2026-01-05T08:29:59.731Z")]
    )

    static let executedNow = execution([
        .init("execution_id", .string(manualID)), .init("trigger", "MANUAL"),
        .init("api_url", "https://example.com/reports"),
    ])

    static let accepted: JSONValue = [
        "execution_id": .string(manualID), "job_id": .string(jobID), "api_url": "https://example.com/reports",
        "scheduled_time": "2026-01-05T08:31:07.217Z", "status": "PENDING",
    ]

    static let stats: JSONValue = [
        "job_id": .string(jobID), "from": "2026-01-04T09:00:00Z", "to": "2026-01-05T09:00:00Z", "total_executions": 288,
        "success_count": 287, "failure_count": 1, "success_rate": .number(99.65), "avg_duration_ms": .number(141.2),
        "avg_drift_ms": .number(2.4), "p50_duration_ms": .number(139.8), "p95_duration_ms": .number(180.3),
        "p99_duration_ms": .number(212.9), "p50_drift_ms": .number(2.1), "p95_drift_ms": .number(4.6),
        "p99_drift_ms": .number(8.8),
    ]

    static let preview: JSONValue = [
        "schedule": "0 30 9 * * MON-FRI", "time_zone": "Europe/Berlin",
        "schedule_description": "At 09:30:00, Monday through Friday",
        "times": [["time": "2026-01-05T08:30:00Z", "local_time": "2026-01-05T09:30:00+01:00"]],
    ]

    private static let serverID = "5f0c1d7e-93aa-4b62-8f3e-1b7c2d9e4a60"

    static let cluster: JSONValue = [
        "server_id": .string(serverID), "leading": true, "epoch": 7, "leader_address": "127.0.0.1:7070",
        "cluster_time": "2026-01-05T08:31:07.217Z", "database_skew_ms": 0, "database_connected": true, "jobs": 42,
        "active_jobs": 40, "heap_size": 40, "ready_queue_depth": 0, "open_executions": 3,
        "shards": [
            [
                "shard": 0, "owner_id": .string(serverID), "address": "127.0.0.1:7070", "epoch": 7,
                "lease_expires_at": "2026-01-05T08:31:12Z", "materialized_through": "2026-01-05T08:31:07.700Z",
            ]
        ],
        "workers": [
            [
                "name": "worker-1", "boot_id": "c2a7e9b4-5d18-4f06-b3c1-7e8d9f0a1b2c", "address": "127.0.0.1:51234",
                "draining": false, "max_workers": 256, "in_flight": 3, "free_slots": 253, "skew_ms": .number(0.12),
                "version": .string(CarillonVersion.current),
            ]
        ],
        "version": .string(CarillonVersion.current), "tzdata_version": "2025b", "started_at": "2026-01-05T07:58:11Z",
        "schedulers": [
            [
                "scheduler": "127.0.0.1:7070", "address": "127.0.0.1:7070", "server_id": .string(serverID),
                "version": .string(CarillonVersion.current),
            ]
        ],
    ]

    static let health: JSONValue = [
        "status": "UP", "scheduler_running": true, "worker_pool_active": true, "database_connected": true, "workers": 2,
        "leader_address": "127.0.0.1:7070", "open_executions": 3, "version": .string(CarillonVersion.current),
        "detail": nil,
    ]

    static let down: JSONValue = [
        "status": "DOWN", "scheduler_running": false, "worker_pool_active": false, "database_connected": false,
        "workers": 0, "leader_address": nil, "open_executions": nil, "version": .string(CarillonVersion.current),
        "detail": "no scheduler took get_cluster within 2.0 seconds: 127.0.0.1:7070 (connection refused)",
    ]
}
