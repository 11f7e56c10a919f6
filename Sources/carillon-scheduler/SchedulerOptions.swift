internal import ArgumentParser
internal import CarillonCore
internal import CarillonPostgres
internal import CarillonSystem

/// Where the database is. What the program and `migrate` have in common is a group of the same type in both: the parser
/// gives each option to the first command that knows it, and hands a group that it has read to those below.
struct DatabaseAddress: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "PostgreSQL connection string or URL, with one host or several. The variable is preferred: arguments are "
                + "visible to every user of the machine until the program has moved them. (DATABASE_URL; required)",
            valueName: "url"
        )
    )
    var databaseUrl: String?

    /// The options whose values hold a password, and the variables that they are moved to.
    static let secrets = ["--database-url": "DATABASE_URL", "--database-read-url": "DATABASE_READ_URL"]

    /// The value of the flag or the environment variable.
    func url() throws(ConfigurationError) -> String {
        let url = try Setting.required("DATABASE_URL", flag: databaseUrl, hint: Self.example)
        return try Self.readable(url, "DATABASE_URL")
    }

    /// - Throws: why the URL cannot be used, without quoting it. A server that is away is waited for; an invalid URL would be
    ///   waited for without end.
    static func readable(_ url: String, _ name: String) throws(ConfigurationError) -> String {
        guard let problem = PostgresConfiguration.problem(with: url) else { return url }
        throw ConfigurationError(
            "\(name) cannot be read: \(problem); it must look like \(example) (its value is not shown; in a URL the "
                + "characters @ : / ? # % of a password are written %40 %3A %2F %3F %23 %25)"
        )
    }

    private static let example = "postgresql://user:password@127.0.0.1:5432/job_scheduler"
}

/// How the database is used.
struct DatabaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where history is read, a replica for example. (DATABASE_READ_URL; default: the same)",
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
            "Whether the schema is brought up to date at start, true or false. (MIGRATE; default: true)",
            valueName: "boolean"
        )
    )
    var migrate: String?
}

/// Whom it talks to.
struct NetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where workers and clients connect; port 0 takes a free one. (LISTEN; default: 127.0.0.1:7070)",
            valueName: "host:port"
        )
    )
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "The address that others reach it at. (ADVERTISE; default: that of --listen, or the host's name)",
            valueName: "host:port"
        )
    )
    var advertise: String?

    @Option(
        help: ArgumentHelp(
            "Where /metrics, /livez and /readyz are. (METRICS_LISTEN; default: 127.0.0.1:7071)",
            valueName: "host:port"
        )
    )
    var metricsListen: String?

    @Option(
        help: ArgumentHelp(
            "Between two heartbeats of a connection; five without a sign end it. (HEARTBEAT; default: 2s)",
            valueName: "duration"
        )
    )
    var heartbeat: String?
}

/// How it keeps schedules.
struct ScheduleOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("How long the lease lasts without renewal. (LEASE; default: 5s)", valueName: "duration")
    )
    var lease: String?

    @Option(
        help: ArgumentHelp(
            "How many milliseconds ahead the rows of due times are written. (HORIZON_MS; default: 500)",
            valueName: "milliseconds"
        )
    )
    var horizonMs: String?

    @Option(
        help: ArgumentHelp(
            "How often changes made by hand in SQL, and time zone data, are looked for. (REFRESH_INTERVAL; default: 60s)",
            valueName: "duration"
        )
    )
    var refreshInterval: String?

    @Option(
        help: ArgumentHelp(
            "How long a call may take unless its job says otherwise. (REQUEST_TIMEOUT; default: \(Job.blank.timeoutMs / 1_000)s)",
            valueName: "duration"
        )
    )
    var requestTimeout: String?

    @Option(
        help: ArgumentHelp(
            "Attempts after the first that failed, unless the job says otherwise. (MAX_RETRIES; default: \(Job.blank.maxRetries))",
            valueName: "count"
        )
    )
    var maxRetries: String?

    @Option(
        help: ArgumentHelp(
            "Missed times up to this age all run after an outage, unless the job says otherwise. (CATCH_UP_WINDOW; "
                + "default: \(Job.blank.catchUpWindowMs / 1_000)s)",
            valueName: "duration"
        )
    )
    var catchUpWindow: String?

    @Option(
        help: ArgumentHelp("Bytes of an answer that are kept. (RESPONSE_LIMIT; default: 4KiB)", valueName: "bytes")
    )
    var responseLimit: String?

    @Option(
        help: ArgumentHelp(
            "Days of history; 0 keeps all of it. (RETENTION_DAYS; default: 30)",
            valueName: "days"
        )
    )
    var retentionDays: String?

    @Option(
        help: ArgumentHelp(
            "Executions in memory at which further due times wait. (MAX_OPEN_EXECUTIONS; default: 250000)",
            valueName: "count"
        )
    )
    var maxOpenExecutions: String?
}
