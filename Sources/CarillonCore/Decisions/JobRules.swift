package import CarillonCron

/// The defaults of job settings that an operator can configure.
package struct JobDefaults: Sendable, Hashable {
    package var timeoutMs: Int
    package var maxRetries: Int
    package var catchUpWindowMs: Int

    package init(
        timeoutMs: Int = Job.blank.timeoutMs,
        maxRetries: Int = Job.blank.maxRetries,
        catchUpWindowMs: Int = Job.blank.catchUpWindowMs
    ) {
        self.timeoutMs = timeoutMs
        self.maxRetries = maxRetries
        self.catchUpWindowMs = catchUpWindowMs
    }
}

/// Validates a client's settings and turns them into a job, or returns all field errors (G9).
package struct JobRules: Sendable {
    /// The maximum size of a job's body, the same as in REST. Larger bodies would produce lists that exceed a frame.
    package static let maxBodyBytes = 1_048_576

    private let defaults: JobDefaults
    /// The plan for an expression, a zone and a policy, or the field errors.
    private let plan: @Sendable (String, String, DaylightPolicy) -> Result<SchedulePlan, FieldErrors>

    /// The invalid fields.
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

    /// A new job. Its times are set when it is created.
    package func make(_ settings: JobSettings, id: JobID) throws(ClientError) -> PlannedJob {
        var errors: [FieldError] = []
        let planned = merge(settings, onto: blank(id), errors: &errors, isNew: true)
        try check(errors)
        return planned
    }

    /// An ad-hoc job with one immediate call.
    package func makeAdHoc(_ settings: JobSettings, id: JobID) throws(ClientError) -> PlannedJob {
        var errors: [FieldError] = []
        var settings = settings
        for (name, isGiven) in [("schedule", settings.schedule != nil), ("name", settings.name != nil)] where isGiven {
            errors.append(
                FieldError(field: name, message: "is not allowed for an immediate call; leave it out")
            )
        }
        settings.schedule = "@every 1h"
        settings.name = nil
        settings.active = false
        var planned = merge(settings, onto: blank(id), errors: &errors, isNew: true)
        try check(errors)
        planned.job.isAdHoc = true
        return planned
    }

    /// The changed job, and whether its schedule starts again.
    package func change(_ job: Job, by settings: JobSettings) throws(ClientError) -> (
        planned: PlannedJob, restarts: Bool
    ) {
        var errors: [FieldError] = []
        var planned = merge(settings, onto: job, errors: &errors, isNew: false)
        try check(errors)
        let new = planned.job
        let restarts = JobField.all.contains { $0.restartsSchedule && $0.value(of: new) != $0.value(of: job) }
        planned.job.version = job.version + 1
        return (planned, restarts)
    }

    /// The plan of a stored job; `nil` if its schedule or zone is invalid.
    package func planned(_ job: Job) -> PlannedJob {
        PlannedJob(job: job, plan: try? plan(job.schedule, job.timeZone, job.daylightPolicy).get())
    }

    private func blank(_ id: JobID) -> Job {
        var job = Job.blank
        job.id = id
        job.timeoutMs = defaults.timeoutMs
        job.maxRetries = defaults.maxRetries
        job.catchUpWindowMs = defaults.catchUpWindowMs
        return job
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
        let required = JobField.all.filter(\.isRequired)
        if isNew {
            for field in required where settings[field] == nil {
                let message = "is missing; it is required, \(field.requiredExample ?? "")"
                errors.append(FieldError(field: field.name, message: message))
            }
        }
        // A required setting that is null or absent is missing.
        let cleared = isNew ? settings.cleared.subtracting(required.map(\.name)) : settings.cleared
        clear(cleared, of: &job, errors: &errors)
        for field in JobField.all {
            guard let value = settings[field] else { continue }
            let problems = field.problems(with: value)
            errors += problems
            // An out-of-range number may not be representable. Other values are checked together.
            if problems.isEmpty || !field.isNumber { field.set(value, of: &job) }
        }
        checkTogether(settings, &job, errors: &errors)
        return PlannedJob(job: job, plan: schedulePlan(of: job, settings, errors: &errors))
    }

    /// Checks settings that depend on each other.
    private func checkTogether(_ settings: JobSettings, _ job: inout Job, errors: inout [FieldError]) {
        if job.call.body != nil, job.call.method == "GET" || job.call.method == "HEAD" {
            let message = "cannot be sent with \(job.call.method); leave it out or use another http_method"
            errors.append(FieldError(field: JobField.body.name, message: message))
        }
        if settings.retryInitialDelaySeconds != nil, settings.retryMaxDelaySeconds == nil,
            job.retryMaxDelayMs < job.retryInitialDelayMs
        {
            job.retryMaxDelayMs = job.retryInitialDelayMs
        }
        if job.retryMaxDelayMs < job.retryInitialDelayMs {
            let message = "is less than retry_initial_delay_seconds; it must be at least as long"
            errors.append(FieldError(field: JobField.retryMaxDelay.name, message: message))
        }
        if let start = job.startsAt, let end = job.endsAt, end <= start {
            let message = "is not after starts_at; it must be later"
            errors.append(FieldError(field: JobField.endsAt.name, message: message))
        }
    }

    private func schedulePlan(of job: Job, _ settings: JobSettings, errors: inout [FieldError]) -> SchedulePlan? {
        guard !job.schedule.isEmpty || settings.schedule != nil else { return nil }
        switch plan(job.schedule, job.timeZone, job.daylightPolicy) {
        case .success(let plan):
            return plan
        case .failure(let failure):
            errors.append(contentsOf: failure.errors)
            return nil
        }
    }

    /// Resets fields to their defaults.
    private func clear(_ names: Set<String>, of job: inout Job, errors: inout [FieldError]) {
        let blank = blank(job.id)
        for name in names.sorted() {
            guard let field = JobField.byName[name] else {
                errors.append(FieldError(field: name, message: "is not a field of a job that can be cleared"))
                continue
            }
            if field.isRequired {
                errors.append(FieldError(field: name, message: "cannot be cleared; it is required"))
            } else {
                field.copy(from: blank, to: &job)
            }
        }
    }
}
