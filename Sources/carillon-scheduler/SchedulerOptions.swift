internal import ArgumentParser
internal import CarillonCore
internal import CarillonPostgres
internal import CarillonSystem

/// The database's address. The program and `migrate` use the same option group: the parser gives each option to the first
/// command that declares it, and passes a group that it has read to subcommands.
struct DatabaseAddress: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "PostgreSQL connection string or URL, with one host or several. The variable is preferred: arguments are "
                + "visible to every user of the machine until the program has moved them. (DATABASE_URL; required)",
            valueName: "url"
        )
    )
    var databaseUrl: String?

    /// The options whose values contain a password, and the environment variables to which they are moved.
    static let secrets = ["--database-url": "DATABASE_URL", "--database-read-url": "DATABASE_READ_URL"]

    /// The value of the flag or the environment variable.
    func url() throws(ConfigurationError) -> String {
        let url = try Setting.required("DATABASE_URL", flag: databaseUrl, hint: Self.example)
        return try Self.readable(url, "DATABASE_URL")
    }

    /// - Throws: why the URL cannot be used, without quoting it. An unreachable server is retried, so an invalid URL would be
    ///   retried forever.
    static func readable(_ url: String, _ name: String) throws(ConfigurationError) -> String {
        guard let problem = PostgresConfiguration.problem(with: url) else { return url }
        throw ConfigurationError(
            "\(name) cannot be read: \(problem); it must look like \(example) (its value is not shown; in a URL the "
                + "characters @ : / ? # % of a password are written %40 %3A %2F %3F %23 %25)"
        )
    }

    private static let example = "postgresql://user:password@127.0.0.1:5432/job_scheduler"
}

/// Options for the use of the database.
struct DatabaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Address for reads of history, for example a replica. (DATABASE_READ_URL; default: the same)",
            valueName: "url"
        )
    )
    var databaseReadUrl: String?

    @Option(
        help: ArgumentHelp(
            "Connections for reads, 1 to 64. (DATABASE_CONNECTIONS; default: 4)",
            valueName: "count"
        )
    )
    var databaseConnections: String?

    @Option(
        help: ArgumentHelp(
            "Whether to migrate the schema at start, true or false. (MIGRATE; default: true)",
            valueName: "boolean"
        )
    )
    var migrate: String?
}

/// Addresses and heartbeats.
struct NetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Address for workers and clients; port 0 takes a free one. (LISTEN; default: 127.0.0.1:7070)",
            valueName: "host:port"
        )
    )
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "The address for workers, clients and other schedulers. (ADVERTISE; default: the address of --listen, or the host's name)",
            valueName: "host:port"
        )
    )
    var advertise: String?

    @Option(
        help: ArgumentHelp(
            "Address of /metrics, /livez and /readyz. (METRICS_LISTEN; default: 127.0.0.1:7071)",
            valueName: "host:port"
        )
    )
    var metricsListen: String?

    @Option(
        help: ArgumentHelp(
            "Time between heartbeats of a connection; five missed heartbeats end it. (HEARTBEAT; default: 2s)",
            valueName: "duration"
        )
    )
    var heartbeat: String?
}

/// Options for schedules, calls and history.
struct ScheduleOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Duration of the lease without renewal. (LEASE; default: 5s)", valueName: "duration")
    )
    var lease: String?

    @Option(
        help: ArgumentHelp(
            "Milliseconds before a due time at which the execution's row is written. (HORIZON_MS; default: 500)",
            valueName: "milliseconds"
        )
    )
    var horizonMs: String?

    @Option(
        help: ArgumentHelp(
            "Time between checks for changes made in SQL and for new time zone data. (REFRESH_INTERVAL; default: 60s)",
            valueName: "duration"
        )
    )
    var refreshInterval: String?

    @Option(
        help: ArgumentHelp(
            "Timeout of a call, for jobs without their own. (REQUEST_TIMEOUT; default: \(Job.blank.timeoutMs / 1_000)s)",
            valueName: "duration"
        )
    )
    var requestTimeout: String?

    @Option(
        help: ArgumentHelp(
            "Retries after the first attempt, for jobs without their own value. (MAX_RETRIES; default: \(Job.blank.maxRetries))",
            valueName: "count"
        )
    )
    var maxRetries: String?

    @Option(
        help: ArgumentHelp(
            "Age up to which all missed times run after an outage, for jobs without their own value. (CATCH_UP_WINDOW; "
                + "default: \(Job.blank.catchUpWindowMs / 1_000)s)",
            valueName: "duration"
        )
    )
    var catchUpWindow: String?

    @Option(
        help: ArgumentHelp("Bytes of a response to keep. (RESPONSE_LIMIT; default: 4KiB)", valueName: "bytes")
    )
    var responseLimit: String?

    @Option(
        help: ArgumentHelp(
            "Days of history to keep; 0 keeps everything. (RETENTION_DAYS; default: 30)",
            valueName: "days"
        )
    )
    var retentionDays: String?

    @Option(
        help: ArgumentHelp(
            "Limit of executions in memory; at the limit, further due times wait. (MAX_OPEN_EXECUTIONS; default: 250000)",
            valueName: "count"
        )
    )
    var maxOpenExecutions: String?
}
