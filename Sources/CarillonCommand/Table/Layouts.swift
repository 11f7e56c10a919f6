internal import CarillonJSON

extension Table.Layout {
    static let jobs = Table.Layout(columns: [
        .init(title: "JOB", value: { ShortID.text($0["job_id"]) }),
        .init(title: "NAME", shrinks: true, minimum: 22, value: { ValueFormat.text($0["name"]) }),
        .init(
            title: "SCHEDULE",
            shrinks: true,
            minimum: 16,
            value: { job in
                let zone = ValueFormat.text(job["time_zone"])
                return ValueFormat.text(job["schedule"]) + (zone.isEmpty || zone == "UTC" ? "" : " \(zone)")
            }
        ),
        .init(title: "LAST", value: { ValueFormat.text($0["last_status"]) }, colour: Style.colour),
        .init(
            title: "NEXT RUN",
            value: { $0["active"] == .bool(false) ? "paused" : "never" },
            time: "next_run_time",
            colour: { $0 == "paused" || $0 == "never" ? .yellow : nil }
        ),
        .init(
            title: "CALLS",
            shrinks: true,
            minimum: 24,
            drop: 1,
            value: { "\(ValueFormat.text($0["http_method"])) \(ValueFormat.text($0["api_url"]))" }
        ),
    ])

    /// The executions of one job.
    static let executions = Table.Layout(columns: executionColumns)

    static let executionsOfAllJobs: Table.Layout = {
        var columns = executionColumns
        let job = Table.Column(
            title: "JOB",
            shrinks: true,
            minimum: 12,
            value: { execution in
                let name = ValueFormat.text(execution["job_name"])
                return name.isEmpty ? ShortID.text(execution["job_id"]) : name
            }
        )
        columns.insert(job, at: 1)
        columns[columns.count - 1].minimum = 22
        return Table.Layout(columns: columns)
    }()

    /// The layout of rows that are printed one by one, with fixed widths.
    static let watch: Table.Layout = {
        var layout = executionsOfAllJobs
        layout.minimums = [ShortID.length, ShortID.length, 19, 9, 4, 8, 8, 8]
        return layout
    }()

    private static let executionColumns: [Table.Column] = [
        .init(title: "EXECUTION", value: { ShortID.text($0["execution_id"]) }),
        .init(title: "SCHEDULED", time: "scheduled_time"),
        .init(title: "STATUS", value: { ValueFormat.text($0["status"]) }, colour: Style.colour),
        .init(title: "HTTP", isRight: true, drop: 1, value: { ValueFormat.text($0["http_status"]) }),
        .init(title: "ATTEMPTS", isRight: true, drop: 3, value: { ValueFormat.text($0["attempts"]) }),
        .init(title: "DURATION", isRight: true, drop: 2, value: { ValueFormat.milliseconds($0["duration_ms"]) }),
        .init(title: "DRIFT", isRight: true, drop: 4, value: { ValueFormat.milliseconds($0["drift_ms"]) }),
        .init(
            title: "DETAILS",
            shrinks: true,
            minimum: 28,
            value: { execution in
                let reason = ValueFormat.text(execution["reason"])
                let error = ValueFormat.text(execution["error_message"])
                let count = execution["skipped_count"]?.integer.map { "represents \($0) due times" } ?? ""
                let lost = execution["lost_attempts"]?.integer.map { "\($0) attempts lost" } ?? ""
                return [reason, error, count, lost].filter { !$0.isEmpty }.joined(separator: ": ")
            }
        ),
    ]

    static let attempts = Table.Layout(columns: [
        .init(title: "ATTEMPT", isRight: true, value: { ValueFormat.text($0["attempt"]) }),
        .init(title: "STARTED", time: "started_at"),
        .init(title: "HTTP", isRight: true, value: { ValueFormat.text($0["http_status"]) }),
        .init(title: "DURATION", isRight: true, drop: 1, value: { ValueFormat.milliseconds($0["duration_ms"]) }),
        .init(title: "WORKER", drop: 2, value: { ValueFormat.text($0["worker"]) }),
        .init(title: "ERROR", shrinks: true, minimum: 28, value: { ValueFormat.text($0["error_message"]) }),
    ])

    static let workers = Table.Layout(columns: [
        .init(title: "WORKER", value: { ValueFormat.text($0["name"]) }),
        .init(title: "ADDRESS", drop: 3, value: { ValueFormat.text($0["address"]) }),
        .init(title: "SLOTS", isRight: true, drop: 1, value: { ValueFormat.text($0["max_workers"]) }),
        .init(title: "IN FLIGHT", isRight: true, value: { ValueFormat.text($0["in_flight"]) }),
        .init(title: "FREE", isRight: true, value: { ValueFormat.text($0["free_slots"]) }),
        .init(title: "SKEW", isRight: true, drop: 2, value: { ValueFormat.milliseconds($0["skew_ms"]) }),
        .init(title: "STATE", value: { $0["draining"] == .bool(true) ? "draining" : "working" }),
        .init(title: "VERSION", drop: 4, value: { ValueFormat.text($0["version"]) }),
    ])

    static let shards = Table.Layout(columns: [
        .init(title: "SHARDS", value: { ValueFormat.text($0["shards"]) }),
        .init(title: "LED BY", value: { ValueFormat.text($0["address"]) }),
        .init(title: "EPOCH", isRight: true, drop: 3, value: { ValueFormat.text($0["epoch"]) }),
        .init(title: "LEASE UNTIL", drop: 4, time: "lease_expires_at"),
        .init(title: "MATERIALIZED THROUGH", drop: 2, time: "materialized_through"),
        .init(title: "SETTLED THROUGH", drop: 1, time: "settled_through"),
        .init(title: "GAP FROM", time: "gap_from"),
        .init(title: "GAP TO", drop: 5, time: "gap_to"),
    ])

    static let requests = Table.Layout(columns: [
        .init(title: "MESSAGE", value: { ValueFormat.text($0["message"]) }),
        .init(title: "FIELD", value: { ValueFormat.text($0["field"]) }),
        .init(title: "TYPE", shrinks: true, value: { ValueFormat.text($0["type"]) }),
        .init(title: "", value: { $0["required"] == .bool(true) ? "required" : "" }),
    ])
}
