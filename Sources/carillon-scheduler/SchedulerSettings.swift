internal import CarillonCore
internal import CarillonPostgres
internal import CarillonRuntime
internal import CarillonScheduler
internal import CarillonSystem

/// The validated values of flags and environment variables.
struct SchedulerSettings {
    var postgres: PostgresConfiguration
    var migrates: Bool
    var listen: HostPort
    var advertise: HostPort?
    /// `nil`: the default address, or a free port if the default port is taken.
    var metricsListen: HostPort?
    var scheduler: SchedulerConfiguration

    static let defaultListen = HostPort(host: "127.0.0.1", port: 7070)
    static let defaultMetricsListen = HostPort(host: "127.0.0.1", port: 7071)

    init(_ options: SchedulerCommand) throws(ConfigurationError) {
        let (database, network, schedules) = (options.database, options.network, options.schedules)
        let readURL = try Setting.text("DATABASE_READ_URL", flag: database.databaseReadUrl)
        postgres = PostgresConfiguration(
            url: try options.address.url(),
            readURL: try readURL.map { url throws(ConfigurationError) in
                try DatabaseAddress.readable(url, "DATABASE_READ_URL")
            },
            connections: try Setting.integer(
                "DATABASE_CONNECTIONS",
                flag: database.databaseConnections,
                default: 4,
                in: 1...64
            )
        )
        migrates = try Setting.boolean("MIGRATE", flag: database.migrate, default: true)
        listen = try Setting.address("LISTEN", flag: network.listen, default: Self.defaultListen)
        advertise = try Setting.address("ADVERTISE", flag: network.advertise)
        if let advertise, advertise.port == 0 {
            throw ConfigurationError(
                "ADVERTISE is \(advertise); its port must be the port that peers connect to, 1 to 65535"
            )
        }
        metricsListen = try Setting.address("METRICS_LISTEN", flag: network.metricsListen)
        // Boxed, because the thread sanitizer needs an address for an inout argument, and an empty value has none.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        scheduler = SchedulerConfiguration(
            dispatcher: DispatcherConfiguration(
                owner: UniqueID.random(using: &random),
                leaseMs: try Setting.durationMs("LEASE", flag: schedules.lease, default: 5_000, in: 2_000...300_000),
                horizonMs: try Setting.integer("HORIZON_MS", flag: schedules.horizonMs, default: 500, in: 10...60_000),
                maxOpenExecutions: try Setting.integer(
                    "MAX_OPEN_EXECUTIONS",
                    flag: schedules.maxOpenExecutions,
                    default: 250_000,
                    in: 100...10_000_000
                ),
                responseLimit: try Setting.bytes(
                    "RESPONSE_LIMIT",
                    flag: schedules.responseLimit,
                    default: 4_096,
                    in: 0...262_144
                )
            ),
            defaults: JobDefaults(
                timeoutMs: try Setting.durationMs(
                    "REQUEST_TIMEOUT",
                    flag: schedules.requestTimeout,
                    default: Job.blank.timeoutMs,
                    in: 100...Int(JobField.timeoutRange.upperBound) * 1_000
                ),
                maxRetries: try Setting.integer(
                    "MAX_RETRIES",
                    flag: schedules.maxRetries,
                    default: Job.blank.maxRetries,
                    in: JobField.maxRetriesRange
                ),
                catchUpWindowMs: try Setting.durationMs(
                    "CATCH_UP_WINDOW",
                    flag: schedules.catchUpWindow,
                    default: Job.blank.catchUpWindowMs,
                    in: 0...604_800_000
                )
            ),
            refreshIntervalMs: try Setting.durationMs(
                "REFRESH_INTERVAL",
                flag: schedules.refreshInterval,
                default: 60_000,
                in: 1_000...86_400_000
            ),
            heartbeatMs: try Setting.durationMs("HEARTBEAT", flag: network.heartbeat, default: 2_000, in: 100...60_000),
            retentionDays: try Setting.integer(
                "RETENTION_DAYS",
                flag: schedules.retentionDays,
                default: 30,
                in: 0...36_500
            ),
            version: CarillonVersion.current
        )
    }

    /// The address announced to clients, schedulers and workers, once the port is known.
    func advertised(port: Int) -> HostPort {
        if let advertise { return advertise }
        guard ["0.0.0.0", "::", "::0"].contains(listen.host) else { return HostPort(host: listen.host, port: port) }
        return HostPort(host: MachineName.current ?? "127.0.0.1", port: port)
    }
}
