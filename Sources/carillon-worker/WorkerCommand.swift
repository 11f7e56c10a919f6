internal import ArgumentParser
internal import CarillonSystem

/// The whole program. A plain function, so that nothing below it inherits the main actor of top-level code.
nonisolated func workerMain() async {
    await WorkerCommand.mainHidingSecrets()
}

/// The command line of a worker.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-worker",
        abstract: "Makes the HTTP calls of a Carillon system.",
        discussion: """
            Dials every scheduler it is told of and takes calls from the one that leads. To have more calls at a time, start \
            more workers: nothing else has to be told of them.

            SIGTERM or Ctrl-C lets the calls that run come to their end and reports them; a second one of the same kind \
            ends the process at once.

            Every option is also an environment variable; the option wins.

            EXIT STATUS:
              0    drained and stopped
              1    an address cannot be had
              64   a value is wrong
            """,
        version: CarillonVersion.current
    )

    @Option(
        help: ArgumentHelp(
            "Addresses of the schedulers, with commas between. (SCHEDULERS; default: 127.0.0.1:7070)",
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
            "Where /metrics, /livez and /readyz are served. (METRICS_LISTEN; default: the first free port of 127.0.0.1 from "
                + "7072 on)",
            valueName: "host:port"
        )
    )
    var metricsListen: String?

    @Option(
        name: [.customLong("name"), .customLong("worker-name")],
        help: ArgumentHelp(
            "The worker's name, its own and the same after a restart. (WORKER_NAME; default: the host's name and the port of "
                + "the metrics)",
            valueName: "name"
        )
    )
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Between two signs of life on a connection, 100ms to 60s; a scheduler's own value overrules it. (HEARTBEAT; "
                + "default: 2s)",
            valueName: "duration"
        )
    )
    var heartbeat: String?

    @Option(
        help: ArgumentHelp(
            "Connections to targets that are older are not used again, 1s to 1h, so that changes of DNS are noticed. "
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
