internal import CarillonWire

extension Table.Layout {
    static let jobs = Table.Layout(columns: [
        .init(title: "JOB") { Figures.text($0["job_id"]) },
        .init(title: "NAME", shrinks: true) { Figures.text($0["name"]) },
        .init(title: "SCHEDULE") { job in
            let zone = Figures.text(job["time_zone"])
            return Figures.text(job["schedule"]) + (zone.isEmpty || zone == "UTC" ? "" : " \(zone)")
        },
        .init(title: "ACTIVE") { Figures.text($0["active"]) },
        .init(title: "NEXT RUN") { Figures.text($0["next_run_time"]) },
        .init(title: "CALLS", shrinks: true) { "\(Figures.text($0["http_method"])) \(Figures.text($0["api_url"]))" },
    ])

    /// Of one job.
    static let executions = Table.Layout(columns: executionColumns)

    static let executionsOfAllJobs: Table.Layout = {
        var columns = executionColumns
        columns.insert(.init(title: "JOB") { Figures.text($0["job_id"]) }, at: 1)
        return Table.Layout(columns: columns)
    }()

    /// Lines that come one by one: the widths cannot wait for what is still to come.
    static let watch: Table.Layout = {
        var layout = executionsOfAllJobs
        layout.minimums = [36, 36, 24, 9, 4, 8, 8, 8]
        return layout
    }()

    private static let executionColumns: [Table.Column] = [
        .init(title: "EXECUTION") { Figures.text($0["execution_id"]) },
        .init(title: "SCHEDULED") { Figures.text($0["scheduled_time"]) },
        .init(title: "STATUS", value: { Figures.text($0["status"]) }, colour: Style.colour),
        .init(title: "HTTP", isRight: true) { Figures.text($0["http_status"]) },
        .init(title: "ATTEMPTS", isRight: true) { Figures.text($0["attempts"]) },
        .init(title: "DURATION", isRight: true) { Figures.milliseconds($0["duration_ms"]) },
        .init(title: "DRIFT", isRight: true) { Figures.milliseconds($0["drift_ms"]) },
        .init(title: "WHAT HAPPENED", shrinks: true) { execution in
            let reason = Figures.text(execution["reason"])
            let error = Figures.text(execution["error_message"])
            let count = execution["skipped_count"]?.integer.map { "stands for \($0) due times" } ?? ""
            let lost = execution["lost_attempts"]?.integer.map { "\($0) lost with a worker" } ?? ""
            return [reason, error, count, lost].filter { !$0.isEmpty }.joined(separator: ": ")
        },
    ]

    static let attempts = Table.Layout(columns: [
        .init(title: "ATTEMPT", isRight: true) { Figures.text($0["attempt"]) },
        .init(title: "STARTED") { Figures.text($0["started_at"]) },
        .init(title: "HTTP", isRight: true) { Figures.text($0["http_status"]) },
        .init(title: "DURATION", isRight: true) { Figures.milliseconds($0["duration_ms"]) },
        .init(title: "WORKER") { Figures.text($0["worker"]) },
        .init(title: "ERROR", shrinks: true) { Figures.text($0["error_message"]) },
    ])

    static let workers = Table.Layout(columns: [
        .init(title: "WORKER") { Figures.text($0["name"]) },
        .init(title: "ADDRESS") { Figures.text($0["address"]) },
        .init(title: "SLOTS", isRight: true) { Figures.text($0["max_workers"]) },
        .init(title: "IN FLIGHT", isRight: true) { Figures.text($0["in_flight"]) },
        .init(title: "FREE", isRight: true) { Figures.text($0["free_slots"]) },
        .init(title: "SKEW", isRight: true) { Figures.milliseconds($0["skew_ms"]) },
        .init(title: "STATE") { $0["draining"] == .bool(true) ? "draining" : "working" },
        .init(title: "VERSION") { Figures.text($0["version"]) },
    ])

    static let shards = Table.Layout(columns: [
        .init(title: "SHARDS") { Figures.text($0["shards"]) },
        .init(title: "LED BY") { Figures.text($0["address"]) },
        .init(title: "EPOCH", isRight: true) { Figures.text($0["epoch"]) },
        .init(title: "LEASE UNTIL") { Figures.text($0["lease_expires_at"]) },
        .init(title: "MATERIALIZED THROUGH") { Figures.text($0["materialized_through"]) },
        .init(title: "SETTLED THROUGH") { Figures.text($0["settled_through"]) },
        .init(title: "GAP") { shard in
            let from = Figures.text(shard["gap_from"])
            return from.isEmpty ? "" : "\(from) to \(Figures.text(shard["gap_to"]))"
        },
    ])

    static let requests = Table.Layout(columns: [
        .init(title: "MESSAGE") { Figures.text($0["message"]) },
        .init(title: "FIELD") { Figures.text($0["field"]) },
        .init(title: "TYPE", shrinks: true) { Figures.text($0["type"]) },
        .init(title: "") { $0["required"] == .bool(true) ? "required" : "" },
    ])
}
