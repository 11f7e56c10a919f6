internal import ArgumentParser
internal import CarillonSystem

/// Runs the program. A plain function, so that the code below does not inherit the main actor of top-level code.
nonisolated func workerMain() async {
    await WorkerCommand.mainHidingSecrets()
}

/// The worker's command line.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-worker",
        abstract: "Makes the HTTP calls of a Carillon system.",
        discussion: """
            Dials every configured scheduler and takes calls from the leader. For more concurrent calls, start more \
            workers; the schedulers need no change.
            SIGTERM or Ctrl-C stops the worker after its running calls have ended and are reported. The same signal again \
            ends the process at once.

            Every option is also an environment variable; the option wins.

            EXIT STATUS:
              0    drained and stopped
              1    an address is unavailable
              64   a value is invalid
            """,
        version: CarillonVersion.current
    )

    @Option(
        help: ArgumentHelp(
            "Addresses of the schedulers, separated by commas. (SCHEDULERS; default: 127.0.0.1:7070)",
            valueName: "host:port,..."
        )
    )
    var schedulers: String?

    @Option(
        help: ArgumentHelp("Concurrent calls, 1 to 65536. (MAX_WORKERS; default: 256)", valueName: "count")
    )
    var maxWorkers: String?

    @Option(
        help: ArgumentHelp(
            "Address of /metrics, /livez and /readyz. (METRICS_LISTEN; default: the first free port of 127.0.0.1 from "
                + "7072 on)",
            valueName: "host:port"
        )
    )
    var metricsListen: String?

    @Option(
        name: [.customLong("name"), .customLong("worker-name")],
        help: ArgumentHelp(
            "The worker's name: unique, and the same after a restart. (WORKER_NAME; default: the host's name and the port of "
                + "the metrics)",
            valueName: "name"
        )
    )
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Time between heartbeats of a connection, 100ms to 60s; the scheduler's value takes precedence. (HEARTBEAT; "
                + "default: 2s)",
            valueName: "duration"
        )
    )
    var heartbeat: String?

    @Option(
        help: ArgumentHelp(
            "Age above which a connection to a target is not reused, 1s to 1h, so that DNS changes take effect. "
                + "(CONNECTION_MAX_AGE; default: 60s)",
            valueName: "duration"
        )
    )
    var connectionMaxAge: String?

    @OptionGroup(title: "Log") var log: LogOptions

    func run() async throws {
        try await ExitCode.reporting {
            let settings = try WorkerSettings(self)
            let logger = try log.configuration().bootstrap(component: "carillon-worker")
            try await WorkerProcess(settings: settings, logger: logger).run()
        }
    }
}
