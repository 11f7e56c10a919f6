internal import ArgumentParser
internal import CarillonPostgres
internal import CarillonSystem

/// `carillon-scheduler migrate up|down|status`.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's schema up or down, or show where it is.",
        subcommands: [Up.self, Down.self, Status.self]
    )

    struct Database: ParsableArguments {
        @Option(help: ArgumentHelp("PostgreSQL connection string or URL. (DATABASE_URL; required)", valueName: "url"))
        var databaseUrl: String?

        @OptionGroup var log: LogOptions

        /// - Parameter scheduler: it takes the options that it has too, wherever on the command line they stand.
        func migrator(_ scheduler: SchedulerCommand) throws(ConfigurationError) -> Migrator {
            var log = log
            log.logLevel = log.logLevel ?? scheduler.log.logLevel
            log.logFormat = log.logFormat ?? scheduler.log.logFormat
            let logger = try log.configuration().bootstrap(component: "carillon-scheduler")
            let url = try Setting.required(
                "DATABASE_URL",
                flag: databaseUrl ?? scheduler.database.databaseUrl,
                hint: "postgresql://user@127.0.0.1:5432/job_scheduler"
            )
            return Migrator(url: url, logger: logger)
        }
    }

    struct Up: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply all migrations that are pending.")
        @OptionGroup var database: Database
        @ParentCommand var scheduler: SchedulerCommand

        func run() throws {
            try ExitCode.reporting {
                let applied = try database.migrator(scheduler).up()
                print(applied.isEmpty ? "nothing to apply" : "applied \(applied.map(\.title).joined(separator: ", "))")
            }
        }
    }

    struct Down: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take the newest migration back, or several.")

        @Option(
            help: ArgumentHelp(
                "Take back all that are newer than this version; 0 takes back all, with all data.",
                valueName: "version"
            )
        )
        var to: Int?

        @OptionGroup var database: Database
        @ParentCommand var scheduler: SchedulerCommand

        func validate() throws {
            if let to, to < 0 { throw ValidationError("--to is \(to); it must be 0 or a version") }
        }

        func run() throws {
            try ExitCode.reporting {
                let taken = try database.migrator(scheduler).down(to: to)
                print(
                    taken.isEmpty ? "nothing to take back" : "took back \(taken.map(\.title).joined(separator: ", "))"
                )
            }
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show each migration and whether it is applied.")
        @OptionGroup var database: Database
        @ParentCommand var scheduler: SchedulerCommand

        func run() throws {
            try ExitCode.reporting {
                for status in try database.migrator(scheduler).status() {
                    let state =
                        switch (status.isApplied, status.appliedAt) {
                        case (false, _): "pending"
                        case (true, let at?): "applied at \(at)"
                        case (true, nil): "applied by hand; `migrate up` records it"
                        }
                    print("\(status.migration.title)  \(state)")
                }
            }
        }
    }
}
