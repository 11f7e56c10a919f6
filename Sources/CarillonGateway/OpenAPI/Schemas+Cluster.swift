internal import CarillonJSON

extension Schemas {
    static let cluster: [Property] = [
        .id("server_id", "The id of the answering scheduler; a new one at each start."),
        .of("leading", "boolean", "Whether this scheduler leads."),
        .of("epoch", "integer", "The epoch of its lease; only while it leads.", ["format": "int64"], required: false),
        .of("leader_address", "string", "The address of the leader.", required: false),
        .time("cluster_time", "The cluster time, which decides when executions are due."),
        .of("database_skew_ms", "integer", "The database's clock minus the scheduler's clock.", ["format": "int64"]),
        .of("database_connected", "boolean", "Whether the scheduler is connected to its database."),
        .of("jobs", "integer", "Number of jobs.", ["format": "int64"]),
        .of("active_jobs", "integer", "Number of jobs that are not paused.", ["format": "int64"]),
        .of("heap_size", "integer", "Number of timers set.", ["format": "int64"]),
        .of("ready_queue_depth", "integer", "Number of due executions that wait for a free slot.", ["format": "int64"]),
        .of("open_executions", "integer", "Number of executions that have not ended.", ["format": "int64"]),
        Property(name: "shards", schema: .list(of: "ShardState")),
        Property(name: "workers", schema: .list(of: "WorkerState")),
        .of("version", "string", "The scheduler's version."),
        .of("tzdata_version", "string", "The version of its time zone database."),
        .time("started_at", "The start time of the scheduler.", required: false),
        .of(
            "problem",
            "string",
            "The problem that prevents calls; absent while the scheduler works normally.",
            required: false
        ),
        Property(name: "schedulers", schema: .list(of: "SchedulerState")),
    ]

    static let shard: [Property] = [
        .of("shard", "integer", "0 to 15."),
        .of("owner_id", "string", "The id of the scheduler that leads the shard.", ["format": "uuid"], required: false),
        .of("address", "string", "The address of that scheduler.", required: false),
        .of("epoch", "integer", "Increases with every take-over.", ["format": "int64"]),
        .time("lease_expires_at", "The time at which the lease expires unless it is renewed.", required: false),
        .time("materialized_through", "Due times up to this time have been written as rows.", required: false),
        .time("settled_through", "All executions up to this time have ended.", required: false),
        .time("gap_from", "Start of the outage whose missed due times are being inserted.", required: false),
        .time("gap_to", "End of that outage.", required: false),
    ]

    static let worker: [Property] = [
        .of("name", "string", "The worker's name; the same after a restart."),
        .id("boot_id", "A new id at each start of the worker."),
        .of("address", "string", "The worker's address."),
        .of("draining", "boolean", "Whether the worker accepts no more calls because it is stopping."),
        .of("max_workers", "integer", "Maximum number of calls at the same time."),
        .of("in_flight", "integer", "Number of calls in flight."),
        .of("free_slots", "integer", "Number of calls that the worker can take in addition."),
        .of("skew_ms", "number", "The worker's clock minus the scheduler's clock.", required: false),
        .of("version", "string", "The worker's version.", required: false),
    ]

    static let scheduler: [Property] = [
        .of("scheduler", "string", "The configured address."),
        .of("address", "string", "The resolved address of the connection."),
        .id("server_id", "A new id at each start of the scheduler."),
        .of("version", "string", "The scheduler's version.", required: false),
    ]
}
