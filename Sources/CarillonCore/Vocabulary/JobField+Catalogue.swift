internal import CarillonCron

/// The catalogue of settings. The article <doc:Architecture> explains how to add a setting.
extension JobField {
    /// All settings, in the order of the protocol's fields.
    package static let all: [JobField] = [
        schedule, url, executionType, name, description, timeZone, daylightPolicy, method, headers, body, timeout,
        maxRetries, retryInitialDelay, retryMaxDelay, catchUpPolicy, catchUpWindow, overlapPolicy, priority, startsAt,
        endsAt, tags, active, startDeadline,
    ]

    /// Also the range for the default timeout in a scheduler's configuration.
    package static let timeoutRange = 0.05...86_400.0
    package static let maxRetriesRange = 0...100

    package static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    package static let schedule = JobField(
        "schedule",
        "A cron expression of 5 to 7 fields (seconds first when there are 6), or a nickname: @daily, @every 5m, …",
        .text(TextLimits()),
        .text(get: { $0.schedule }, set: { $0.schedule = $1 }),
        requiredExample: "such as '0 30 9 * * MON-FRI'",
        restartsSchedule: true
    )

    package static let url = JobField(
        "api_url",
        "The URL to call: absolute, http or https. The host may be internationalized.",
        .text(TextLimits(format: "iri", bytes: 0...URLRule.maxBytes)),
        .text(get: { $0.call.url }, set: { $0.call.url = $1 }),
        requiredExample: "such as https://example.com/hook",
        isSentToWorker: true,
        check: { value in textProblem("api_url", value) { URLRule.problem(with: $0) } }
    )

    package static let executionType = JobField(
        "execution_type",
        "Whether a request may be repeated after a crash (AT_LEAST_ONCE) or never is (AT_MOST_ONCE).",
        .word(type: "ExecutionType", words: ExecutionType.allCases.map(\.rawValue)),
        .text(
            get: { $0.executionType.rawValue },
            set: { $0.executionType = ExecutionType(rawValue: $1) ?? $0.executionType }
        ),
        isSentToWorker: true
    )

    package static let name = JobField(
        "name",
        "Unique among the jobs that are not deleted.",
        .text(TextLimits(bytes: JobTextRule.nameBytes, pattern: "\\S")),
        .optionalText(get: { $0.name }, set: { $0.name = $1 }),
        check: { value in textProblems("name", value) { JobTextRule.problems(withName: $0) } }
    )

    package static let description = JobField(
        "description",
        "A description for users; Carillon does not use it.",
        .text(TextLimits(bytes: 0...JobTextRule.maxDescriptionBytes)),
        .optionalText(get: { $0.description }, set: { $0.description = $1 }),
        check: { value in textProblem("description", value) { JobTextRule.problem(withDescription: $0) } }
    )

    package static let timeZone = JobField(
        "time_zone",
        "The time zone of the schedule: a name of the IANA time zone database.",
        .text(TextLimits()),
        .text(get: { $0.timeZone }, set: { $0.timeZone = $1 }),
        restartsSchedule: true
    )

    package static let daylightPolicy = JobField(
        "dst_policy",
        "How due times in a daylight saving change are handled.",
        .word(type: "DstPolicy", words: DaylightPolicy.allCases.map(\.rawValue)),
        .text(
            get: { $0.daylightPolicy.rawValue },
            set: { $0.daylightPolicy = DaylightPolicy(rawValue: $1) ?? $0.daylightPolicy }
        ),
        restartsSchedule: true
    )

    package static let method = JobField(
        "http_method",
        "The HTTP method of the request.",
        .text(TextLimits()),
        .text(get: { $0.call.method }, set: { $0.call.method = $1 }),
        isSentToWorker: true,
        check: { value in textProblem("http_method", value) { HeaderRule.problem(withMethod: $0) } }
    )

    package static let headers = JobField(
        "headers",
        "Headers of the request, in addition to those that Carillon sets.",
        .map,
        .headers(get: { $0.call.headers }, set: { $0.call.headers = $1 }),
        isSentToWorker: true,
        check: { value in if case .headers(let headers) = value { HeaderRule.problems(with: headers) } else { [] } }
    )

    package static let body = JobField(
        "body",
        "The body of the request; by default JSON that identifies the execution.",
        .text(TextLimits()),
        .optionalText(get: { $0.call.body }, set: { $0.call.body = $1 }),
        isSentToWorker: true,
        check: { value in textProblems("body", value) { JobTextRule.problems(withBody: $0) } }
    )

    package static let timeout = JobField(
        "timeout_seconds",
        "The maximum duration of an attempt.",
        .seconds(timeoutRange),
        .integer(get: { $0.timeoutMs }, set: { $0.timeoutMs = $1 }),
        isSentToWorker: true
    )

    package static let maxRetries = JobField(
        "max_retries",
        "The maximum number of further attempts after the first one failed.",
        .integer(maxRetriesRange),
        .integer(get: { $0.maxRetries }, set: { $0.maxRetries = $1 })
    )

    package static let retryInitialDelay = JobField(
        "retry_initial_delay_seconds",
        "The delay before the second attempt; it doubles with each further attempt.",
        .seconds(0...86_400),
        .integer(get: { $0.retryInitialDelayMs }, set: { $0.retryInitialDelayMs = $1 })
    )

    package static let retryMaxDelay = JobField(
        "retry_max_delay_seconds",
        "The maximum delay between two attempts.",
        .seconds(0...86_400),
        .integer(get: { $0.retryMaxDelayMs }, set: { $0.retryMaxDelayMs = $1 })
    )

    package static let catchUpPolicy = JobField(
        "catch_up_policy",
        "Which missed due times older than the catch-up window run after an outage.",
        .word(type: "CatchUpPolicy", words: CatchUpPolicy.allCases.map(\.rawValue)),
        .text(
            get: { $0.catchUpPolicy.rawValue },
            set: { $0.catchUpPolicy = CatchUpPolicy(rawValue: $1) ?? $0.catchUpPolicy }
        )
    )

    package static let catchUpWindow = JobField(
        "catch_up_window_seconds",
        "All missed due times up to this age run after an outage.",
        .seconds(0...2_000_000),
        .integer(get: { $0.catchUpWindowMs }, set: { $0.catchUpWindowMs = $1 })
    )

    package static let overlapPolicy = JobField(
        "overlap_policy",
        "Whether an execution starts while another execution of the job is open.",
        .word(type: "OverlapPolicy", words: OverlapPolicy.allCases.map(\.rawValue)),
        .text(
            get: { $0.overlapPolicy.rawValue },
            set: { $0.overlapPolicy = OverlapPolicy(rawValue: $1) ?? $0.overlapPolicy }
        )
    )

    package static let priority = JobField(
        "priority",
        "Due executions with a higher priority start first.",
        .integer(-1_000...1_000),
        .integer(get: { $0.priority }, set: { $0.priority = $1 })
    )

    package static let startsAt = JobField(
        "starts_at",
        "The schedule has no due time before this instant.",
        .time,
        .time(get: { $0.startsAt }, set: { $0.startsAt = $1 }),
        restartsSchedule: true
    )

    package static let endsAt = JobField(
        "ends_at",
        "The schedule has no due time after this instant.",
        .time,
        .time(get: { $0.endsAt }, set: { $0.endsAt = $1 }),
        restartsSchedule: true
    )

    package static let tags = JobField(
        "tags",
        "Labels to filter jobs by.",
        .list(JobTextRule.tags),
        .texts(get: { $0.tags }, set: { $0.tags = $1 }),
        check: { value in if case .list(let tags) = value { JobTextRule.problems(withTags: tags) } else { [] } }
    )

    package static let active = JobField(
        "active",
        "Whether the schedule creates executions; false while the job is paused.",
        .flag,
        .flag(get: { $0.active }, set: { $0.active = $1 }),
        restartsSchedule: true
    )

    package static let startDeadline = JobField(
        "start_deadline_seconds",
        "An execution that cannot start within this time after its scheduled_time is SKIPPED (START_DEADLINE); 0: none.",
        .seconds(0...2_000_000),
        .integer(get: { Int($0.limits.startDeadlineMs) }, set: { $0.limits.startDeadlineMs = Int32(clamping: $1) })
    )

    private static func textProblem(
        _ field: String,
        _ value: JobValue,
        _ check: (String) -> String?
    ) -> [FieldError] {
        textProblems(field, value) { check($0).map { [$0] } ?? [] }
    }

    private static func textProblems(
        _ field: String,
        _ value: JobValue,
        _ check: (String) -> [String]
    ) -> [FieldError] {
        guard case .text(let text) = value else { return [] }
        return check(text).map { FieldError(field: field, message: $0) }
    }
}
