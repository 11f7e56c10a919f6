internal import CarillonCore
internal import CarillonJSON

extension DetailTable {
    /// A job with its next due times if they are known. Empty settings are left out.
    static func job(_ job: JSONValue, _ times: TimeFormat, next upcoming: [String] = []) -> DetailTable {
        var details = DetailTable()
        details.add("job", job["job_id"]?.string)
        details.add("name", job["name"]?.string)
        details.add("description", job["description"]?.string)
        details.add("schedule", job["schedule"]?.string)
        details.add("", job["schedule_description"]?.string)
        details.add("time zone", job["time_zone"]?.string)
        details.add("dst policy", job["dst_policy"]?.string)
        details.add("active", ValueFormat.text(job["active"]), colour: job["active"] == .bool(false) ? .yellow : nil)
        let next = job["next_run_time"]
        let isIdle = next?.string == nil && job["active"] == .bool(true)
        if upcoming.isEmpty {
            details.add("next run", isIdle ? "never" : times.text(next), colour: isIdle ? .yellow : nil)
        }
        for (index, time) in upcoming.enumerated() { details.add(index == 0 ? "next runs" : "", time) }
        details.add("calls", "\(ValueFormat.text(job["http_method"])) \(ValueFormat.text(job["api_url"]))")
        if case .object(let headers)? = job["headers"] {
            for header in headers { details.add("header", "\(header.name): \(ValueFormat.text(header.value))") }
        }
        details.add("body", job["body"]?.string)
        details.add("execution type", job["execution_type"]?.string)
        details.add("timeout", ValueFormat.seconds(job["timeout_seconds"]))
        details.add("max retries", ValueFormat.text(job["max_retries"]))
        details.add("retry delay", retryDelay(job))
        details.add("catch-up", catchUp(job))
        details.add("overlap", job["overlap_policy"]?.string)
        details.add("priority", ValueFormat.text(job["priority"]))
        details.add("starts at", time: job["starts_at"], times)
        details.add("ends at", time: job["ends_at"], times)
        details.add("tags", ValueFormat.text(job["tags"]))
        for field in JobField.all where !listed.contains(field.name) {
            let text = field.text(of: job[field.name])
            if text != field.text(of: field.defaultJSON) { details.add(field.label, text) }
        }
        details.add("version", ValueFormat.text(job["version"]))
        details.add("created", time: job["created_at"], times)
        details.add("updated", time: job["updated_at"], times)
        return details
    }

    /// Settings that have their own line. Any other setting is shown if it differs from its default.
    private static let listed: Set<String> = [
        "schedule", "api_url", "execution_type", "name", "description", "time_zone", "dst_policy", "http_method",
        "headers", "body", "timeout_seconds", "max_retries", "retry_initial_delay_seconds", "retry_max_delay_seconds",
        "catch_up_policy", "catch_up_window_seconds", "overlap_policy", "priority", "starts_at", "ends_at", "tags",
        "active",
    ]

    private static func retryDelay(_ job: JSONValue) -> String {
        let first = ValueFormat.seconds(job["retry_initial_delay_seconds"])
        let most = ValueFormat.seconds(job["retry_max_delay_seconds"])
        return first.isEmpty || most.isEmpty ? first + most : "\(first), doubling up to \(most)"
    }

    private static func catchUp(_ job: JSONValue) -> String {
        let policy = ValueFormat.text(job["catch_up_policy"])
        let window = ValueFormat.seconds(job["catch_up_window_seconds"])
        return window.isEmpty ? policy : "\(policy), all within \(window)"
    }

    static func execution(_ execution: JSONValue, _ times: TimeFormat) -> DetailTable {
        var details = DetailTable()
        let status = ValueFormat.text(execution["status"])
        details.add("execution", execution["execution_id"]?.string)
        details.add("job", execution["job_id"]?.string)
        details.add("job name", execution["job_name"]?.string)
        details.add("trigger", execution["trigger"]?.string)
        details.add("status", status, colour: Style.colour(of: status))
        details.add("reason", execution["reason"]?.string)
        details.add("scheduled", time: execution["scheduled_time"], times)
        details.add("started", time: execution["actual_start_time"], times)
        details.add("finished", time: execution["finished_at"], times)
        details.add("next attempt", time: execution["next_attempt_at"], times)
        details.add("attempts", ValueFormat.text(execution["attempts"]))
        if let lost = execution["lost_attempts"]?.integer {
            details.add("lost attempts", "\(lost), because workers disappeared; the target may have received them")
        }
        details.add("drift", ValueFormat.milliseconds(execution["drift_ms"]))
        details.add("duration", ValueFormat.milliseconds(execution["duration_ms"]))
        details.add("http status", ValueFormat.text(execution["http_status"]))
        details.add("error", execution["error_message"]?.string)
        details.add("response", execution["response"]?.string)
        details.add("worker", execution["worker"]?.string)
        if let count = execution["skipped_count"]?.integer {
            details.add("represents", "\(count) due times since \(times.text(execution["skipped_from"]))")
        }
        return details
    }

    static func stats(_ stats: JSONValue, _ times: TimeFormat) -> DetailTable {
        var details = DetailTable()
        details.add("job", stats["job_id"]?.string)
        details.add("from", time: stats["from"], times)
        details.add("to", time: stats["to"], times)
        details.add("executions", ValueFormat.text(stats["total_executions"]))
        details.add("succeeded", ValueFormat.text(stats["success_count"]))
        let failures = stats["failure_count"]?.integer ?? 0
        details.add("failed", ValueFormat.text(stats["failure_count"]), colour: failures > 0 ? .red : nil)
        details.add(
            "success rate",
            ValueFormat.number(stats["success_rate"]).map { "\(TextFormat.decimal($0, places: 2)) %" }
        )
        details.add("duration", percentiles(stats, "duration"))
        details.add("drift", percentiles(stats, "drift"))
        return details
    }

    private static func percentiles(_ stats: JSONValue, _ what: String) -> String {
        ["avg", "p50", "p95", "p99"].compactMap { name in
            let figure = ValueFormat.milliseconds(stats["\(name)_\(what)_ms"])
            return figure.isEmpty ? nil : "\(name) \(figure)"
        }.joined(separator: ", ")
    }

    static func cluster(_ cluster: JSONValue, _ times: TimeFormat) -> DetailTable {
        var details = DetailTable()
        let isLeading = cluster["leading"] == .bool(true)
        let isConnected = cluster["database_connected"] == .bool(true)
        details.add("scheduler", cluster["server_id"]?.string)
        details.add("state", isLeading ? "leading" : "standby")
        details.add(
            "leader",
            cluster["leader_address"]?.string ?? "unknown",
            colour: cluster["leader_address"]?.string == nil ? .red : nil
        )
        details.add("epoch", ValueFormat.text(cluster["epoch"]))
        details.add("database", isConnected ? "connected" : "not reachable", colour: isConnected ? nil : .red)
        details.add("cluster time", time: cluster["cluster_time"], times)
        details.add("database skew", ValueFormat.milliseconds(cluster["database_skew_ms"]))
        details.add("jobs", "\(ValueFormat.text(cluster["jobs"])), \(ValueFormat.text(cluster["active_jobs"])) active")
        details.add("heap size", ValueFormat.text(cluster["heap_size"]))
        details.add("queue depth", ValueFormat.text(cluster["ready_queue_depth"]))
        details.add("open", ValueFormat.text(cluster["open_executions"]))
        let workers = cluster["workers"]?.array ?? []
        let free = workers.reduce(0) { $0 + ($1["free_slots"]?.integer ?? 0) }
        let slots = workers.reduce(0) { $0 + ($1["max_workers"]?.integer ?? 0) }
        details.add("workers", "\(workers.count), \(free) of \(slots) slots free", colour: workers.isEmpty ? .red : nil)
        details.add("version", cluster["version"]?.string)
        details.add("time zones", cluster["tzdata_version"]?.string)
        details.add("started", time: cluster["started_at"], times)
        return details
    }
}

extension JobField {
    /// `start_deadline_seconds` → `start deadline`
    fileprivate var label: String {
        let words = name.split(separator: "_").filter { $0 != "seconds" }
        return words.joined(separator: " ")
    }

    fileprivate func text(of value: JSONValue?) -> String {
        if case .seconds = kind { ValueFormat.seconds(value) } else { ValueFormat.text(value) }
    }
}
