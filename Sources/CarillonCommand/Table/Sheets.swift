internal import CarillonCore
internal import CarillonJSON

extension FactSheet {
    /// A job with its next times if they are known, without the settings that it does not have.
    static func job(_ job: JSONValue, _ times: TimeFormat, next upcoming: [String] = []) -> FactSheet {
        var sheet = FactSheet()
        sheet.add("job", job["job_id"]?.string)
        sheet.add("name", job["name"]?.string)
        sheet.add("description", job["description"]?.string)
        sheet.add("schedule", job["schedule"]?.string)
        sheet.add("", job["schedule_description"]?.string)
        sheet.add("time zone", job["time_zone"]?.string)
        sheet.add("dst policy", job["dst_policy"]?.string)
        sheet.add("active", Figures.text(job["active"]), colour: job["active"] == .bool(false) ? .yellow : nil)
        let next = job["next_run_time"]
        let isIdle = next?.string == nil && job["active"] == .bool(true)
        if upcoming.isEmpty {
            sheet.add("next run", isIdle ? "never" : times.text(next), colour: isIdle ? .yellow : nil)
        }
        for (index, time) in upcoming.enumerated() { sheet.add(index == 0 ? "next runs" : "", time) }
        sheet.add("calls", "\(Figures.text(job["http_method"])) \(Figures.text(job["api_url"]))")
        if case .object(let headers)? = job["headers"] {
            for header in headers { sheet.add("header", "\(header.name): \(Figures.text(header.value))") }
        }
        sheet.add("body", job["body"]?.string)
        sheet.add("execution type", job["execution_type"]?.string)
        sheet.add("timeout", Figures.seconds(job["timeout_seconds"]))
        sheet.add("max retries", Figures.text(job["max_retries"]))
        sheet.add("retry delay", retryDelay(job))
        sheet.add("catch-up", catchUp(job))
        sheet.add("overlap", job["overlap_policy"]?.string)
        sheet.add("priority", Figures.text(job["priority"]))
        sheet.add("starts at", time: job["starts_at"], times)
        sheet.add("ends at", time: job["ends_at"], times)
        sheet.add("tags", Figures.text(job["tags"]))
        for field in JobField.all where !listed.contains(field.name) {
            let text = field.text(of: job[field.name])
            if text != field.text(of: field.defaultJSON) { sheet.add(field.label, text) }
        }
        sheet.add("version", Figures.text(job["version"]))
        sheet.add("created", time: job["created_at"], times)
        sheet.add("updated", time: job["updated_at"], times)
        return sheet
    }

    /// Settings that a job's facts show in their own way. Any other one is shown when it differs from its default.
    private static let listed: Set<String> = [
        "schedule", "api_url", "execution_type", "name", "description", "time_zone", "dst_policy", "http_method",
        "headers", "body", "timeout_seconds", "max_retries", "retry_initial_delay_seconds", "retry_max_delay_seconds",
        "catch_up_policy", "catch_up_window_seconds", "overlap_policy", "priority", "starts_at", "ends_at", "tags",
        "active",
    ]

    private static func retryDelay(_ job: JSONValue) -> String {
        let first = Figures.seconds(job["retry_initial_delay_seconds"])
        let most = Figures.seconds(job["retry_max_delay_seconds"])
        return first.isEmpty || most.isEmpty ? first + most : "\(first), doubling up to \(most)"
    }

    private static func catchUp(_ job: JSONValue) -> String {
        let policy = Figures.text(job["catch_up_policy"])
        let window = Figures.seconds(job["catch_up_window_seconds"])
        return window.isEmpty ? policy : "\(policy), all within \(window)"
    }

    static func execution(_ execution: JSONValue, _ times: TimeFormat) -> FactSheet {
        var sheet = FactSheet()
        let status = Figures.text(execution["status"])
        sheet.add("execution", execution["execution_id"]?.string)
        sheet.add("job", execution["job_id"]?.string)
        sheet.add("job name", execution["job_name"]?.string)
        sheet.add("trigger", execution["trigger"]?.string)
        sheet.add("status", status, colour: Style.colour(of: status))
        sheet.add("reason", execution["reason"]?.string)
        sheet.add("scheduled", time: execution["scheduled_time"], times)
        sheet.add("started", time: execution["actual_start_time"], times)
        sheet.add("finished", time: execution["finished_at"], times)
        sheet.add("next attempt", time: execution["next_attempt_at"], times)
        sheet.add("attempts", Figures.text(execution["attempts"]))
        if let lost = execution["lost_attempts"]?.integer {
            sheet.add("lost attempts", "\(lost), with their workers; the target may have seen them")
        }
        sheet.add("drift", Figures.milliseconds(execution["drift_ms"]))
        sheet.add("duration", Figures.milliseconds(execution["duration_ms"]))
        sheet.add("http status", Figures.text(execution["http_status"]))
        sheet.add("error", execution["error_message"]?.string)
        sheet.add("response", execution["response"]?.string)
        sheet.add("worker", execution["worker"]?.string)
        if let count = execution["skipped_count"]?.integer {
            sheet.add("stands for", "\(count) due times since \(times.text(execution["skipped_from"]))")
        }
        return sheet
    }

    static func stats(_ stats: JSONValue, _ times: TimeFormat) -> FactSheet {
        var sheet = FactSheet()
        sheet.add("job", stats["job_id"]?.string)
        sheet.add("from", time: stats["from"], times)
        sheet.add("to", time: stats["to"], times)
        sheet.add("executions", Figures.text(stats["total_executions"]))
        sheet.add("succeeded", Figures.text(stats["success_count"]))
        let failures = stats["failure_count"]?.integer ?? 0
        sheet.add("failed", Figures.text(stats["failure_count"]), colour: failures > 0 ? .red : nil)
        sheet.add("success rate", Figures.number(stats["success_rate"]).map { "\(Text.decimal($0, places: 2)) %" })
        sheet.add("duration", percentiles(stats, "duration"))
        sheet.add("drift", percentiles(stats, "drift"))
        return sheet
    }

    private static func percentiles(_ stats: JSONValue, _ what: String) -> String {
        ["avg", "p50", "p95", "p99"].compactMap { name in
            let figure = Figures.milliseconds(stats["\(name)_\(what)_ms"])
            return figure.isEmpty ? nil : "\(name) \(figure)"
        }.joined(separator: ", ")
    }

    static func cluster(_ cluster: JSONValue, _ times: TimeFormat) -> FactSheet {
        var sheet = FactSheet()
        let isLeading = cluster["leading"] == .bool(true)
        let isConnected = cluster["database_connected"] == .bool(true)
        sheet.add("scheduler", cluster["server_id"]?.string)
        sheet.add("state", isLeading ? "leading" : "standing by")
        sheet.add(
            "leader",
            cluster["leader_address"]?.string ?? "none known",
            colour: cluster["leader_address"]?.string == nil ? .red : nil
        )
        sheet.add("epoch", Figures.text(cluster["epoch"]))
        sheet.add("database", isConnected ? "connected" : "not reachable", colour: isConnected ? nil : .red)
        sheet.add("cluster time", time: cluster["cluster_time"], times)
        sheet.add("database skew", Figures.milliseconds(cluster["database_skew_ms"]))
        sheet.add("jobs", "\(Figures.text(cluster["jobs"])), \(Figures.text(cluster["active_jobs"])) active")
        sheet.add("heap size", Figures.text(cluster["heap_size"]))
        sheet.add("queue depth", Figures.text(cluster["ready_queue_depth"]))
        sheet.add("open", Figures.text(cluster["open_executions"]))
        let workers = cluster["workers"]?.array ?? []
        let free = workers.reduce(0) { $0 + ($1["free_slots"]?.integer ?? 0) }
        let slots = workers.reduce(0) { $0 + ($1["max_workers"]?.integer ?? 0) }
        sheet.add("workers", "\(workers.count), \(free) of \(slots) slots free", colour: workers.isEmpty ? .red : nil)
        sheet.add("version", cluster["version"]?.string)
        sheet.add("time zones", cluster["tzdata_version"]?.string)
        sheet.add("started", time: cluster["started_at"], times)
        return sheet
    }
}

extension JobField {
    /// `start_deadline_seconds` → `start deadline`
    fileprivate var label: String {
        let words = name.split(separator: "_").filter { $0 != "seconds" }
        return words.joined(separator: " ")
    }

    fileprivate func text(of value: JSONValue?) -> String {
        if case .seconds = kind { Figures.seconds(value) } else { Figures.text(value) }
    }
}
