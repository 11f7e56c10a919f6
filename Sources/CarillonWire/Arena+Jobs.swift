internal import CCarillonProto
internal import CarillonCore
internal import CarillonCron

/// Jobs and their settings, as protobuf-c's structs.
extension Arena {
    /// What a client said. A list that is empty goes out as a cleared field: on the wire it would say nothing.
    func settings(_ settings: JobSettings) -> UnsafeMutablePointer<Carillon__V1__JobSettings> {
        let wire = one(carillon__v1__job_settings__init)
        var cleared = settings.cleared
        wire.pointee.schedule = string(settings.schedule)
        wire.pointee.api_url = string(settings.url)
        if let type = settings.executionType {
            wire.pointee.has_execution_type = 1
            wire.pointee.execution_type = type.wire
        }
        wire.pointee.name = string(settings.name)
        wire.pointee.description = string(settings.description)
        wire.pointee.time_zone = string(settings.timeZone)
        if let policy = settings.daylightPolicy {
            wire.pointee.has_dst_policy = 1
            wire.pointee.dst_policy = policy.wire
        }
        wire.pointee.http_method = string(settings.method)
        if let headers = settings.headers {
            if headers.isEmpty { cleared.insert("headers") }
            (wire.pointee.n_headers, wire.pointee.headers) = self.headers(headers)
        }
        wire.pointee.body = string(settings.body)
        set(settings.timeoutSeconds, &wire.pointee.has_timeout_seconds, &wire.pointee.timeout_seconds)
        if let retries = settings.maxRetries {
            wire.pointee.has_max_retries = 1
            wire.pointee.max_retries = Int32(clamping: retries)
        }
        set(
            settings.retryInitialDelaySeconds,
            &wire.pointee.has_retry_initial_delay_seconds,
            &wire.pointee.retry_initial_delay_seconds
        )
        set(
            settings.retryMaxDelaySeconds,
            &wire.pointee.has_retry_max_delay_seconds,
            &wire.pointee.retry_max_delay_seconds
        )
        if let policy = settings.catchUpPolicy {
            wire.pointee.has_catch_up_policy = 1
            wire.pointee.catch_up_policy = policy.wire
        }
        set(
            settings.catchUpWindowSeconds,
            &wire.pointee.has_catch_up_window_seconds,
            &wire.pointee.catch_up_window_seconds
        )
        if let policy = settings.overlapPolicy {
            wire.pointee.has_overlap_policy = 1
            wire.pointee.overlap_policy = policy.wire
        }
        if let priority = settings.priority {
            wire.pointee.has_priority = 1
            wire.pointee.priority = Int32(clamping: priority)
        }
        set(settings.startsAt?.milliseconds, &wire.pointee.has_starts_at, &wire.pointee.starts_at)
        set(settings.endsAt?.milliseconds, &wire.pointee.has_ends_at, &wire.pointee.ends_at)
        if let tags = settings.tags {
            if tags.isEmpty { cleared.insert("tags") }
            (wire.pointee.n_tags, wire.pointee.tags) = strings(tags)
        }
        if let active = settings.active {
            wire.pointee.has_active = 1
            wire.pointee.active = active ? 1 : 0
        }
        (wire.pointee.n_cleared_fields, wire.pointee.cleared_fields) = strings(cleared.sorted())
        return wire
    }

    /// A job as clients see it: every setting that has a value is said, defaults too.
    func fill(_ view: JobView, _ wire: UnsafeMutablePointer<Carillon__V1__Job>) {
        let job = view.job
        wire.pointee.job_id = id(job.id.uuid)
        let settings = one(carillon__v1__job_settings__init)
        settings.pointee.schedule = string(job.schedule)
        settings.pointee.api_url = string(job.call.url)
        settings.pointee.has_execution_type = 1
        settings.pointee.execution_type = job.executionType.wire
        settings.pointee.name = string(job.name)
        settings.pointee.description = string(job.description)
        settings.pointee.time_zone = string(job.timeZone)
        settings.pointee.has_dst_policy = 1
        settings.pointee.dst_policy = job.daylightPolicy.wire
        settings.pointee.http_method = string(job.call.method)
        (settings.pointee.n_headers, settings.pointee.headers) = headers(job.call.headers)
        settings.pointee.body = string(job.call.body)
        set(seconds(job.timeoutMs), &settings.pointee.has_timeout_seconds, &settings.pointee.timeout_seconds)
        settings.pointee.has_max_retries = 1
        settings.pointee.max_retries = Int32(clamping: job.maxRetries)
        set(
            seconds(job.retryInitialDelayMs),
            &settings.pointee.has_retry_initial_delay_seconds,
            &settings.pointee.retry_initial_delay_seconds
        )
        set(
            seconds(job.retryMaxDelayMs),
            &settings.pointee.has_retry_max_delay_seconds,
            &settings.pointee.retry_max_delay_seconds
        )
        settings.pointee.has_catch_up_policy = 1
        settings.pointee.catch_up_policy = job.catchUpPolicy.wire
        set(
            seconds(job.catchUpWindowMs),
            &settings.pointee.has_catch_up_window_seconds,
            &settings.pointee.catch_up_window_seconds
        )
        settings.pointee.has_overlap_policy = 1
        settings.pointee.overlap_policy = job.overlapPolicy.wire
        settings.pointee.has_priority = 1
        settings.pointee.priority = Int32(clamping: job.priority)
        set(job.startsAt?.milliseconds, &settings.pointee.has_starts_at, &settings.pointee.starts_at)
        set(job.endsAt?.milliseconds, &settings.pointee.has_ends_at, &settings.pointee.ends_at)
        (settings.pointee.n_tags, settings.pointee.tags) = strings(job.tags)
        settings.pointee.has_active = 1
        settings.pointee.active = job.active ? 1 : 0
        wire.pointee.settings = settings
        wire.pointee.schedule_description = string(view.scheduleDescription)
        wire.pointee.version = job.version
        wire.pointee.created_at = job.createdAt.milliseconds
        wire.pointee.updated_at = job.updatedAt.milliseconds
        set(view.nextRunTime?.milliseconds, &wire.pointee.has_next_run_time, &wire.pointee.next_run_time)
    }

    private func seconds(_ milliseconds: Int) -> Double { Double(milliseconds) / 1000 }

    /// An optional number and the flag that says whether it is there.
    func set<Number: Numeric>(_ value: Number?, _ has: inout Int32, _ field: inout Number) {
        guard let value else { return }
        has = 1
        field = value
    }
}
