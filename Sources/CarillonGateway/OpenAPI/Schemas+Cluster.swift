internal import CarillonJSON

extension Schemas {
    static let cluster: [Property] = [
        .id("server_id", "The scheduler that answers; new at each of its starts."),
        .of("leading", "boolean", "Whether it leads."),
        .of("epoch", "integer", "Of its lease, when it leads.", ["format": "int64"], required: false),
        .of("leader_address", "string", "Who leads.", required: false),
        .time("cluster_time", "The time by which everything is judged."),
        .of("database_skew_ms", "integer", "The database's clock less the scheduler's.", ["format": "int64"]),
        .of("database_connected", "boolean", "Whether it reaches its database."),
        .of("jobs", "integer", "All jobs.", ["format": "int64"]),
        .of("active_jobs", "integer", "Those that are not paused.", ["format": "int64"]),
        .of("heap_size", "integer", "Timers that are set.", ["format": "int64"]),
        .of("ready_queue_depth", "integer", "Due executions that wait for a free slot.", ["format": "int64"]),
        .of("open_executions", "integer", "Executions that are not over.", ["format": "int64"]),
        Property(name: "shards", schema: .list(of: "ShardState")),
        Property(name: "workers", schema: .list(of: "WorkerState")),
        .of("version", "string", "The scheduler's version."),
        .of("tzdata_version", "string", "Of its time zone database."),
        .time("started_at", "When it started.", required: false),
        .of("problem", "string", "What keeps executions from being called; absent while all is well.", required: false),
        Property(name: "schedulers", schema: .list(of: "SchedulerState")),
    ]

    static let shard: [Property] = [
        .of("shard", "integer", "0 to 15."),
        .of("owner_id", "string", "The scheduler that has it.", ["format": "uuid"], required: false),
        .of("address", "string", "Where that is.", required: false),
        .of("epoch", "integer", "Grows with every take-over.", ["format": "int64"]),
        .time("lease_expires_at", "Until when, unless it is renewed.", required: false),
        .time("materialized_through", "Until when its due times are rows.", required: false),
        .time("settled_through", "Until when all of them are over.", required: false),
        .time("gap_from", "An outage that is being made up for: from here,", required: false),
        .time("gap_to", "to here.", required: false),
    ]

    static let worker: [Property] = [
        .of("name", "string", "Its name, the same across restarts."), .id("boot_id", "New at each of its starts."),
        .of("address", "string", "Where it is."), .of("draining", "boolean", "Whether it takes no more calls."),
        .of("max_workers", "integer", "How many calls it runs at a time."),
        .of("in_flight", "integer", "How many it has."),
        .of("free_slots", "integer", "How many more it has offered to take."),
        .of("skew_ms", "number", "Its clock less the scheduler's.", required: false),
        .of("version", "string", "Its version.", required: false),
    ]

    static let scheduler: [Property] = [
        .of("scheduler", "string", "The address that was configured."),
        .of("address", "string", "The one that it led to."),
        .id("server_id", "New at each of its starts."), .of("version", "string", "Its version.", required: false),
    ]
}
