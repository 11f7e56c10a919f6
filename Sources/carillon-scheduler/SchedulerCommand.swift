internal import ArgumentParser
internal import CarillonSystem

/// Runs the program. A plain function, so that the code below does not inherit the main actor of top-level code.
nonisolated func schedulerMain() async {
    SecretOptions.hide(DatabaseAddress.secrets)
    await SchedulerCommand.mainHidingSecrets()
}

/// The scheduler's command line.
struct SchedulerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-scheduler",
        abstract: "Keeps the schedules, sends due calls to workers, and records their outcomes.",
        discussion: """
            Runs until SIGTERM or SIGINT. Several schedulers may run on one database: one leads, the others stand by.

              DATABASE_URL=postgresql://user:password@127.0.0.1:5432/job_scheduler carillon-scheduler

            Every option can also be set by the environment variable in its help; the option wins. Durations are written 30 \
            (seconds), 30s, 500ms, 1m or 1h.

            EXIT STATUS:
              0    stopped on request
              1    an address or the schema is unavailable
              64   a value is invalid
            """,
        version: CarillonVersion.current,
        subcommands: [MigrateCommand.self]
    )

    @OptionGroup(title: "Database") var address: DatabaseAddress
    @OptionGroup(title: "Database") var database: DatabaseOptions
    @OptionGroup(title: "Network") var network: NetworkOptions
    @OptionGroup(title: "Schedules") var schedules: ScheduleOptions
    @OptionGroup(title: "Log") var log: LogOptions

    func run() async throws {
        try await ExitCode.reporting {
            let settings = try SchedulerSettings(self)
            let logger = try log.configuration().bootstrap(component: "carillon-scheduler")
            try await SchedulerProcess(settings: settings, logger: logger).run()
        }
    }
}
