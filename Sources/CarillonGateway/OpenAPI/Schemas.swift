internal import CarillonCore
internal import CarillonJSON

/// The schemas of all requests and responses.
enum Schemas {
    private static func words(_ words: [String], _ summary: String) -> JSONValue {
        ["type": "string", "enum": .array(words.map(JSONValue.string)), "description": .string(summary)]
    }

    static let settings: [Property] = JobField.all.map(Property.init)

    static let job: [Property] = {
        var properties: [Property] = [.id("job_id", "The job's id.")] + settings
        properties.insert(.of("schedule_description", "string", "A description of the schedule."), at: 2)
        properties += [
            .of("version", "integer", "Increases with every change; the value of the ETag.", ["format": "int64"]),
            .time("created_at", "The time of creation."), .time("updated_at", "The time of the last change."),
            .time("next_run_time", "The next due time; null if the job is paused or never due again.", nullable: true),
        ]
        return properties
    }()

    private static let responseText =
        "The target's response body, truncated to a limit. Binary content is a data URL: data:image/png;base64,…"

    static let attempt: [Property] = [
        .of("attempt", "integer", "The number of the attempt, from 1."), .time("started_at", "The start time."),
        .time("finished_at", "The end time."),
        .of("http_status", "integer", "The HTTP status of the target's response.", required: false),
        .of("duration_ms", "number", "The duration of the call.", required: false),
        .of("response", "string", responseText, required: false),
        .of("error_message", "string", "The reason for the failure.", required: false),
        .of("worker", "string", "The name of the worker that made the call.", required: false),
    ]

    static let execution: [Property] = [
        .id("execution_id", "The execution's id, which is also the Idempotency-Key header of its calls."),
        .id("job_id", "The job's id."),
        .named("trigger", "Trigger", "The origin of the execution."), .time("scheduled_time", "The due time."),
        .time("actual_start_time", "The start time of the first attempt.", nullable: true),
        .time("finished_at", "The end time.", nullable: true),
        .named("status", "ExecutionStatus", "The state of the execution."),
        .of(
            "reason",
            "string",
            "The reason for the status: OVERLAP, CATCH_UP, EXPIRED, WORKER_LOST, …",
            nullable: true
        ),
        .of("attempts", "integer", "Number of calls made."),
        .of("http_status", "integer", "The HTTP status of the last response.", nullable: true),
        .of("duration_ms", "number", "The duration of the last call.", nullable: true),
        .of("drift_ms", "number", "actual_start_time minus scheduled_time.", nullable: true),
        .of("response", "string", responseText, nullable: true),
        .of("error_message", "string", "The reason why the last call failed.", nullable: true),
        .of("worker", "string", "The name of the worker that made the last call.", nullable: true),
        .time("created_at", "The time at which the row was written."),
        .time(
            "next_attempt_at",
            "The time of the next attempt; only while the execution waits for a retry.",
            required: false
        ),
        .of(
            "skipped_count",
            "integer",
            "Number of due times that a SKIPPED row represents.",
            ["format": "int64"],
            required: false
        ),
        .time("skipped_from", "The first of these due times.", required: false),
        .of(
            "lost_attempts",
            "integer",
            "Number of attempts whose worker disappeared; the target may or may not have received them.",
            required: false
        ),
        Property(
            name: "failed_attempts",
            schema: [
                "type": "array", "items": .reference("Attempt"),
                "description": "The failed attempts; only in the response for a single execution.",
            ],
            isRequired: false
        ),
        .of("api_url", "string", "The called URL; only in responses of debug/execute_sync.", required: false),
    ]

    static let stats: [Property] = [
        .id("job_id", "The job's id."), .time("from", "Start of the period."), .time("to", "End of the period."),
        .of("total_executions", "integer", "Number of executions due in the period.", ["format": "int64"]),
        .of("success_count", "integer", "Number of successful executions.", ["format": "int64"]),
        .of("failure_count", "integer", "Number of failed executions.", ["format": "int64"]),
        .of("success_rate", "number", "Percentage of successful executions.", nullable: true),
        .of("avg_duration_ms", "number", "Mean duration.", nullable: true),
        .of("avg_drift_ms", "number", "Mean drift.", nullable: true),
        .of("p50_duration_ms", "number", "Median duration.", nullable: true),
        .of("p95_duration_ms", "number", "95th percentile of the duration.", nullable: true),
        .of("p99_duration_ms", "number", "99th percentile of the duration.", nullable: true),
        .of("p50_drift_ms", "number", "Median drift.", nullable: true),
        .of("p95_drift_ms", "number", "95th percentile of the drift.", nullable: true),
        .of("p99_drift_ms", "number", "99th percentile of the drift.", nullable: true),
    ]

    static let preview: [Property] = [
        .of("schedule", "string", "The schedule of the request."),
        .of("time_zone", "string", "The time zone of the schedule."),
        .of("schedule_description", "string", "A description of the schedule."),
        Property(
            name: "times",
            schema: [
                "type": "array", "description": "The next due times.",
                "items": [
                    Property.time("time", "The due time in UTC."),
                    .of("local_time", "string", "The due time in the schedule's zone."),
                ]
                .answered("A due time."),
            ]
        ),
    ]

    static let health: [Property] = [
        .of("status", "string", "UP or DOWN.", ["enum": ["UP", "DOWN"]]),
        .of("scheduler_running", "boolean", "Whether a scheduler leads."),
        .of("worker_pool_active", "boolean", "Whether at least one worker accepts calls."),
        .of(
            "database_connected",
            "boolean",
            "Whether the scheduler's database answers and accepts writes within the duration of a lease."
        ),
        .of("workers", "integer", "Number of connected workers."),
        .of("leader_address", "string", "The address of the leader.", nullable: true),
        .of("open_executions", "integer", "Number of executions that have not ended.", nullable: true),
        .of("version", "string", "This gateway's version."),
        .of("detail", "string", "A description of the problem.", nullable: true),
    ]

    private static let meanings = JSONValue.array(
        Problem.meanings.map {
            [
                "code": .string($0.code), "title": .string($0.title), "statuses": .string($0.statuses),
                "details": .string($0.details),
            ]
        }
    )

    private static let problem: [Property] = [
        .of("type", "string", "The address of the code's documentation.", ["format": "uri-reference"]),
        .of("title", "string", "The title of the code."), .of("status", "integer", "The HTTP status of the response."),
        .of(
            "code",
            "string",
            "Stable.",
            ["enum": .array(Problem.meanings.map { .string($0.code) }), "x-meanings": meanings]
        ),
        .of(
            "reason",
            "string",
            "Distinguishes the cases of one code: "
                + ClientError.Reason.allCases.map(\.rawValue).joined(separator: ", ")
                + ".",
            required: false
        ),
        .of("detail", "string", "The error of this request, and what would be right."),
        Property(
            name: "errors",
            schema: [
                "type": "array", "description": "The invalid fields, parameters or headers.",
                "items": [
                    Property.of("field", "string", "The name of the field, parameter or header."),
                    .of("message", "string", "The error, and what would be right."),
                ]
                .answered("An invalid field, parameter or header."),
            ]
        ),
    ]

    /// All schemas by name, in the order of the document.
    static let all: [(name: String, schema: JSONValue)] = [
        ("Job", job.answered("A job.")),
        ("NewJob", settings.asked("A job to create.", required: JobField.all.filter(\.isRequired).map(\.name))),
        (
            "JobChange",
            settings.asked("The settings to change; null resets a setting to its default.", required: [])
        ),
        (
            "Call",
            settings.filter { !["schedule", "name", "active"].contains($0.name) }
                .asked("A call to make immediately.", required: ["api_url"])
        ),
        ("Execution", execution.answered("An execution: one due time or manual run of a job, with its outcome.")),
        ("Attempt", attempt.answered("A failed call.")),
        (
            "Accepted",
            (execution.filter { ["execution_id", "job_id", "scheduled_time", "status"].contains($0.name) }
                + [.of("api_url", "string", "The called URL.")]).answered("An execution that has been queued.")
        ),
        ("ExecutionStats", stats.answered("Statistics of a job's executions.")),
        ("SchedulePreview", preview.answered("The next due times of a schedule.")),
        (
            "ScheduleRefreshed",
            [Property.of("status", "string", "SCHEDULE_REFRESHED"), .of("jobs", "integer", "Number of jobs.")]
                .answered("The confirmation of the refresh.")
        ),
        ("Cluster", cluster.answered("The state of the cluster, as the answering scheduler sees it.")),
        ("ShardState", shard.answered("A shard of the jobs, and the scheduler that leads it.")),
        ("WorkerState", worker.answered("A worker.")),
        ("SchedulerState", scheduler.answered("A connected scheduler.")),
        ("Health", health.answered("Whether calls are being made.")),
        (
            "Readiness",
            [
                "description": "The health of the system, or only the status.",
                "anyOf": [.reference("Health"), .reference("Liveness")],
            ]
        ),
        ("Liveness", [Property.of("status", "string", "UP")].answered("The process is running.")),
        (
            "Root",
            [
                Property.of("name", "string", "Carillon"), .of("version", "string", "Its version."),
                .of(
                    "links",
                    "object",
                    "The addresses of the API, the documentation and the probes.",
                    ["additionalProperties": ["type": "string"]]
                ),
            ].answered("The name, version and links of the gateway.")
        ),
        ("Problem", problem.answered("The reason why a request failed (RFC 9457).")),
        (
            "ExecutionType",
            words(
                ExecutionType.allCases.map(\.rawValue),
                "AT_LEAST_ONCE may repeat a call after a crash, always with the same Idempotency-Key; AT_MOST_ONCE never does."
            )
        ),
        (
            "CatchUpPolicy",
            words(
                CatchUpPolicy.allCases.map(\.rawValue),
                "Which missed due times beyond the catch-up window run after an outage: the last one, all, or none."
            )
        ),
        (
            "OverlapPolicy",
            words(
                OverlapPolicy.allCases.map(\.rawValue),
                "SKIP skips a due time while an execution of the job is open."
            )
        ),
        (
            "DstPolicy",
            words(
                JobField.daylightPolicy.words,
                "CRON runs a skipped local time right after the clock change, and a repeated local time once. SKIP omits skipped local times. BOTH runs a repeated local time twice."
            )
        ),
        (
            "ExecutionStatus",
            words(
                ExecutionStatus.allCases.map(\.rawValue),
                "PENDING, RUNNING and RETRYING are open; the others are final. UNKNOWN: the outcome was lost in a crash."
            )
        ),
        ("Trigger", words(Trigger.allCases.map(\.rawValue), "The origin of an execution: its schedule, or a request.")),
    ]
}
