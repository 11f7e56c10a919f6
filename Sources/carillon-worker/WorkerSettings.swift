internal import CarillonRuntime
internal import CarillonSystem

/// The validated values of flags and environment variables.
struct WorkerSettings {
    var schedulers: [HostPort]
    var maxWorkers: Int
    /// `nil`: the first free default port.
    var metrics: HostPort?
    /// `nil`: derived from the host's name and the metrics port.
    var name: String?
    var heartbeatMs: Int
    var connectionMaxAgeSeconds: Int

    init(_ command: WorkerCommand) throws(ConfigurationError) {
        schedulers = try Setting.addresses(
            "SCHEDULERS",
            flag: command.schedulers,
            default: [HostPort(host: "127.0.0.1", port: 7070)]
        )
        maxWorkers = try Setting.integer("MAX_WORKERS", flag: command.maxWorkers, default: 256, in: 1...65_536)
        metrics = try Setting.address("METRICS_LISTEN", flag: command.metricsListen)
        // Error texts show the flag as --name.
        name = try Setting.text("WORKER_NAME", flag: command.name)
        if let name, name.utf8.count > 255 {
            throw ConfigurationError("WORKER_NAME (--name) has \(name.utf8.count) bytes; allowed are 1 to 255")
        }
        heartbeatMs = try Setting.durationMs("HEARTBEAT", flag: command.heartbeat, default: 2_000, in: 100...60_000)
        let ageMs = try Setting.durationMs(
            "CONNECTION_MAX_AGE",
            flag: command.connectionMaxAge,
            default: 60_000,
            in: 1_000...3_600_000
        )
        connectionMaxAgeSeconds = ageMs / 1_000
    }

    /// The configured name, or the default name.
    func name(metricsPort: Int) -> String {
        if let name { return name }
        return "\(MachineName.current ?? "worker")-\(metricsPort)"
    }
}
