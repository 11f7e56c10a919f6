package import CarillonCron

/// What a job is when its author says nothing.
package struct JobDefaults: Sendable, Hashable {
    package var timeoutMs: Int
    package var maxRetries: Int
    package var catchUpWindowMs: Int

    package init(timeoutMs: Int = 30_000, maxRetries: Int = 3, catchUpWindowMs: Int = 60_000) {
        self.timeoutMs = timeoutMs
        self.maxRetries = maxRetries
        self.catchUpWindowMs = catchUpWindowMs
    }
}

/// Turns what a client said into a job, or into all that is wrong with it (G9).
package struct JobRules: Sendable {
    /// Of a job's body: as much as REST takes in. Larger ones would make lists of jobs that fit into no frame.
    package static let maxBodyBytes = 1_048_576
    private static let maxTags = 32

    private let defaults: JobDefaults
    /// The plan for an expression, a zone and a policy, or the field error that says why there is none.
    private let plan: @Sendable (String, String, DaylightPolicy) -> Result<SchedulePlan, FieldErrors>

    /// What is wrong, field by field.
    package struct FieldErrors: Error, Sendable, Hashable {
        package var errors: [FieldError]

        package init(_ errors: [FieldError]) {
            self.errors = errors
        }
    }

    package init(
        defaults: JobDefaults,
        plan: @escaping @Sendable (String, String, DaylightPolicy) -> Result<SchedulePlan, FieldErrors>
    ) {
        self.defaults = defaults
        self.plan = plan
    }

    /// A new job. Its times are set when it is made.
    package func make(_ settings: JobSettings, id: JobID) throws(ClientError) -> PlannedJob {
        var errors: [FieldError] = []
        if settings.schedule == nil { errors.append(missing("schedule", "such as '0 30 9 * * MON-FRI'")) }
        let planned = merge(settings, onto: blank(id), errors: &errors, isNew: true)
        try check(errors)
        return planned
    }

    /// A hidden job that is called once, now.
    package func makeHidden(_ settings: JobSettings, id: JobID) throws(ClientError) -> PlannedJob {
        var errors: [FieldError] = []
        var settings = settings
        for (name, isGiven) in [("schedule", settings.schedule != nil), ("name", settings.name != nil)] where isGiven {
            errors.append(
                FieldError(field: name, message: "has no meaning for a call that is made at once; leave it out")
            )
        }
        settings.schedule = "@every 1h"
        settings.name = nil
        settings.active = false
        var planned = merge(settings, onto: blank(id), errors: &errors, isNew: true)
        try check(errors)
        planned.job.hidden = true
        return planned
    }

    /// The job as it will be, and whether its schedule begins anew.
    package func change(_ job: Job, by settings: JobSettings) throws(ClientError) -> (
        planned: PlannedJob, restarts: Bool
    ) {
        var errors: [FieldError] = []
        var planned = merge(settings, onto: job, errors: &errors, isNew: false)
        try check(errors)
        let new = planned.job
        let restarts =
            new.schedule != job.schedule || new.timeZone != job.timeZone || new.daylightPolicy != job.daylightPolicy
            || new.startsAt != job.startsAt || new.endsAt != job.endsAt || new.active != job.active
        planned.job.version = job.version + 1
        return (planned, restarts)
    }

    /// The plan of a job that is in the database already; `nil` when its schedule or zone cannot be read.
    package func planned(_ job: Job) -> PlannedJob {
        PlannedJob(job: job, plan: try? plan(job.schedule, job.timeZone, job.daylightPolicy).get())
    }

    private func blank(_ id: JobID) -> Job {
        let none = Timestamp(milliseconds: 0)
        return Job(
            id: id,
            schedule: "",
            call: HTTPCall(url: ""),
            timeoutMs: defaults.timeoutMs,
            maxRetries: defaults.maxRetries,
            catchUpWindowMs: defaults.catchUpWindowMs,
            effectiveFrom: none,
            createdAt: none,
            updatedAt: none
        )
    }

    private func missing(_ field: String, _ example: String) -> FieldError {
        FieldError(field: field, message: "is missing; it must be given, \(example)")
    }

    private func check(_ errors: [FieldError]) throws(ClientError) {
        guard let first = errors.first else { return }
        let more = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
        let named = Array(errors.prefix(ClientError.maxFieldErrors))
        throw ClientError(.invalidArgument, "\(first.field): \(first.message)\(more)", errors: named)
    }

    // MARK: Merging

    private func merge(
        _ settings: JobSettings,
        onto base: Job,
        errors: inout [FieldError],
        isNew: Bool
    ) -> PlannedJob {
        var job = base
        // What a new job must have and does not is missing, said with null or not said.
        clear(
            isNew ? settings.cleared.subtracting(["schedule", "api_url"]) : settings.cleared,
            of: &job,
            errors: &errors
        )
        if let url = settings.url { job.call.url = url }
        if isNew && settings.url == nil {
            errors.append(missing("api_url", "such as https://example.com/hook"))
        } else if isNew || settings.url != nil, let problem = URLRule.problem(with: job.call.url) {
            errors.append(FieldError(field: "api_url", message: problem))
        }
        mergeTexts(settings, into: &job, errors: &errors)
        mergeCall(settings, into: &job, errors: &errors)
        mergeNumbers(settings, into: &job, errors: &errors)
        if let value = settings.executionType { job.executionType = value }
        if let value = settings.catchUpPolicy { job.catchUpPolicy = value }
        if let value = settings.overlapPolicy { job.overlapPolicy = value }
        if let value = settings.active { job.active = value }
        if let value = settings.startsAt { job.startsAt = value }
        if let value = settings.endsAt { job.endsAt = value }
        if let start = job.startsAt, let end = job.endsAt, end <= start {
            errors.append(FieldError(field: "ends_at", message: "is not after starts_at; it must be later"))
        }
        let plan = mergeSchedule(settings, into: &job, errors: &errors)
        return PlannedJob(job: job, plan: plan)
    }

    private func mergeSchedule(
        _ settings: JobSettings,
        into job: inout Job,
        errors: inout [FieldError]
    ) -> SchedulePlan? {
        if let value = settings.schedule { job.schedule = value }
        if let value = settings.timeZone { job.timeZone = value }
        if let value = settings.daylightPolicy { job.daylightPolicy = value }
        guard !job.schedule.isEmpty || settings.schedule != nil else { return nil }
        switch plan(job.schedule, job.timeZone, job.daylightPolicy) {
        case .success(let plan):
            return plan
        case .failure(let failure):
            errors.append(contentsOf: failure.errors)
            return nil
        }
    }

    private func mergeTexts(_ settings: JobSettings, into job: inout Job, errors: inout [FieldError]) {
        if let name = settings.name {
            job.name = name
            if UniqueID(name) != nil {
                errors.append(
                    FieldError(field: "name", message: "looks like an id; a job is named by either, so choose words")
                )
            }
            if name.isEmpty || name.utf8.count > 200 || name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
                errors.append(
                    FieldError(field: "name", message: "must have 1 to 200 bytes and no control characters")
                )
            } else if name.allSatisfy(\.isWhitespace) {
                errors.append(FieldError(field: "name", message: "is blank; choose words, or leave it out"))
            }
        }
        if let description = settings.description {
            job.description = description
            if description.utf8.count > 4_000 {
                errors.append(
                    FieldError(
                        field: "description",
                        message: "has \(description.utf8.count) bytes; at most 4000 are allowed"
                    )
                )
            }
        }
        if let tags = settings.tags {
            job.tags = tags
            if tags.count > Self.maxTags {
                errors.append(
                    FieldError(field: "tags", message: "are \(tags.count); at most \(Self.maxTags) are allowed")
                )
            }
            if Set(tags).count != tags.count {
                errors.append(FieldError(field: "tags", message: "name the same tag twice"))
            }
            // What is too many is not looked at one by one.
            for tag in tags.prefix(Self.maxTags)
            where tag.isEmpty || tag.utf8.count > 64 || tag.utf8.contains(where: { $0 < 0x20 }) {
                errors.append(
                    FieldError(
                        field: "tags",
                        message: "hold '\(tag.prefix(70))'; a tag has 1 to 64 bytes and no control characters"
                    )
                )
            }
        }
    }

    private func mergeCall(_ settings: JobSettings, into job: inout Job, errors: inout [FieldError]) {
        if let method = settings.method {
            job.call.method = method
            if let problem = HeaderRule.problem(withMethod: method) {
                errors.append(FieldError(field: "http_method", message: problem))
            }
        }
        if let headers = settings.headers {
            job.call.headers = headers
            errors.append(contentsOf: HeaderRule.problems(with: headers))
        }
        if let body = settings.body {
            job.call.body = body
            if body.utf8.count > Self.maxBodyBytes {
                errors.append(
                    FieldError(
                        field: "body",
                        message: "has \(body.utf8.count) bytes; at most \(Self.maxBodyBytes) (1 MiB) are allowed"
                    )
                )
            }
            if body.utf8.contains(0) {
                errors.append(FieldError(field: "body", message: "holds a NUL character, which cannot be stored"))
            }
        }
        if job.call.body != nil, job.call.method == "GET" || job.call.method == "HEAD" {
            errors.append(
                FieldError(
                    field: "body",
                    message: "cannot be sent with \(job.call.method); leave it out or use another http_method"
                )
            )
        }
    }

    private func mergeNumbers(_ settings: JobSettings, into job: inout Job, errors: inout [FieldError]) {
        func milliseconds(_ seconds: Double?, _ field: String, _ range: ClosedRange<Double>, _ target: inout Int) {
            guard let seconds else { return }
            guard seconds.isFinite, range.contains(seconds) else {
                errors.append(
                    FieldError(
                        field: field,
                        message:
                            "is \(seconds); allowed are \(number(range.lowerBound)) to \(number(range.upperBound)) seconds"
                    )
                )
                return
            }
            target = Int((seconds * 1000).rounded())
        }
        func whole(_ value: Int?, _ field: String, _ range: ClosedRange<Int>, _ target: inout Int) {
            guard let value else { return }
            guard range.contains(value) else {
                errors.append(
                    FieldError(
                        field: field,
                        message: "is \(value); allowed are \(range.lowerBound) to \(range.upperBound)"
                    )
                )
                return
            }
            target = value
        }
        milliseconds(settings.timeoutSeconds, "timeout_seconds", 0.05...86_400, &job.timeoutMs)
        milliseconds(
            settings.retryInitialDelaySeconds,
            "retry_initial_delay_seconds",
            0...86_400,
            &job.retryInitialDelayMs
        )
        milliseconds(settings.retryMaxDelaySeconds, "retry_max_delay_seconds", 0...86_400, &job.retryMaxDelayMs)
        milliseconds(settings.catchUpWindowSeconds, "catch_up_window_seconds", 0...2_000_000, &job.catchUpWindowMs)
        whole(settings.maxRetries, "max_retries", 0...100, &job.maxRetries)
        whole(settings.priority, "priority", -1_000...1_000, &job.priority)
        if settings.retryInitialDelaySeconds != nil, settings.retryMaxDelaySeconds == nil,
            job.retryMaxDelayMs < job.retryInitialDelayMs
        {
            job.retryMaxDelayMs = job.retryInitialDelayMs
        }
        if job.retryMaxDelayMs < job.retryInitialDelayMs {
            errors.append(
                FieldError(
                    field: "retry_max_delay_seconds",
                    message: "is less than retry_initial_delay_seconds; it must be at least as long"
                )
            )
        }
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() ? String(Int64(value)) : String(value)
    }

    /// Sets fields back to what they are when nobody says anything.
    private func clear(_ names: Set<String>, of job: inout Job, errors: inout [FieldError]) {
        let blank = blank(job.id)
        for name in names.sorted() {
            switch name {
            case "name": job.name = nil
            case "description": job.description = nil
            case "time_zone": job.timeZone = blank.timeZone
            case "dst_policy": job.daylightPolicy = blank.daylightPolicy
            case "execution_type": job.executionType = blank.executionType
            case "http_method": job.call.method = blank.call.method
            case "headers": job.call.headers = []
            case "body": job.call.body = nil
            case "timeout_seconds": job.timeoutMs = blank.timeoutMs
            case "max_retries": job.maxRetries = blank.maxRetries
            case "retry_initial_delay_seconds": job.retryInitialDelayMs = blank.retryInitialDelayMs
            case "retry_max_delay_seconds": job.retryMaxDelayMs = blank.retryMaxDelayMs
            case "catch_up_policy": job.catchUpPolicy = blank.catchUpPolicy
            case "catch_up_window_seconds": job.catchUpWindowMs = blank.catchUpWindowMs
            case "overlap_policy": job.overlapPolicy = blank.overlapPolicy
            case "priority": job.priority = blank.priority
            case "starts_at": job.startsAt = nil
            case "ends_at": job.endsAt = nil
            case "tags": job.tags = []
            case "active": job.active = blank.active
            case "schedule", "api_url":
                errors.append(FieldError(field: name, message: "cannot be cleared; a job must have it"))
            default:
                errors.append(FieldError(field: name, message: "is no field of a job that can be cleared"))
            }
        }
    }
}
