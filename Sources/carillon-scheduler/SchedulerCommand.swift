internal import ArgumentParser
internal import CarillonSystem

/// The scheduler's command line.
struct SchedulerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-scheduler",
        abstract: "Keeps the schedules, hands due calls to workers, and records what came of them.",
        discussion: """
            Every option can also be set by the environment variable named in its help; the option wins. Several schedulers \
            may run on one database: one leads, the others stand by.

              carillon-scheduler --database-url postgresql://user@127.0.0.1:5432/job_scheduler
            """,
        version: CarillonVersion.current,
        subcommands: [RunCommand.self, MigrateCommand.self],
        defaultSubcommand: RunCommand.self
    )
}

/// The whole program.
nonisolated func runSchedulerCommand() async {
    await SchedulerCommand.main()
}
