internal import CarillonCore
internal import CarillonJSON

/// The shapes of everything that is sent and answered.
enum Schemas {
    private static func words(_ words: [String], _ summary: String) -> JSONValue {
        ["type": "string", "enum": .array(words.map(JSONValue.string)), "description": .string(summary)]
    }

    static let settings: [Property] = JobField.all.map(Property.init)

    static let job: [Property] = {
        var properties: [Property] = [.id("job_id", "The job's id.")] + settings
        properties.insert(.of("schedule_description", "string", "The schedule in words."), at: 2)
        properties += [
            .of("version", "integer", "Grows with every change; the ETag.", ["format": "int64"]),
            .time("created_at", "When it was made."), .time("updated_at", "When it was last changed."),
            .time("next_run_time", "When it is due next; null when it is paused, or never due.", nullable: true),
        ]
        return properties
    }()

    private static let responseText =
        "What the target sent, cut to a limit. What is not text is a data URL: data:image/png;base64,…"

    static let attempt: [Property] = [
        .of("attempt", "integer", "Which one, from 1."), .time("started_at", "When it began."),
        .time("finished_at", "When it ended."),
        .of("http_status", "integer", "What the target answered.", required: false),
        .of("duration_ms", "number", "How long it took.", required: false),
        .of("response", "string", responseText, required: false),
        .of("error_message", "string", "Why it failed.", required: false),
        .of("worker", "string", "Who made it.", required: false),
    ]

    static let execution: [Property] = [
        .id("execution_id", "Also the Idempotency-Key that the target sees."), .id("job_id", "The job."),
        .named("trigger", "Trigger", "What made it."), .time("scheduled_time", "When it was due."),
        .time("actual_start_time", "When the first attempt began.", nullable: true),
        .time("finished_at", "When it ended.", nullable: true),
        .named("status", "ExecutionStatus", "How it stands."),
        .of("reason", "string", "Why it is as it is: OVERLAP, CATCH_UP, EXPIRED, WORKER_LOST, …", nullable: true),
        .of("attempts", "integer", "How many calls were made."),
        .of("http_status", "integer", "What the target answered last.", nullable: true),
        .of("duration_ms", "number", "How long the last call took.", nullable: true),
        .of("drift_ms", "number", "actual_start_time less scheduled_time.", nullable: true),
        .of("response", "string", responseText, nullable: true),
        .of("error_message", "string", "Why the last call failed.", nullable: true),
        .of("worker", "string", "Who made the last call.", nullable: true),
        .time("created_at", "When its row was written."),
        .time("next_attempt_at", "While it waits for a retry.", required: false),
        .of(
            "skipped_count",
            "integer",
            "How many due times a SKIPPED row stands for.",
            ["format": "int64"],
            required: false
        ),
        .time("skipped_from", "The first of them.", required: false),
        .of(
            "lost_attempts",
            "integer",
            "How many attempts were lost with their workers: nobody knows whether the target saw them.",
            required: false
        ),
        Property(
            name: "failed_attempts",
            schema: [
                "type": "array", "items": .reference("Attempt"), "description": "Only when one execution is read.",
            ],
            isRequired: false
        ),
        .of("api_url", "string", "What was called; only in the answers of debug/execute_sync.", required: false),
    ]

    static let stats: [Property] = [
        .id("job_id", "The job."), .time("from", "What the figures cover: from here,"), .time("to", "to here."),
        .of("total_executions", "integer", "Executions that were due in that time.", ["format": "int64"]),
        .of("success_count", "integer", "Those that ended well.", ["format": "int64"]),
        .of("failure_count", "integer", "Those that did not.", ["format": "int64"]),
        .of("success_rate", "number", "In percent.", nullable: true),
        .of("avg_duration_ms", "number", "Mean duration.", nullable: true),
        .of("avg_drift_ms", "number", "Mean drift.", nullable: true),
        .of("p50_duration_ms", "number", "Median duration.", nullable: true),
        .of("p95_duration_ms", "number", "95 % were not longer.", nullable: true),
        .of("p99_duration_ms", "number", "99 % were not longer.", nullable: true),
        .of("p50_drift_ms", "number", "Median drift.", nullable: true),
        .of("p95_drift_ms", "number", "95 % were not later.", nullable: true),
        .of("p99_drift_ms", "number", "99 % were not later.", nullable: true),
    ]

    static let preview: [Property] = [
        .of("schedule", "string", "As it was asked for."), .of("time_zone", "string", "Its zone."),
        .of("schedule_description", "string", "The schedule in words."),
        Property(
            name: "times",
            schema: [
                "type": "array", "description": "The next due times.",
                "items": [Property.time("time", "In UTC."), .of("local_time", "string", "In the schedule's zone.")]
                    .answered("A due time."),
            ]
        ),
    ]

    static let health: [Property] = [
        .of("status", "string", "UP or DOWN.", ["enum": ["UP", "DOWN"]]),
        .of("scheduler_running", "boolean", "Whether a scheduler leads."),
        .of("worker_pool_active", "boolean", "Whether a worker takes calls."),
        .of(
            "database_connected",
            "boolean",
            "Whether the scheduler's database answers, and takes what is written, within a lease."
        ),
        .of("workers", "integer", "How many workers there are."),
        .of("leader_address", "string", "Who leads.", nullable: true),
        .of("open_executions", "integer", "Executions that are not over.", nullable: true),
        .of("version", "string", "This gateway's version."),
        .of("detail", "string", "What is wrong, in words.", nullable: true),
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
        .of("type", "string", "Where the code is described.", ["format": "uri-reference"]),
        .of("title", "string", "The code in words."), .of("status", "integer", "The status of the answer."),
        .of(
            "code",
            "string",
            "Stable.",
            ["enum": .array(Problem.meanings.map { .string($0.code) }), "x-meanings": meanings]
        ),
        .of(
            "reason",
            "string",
            "Tells cases of one code apart: " + ClientError.Reason.allCases.map(\.rawValue).joined(separator: ", ")
                + ".",
            required: false
        ),
        .of("detail", "string", "What was wrong this time, and what would be right."),
        Property(
            name: "errors",
            schema: [
                "type": "array", "description": "The fields, parameters or headers that are wrong.",
                "items": [
                    Property.of("field", "string", "Its name."), .of("message", "string", "What is wrong with it."),
                ]
                .answered("One thing that is wrong."),
            ]
        ),
    ]

    /// By name, in the order of the document.
    static let all: [(name: String, schema: JSONValue)] = [
        ("Job", job.answered("A job.")),
        ("NewJob", settings.asked("A job to be made.", required: JobField.all.filter(\.isRequired).map(\.name))),
        (
            "JobChange",
            settings.asked("What is to change in a job; null takes a setting back to its default.", required: [])
        ),
        (
            "Call",
            settings.filter { !["schedule", "name", "active"].contains($0.name) }
                .asked("A call to be made at once.", required: ["api_url"])
        ),
        ("Execution", execution.answered("The life of one due time of a job.")),
        ("Attempt", attempt.answered("A call that failed.")),
        (
            "Accepted",
            (execution.filter { ["execution_id", "job_id", "scheduled_time", "status"].contains($0.name) }
                + [.of("api_url", "string", "What is called.")]).answered("An execution that is on its way.")
        ),
        ("ExecutionStats", stats.answered("How a job's executions went.")),
        ("SchedulePreview", preview.answered("When a schedule is due.")),
        (
            "ScheduleRefreshed",
            [Property.of("status", "string", "SCHEDULE_REFRESHED"), .of("jobs", "integer", "How many jobs there are.")]
                .answered("That it is done.")
        ),
        ("Cluster", cluster.answered("What a scheduler knows of the cluster.")),
        ("ShardState", shard.answered("A slice of the jobs, and who has it.")),
        ("WorkerState", worker.answered("A worker.")),
        ("SchedulerState", scheduler.answered("A scheduler that this gateway is connected to.")),
        ("Health", health.answered("Whether calls are being made.")),
        (
            "Readiness",
            [
                "description": "The state of the cluster, or only the status.",
                "anyOf": [.reference("Health"), .reference("Liveness")],
            ]
        ),
        ("Liveness", [Property.of("status", "string", "UP")].answered("That this process lives.")),
        (
            "Root",
            [
                Property.of("name", "string", "Carillon"), .of("version", "string", "Its version."),
                .of("links", "object", "Where everything is.", ["additionalProperties": ["type": "string"]]),
            ].answered("What is here.")
        ),
        ("Problem", problem.answered("Why a request was not done (RFC 9457).")),
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
                "After an outage, of the times beyond the window: the last one, all, or none."
            )
        ),
        (
            "OverlapPolicy",
            words(
                OverlapPolicy.allCases.map(\.rawValue),
                "SKIP: a due time is skipped while an execution of the job is open."
            )
        ),
        (
            "DstPolicy",
            words(
                JobField.daylightPolicy.words,
                "CRON runs what falls into a gap right after it, and what comes twice once; SKIP leaves the gap out; BOTH runs what comes twice twice."
            )
        ),
        (
            "ExecutionStatus",
            words(
                ExecutionStatus.allCases.map(\.rawValue),
                "PENDING, RUNNING and RETRYING are open; the others are final. UNKNOWN: a crash made it unknowable."
            )
        ),
        ("Trigger", words(Trigger.allCases.map(\.rawValue), "Its schedule, or a request.")),
    ]
}
