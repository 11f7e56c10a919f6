import ArgumentParser
import CarillonPostgres
import CarillonSystem

/// The scheduler's command line.
struct SchedulerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-scheduler",
        abstract: "Keeps the schedules, hands due calls to workers, and records what came of them.",
        discussion: """
            Every option can also be set by the environment variable named in its help; the option wins. Several schedulers \
            may run on one database: one leads, the others stand by.
            """,
        version: CarillonVersion.current,
        subcommands: [RunCommand.self, MigrateCommand.self],
        defaultSubcommand: RunCommand.self
    )
}

/// `carillon-scheduler migrate up|down|status`.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings the database's schema up or down, or shows where it is.",
        subcommands: [Up.self, Down.self, Status.self]
    )

    struct Database: ParsableArguments {
        @Option(name: .customLong("database-url"), help: "PostgreSQL connection string or URL. (DATABASE_URL)")
        var databaseURL: String?

        @OptionGroup var log: LogOptions

        func migrator() throws -> Migrator {
            try Doors.checked { () throws(ConfigurationError) in
                let logger = try log.configuration().bootstrap(component: "carillon-scheduler")
                let url = try Setting.required(
                    "DATABASE_URL", flag: databaseURL, hint: "postgresql://user@127.0.0.1:5432/job_scheduler"
                )
                return Migrator(url: url, logger: logger)
            }
        }
    }

    struct Up: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Applies all migrations that are pending.")
        @OptionGroup var database: Database

        func run() throws {
            let applied = try Doors.printed { () throws(MigrationError) in try database.migrator() }.upPrinted()
            print(applied.isEmpty ? "nothing to apply" : "applied \(applied.joined(separator: ", "))")
        }
    }

    struct Down: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes the newest migration back, or several.")
        @Option(help: "Take back all that are newer than this version; 0 takes back all, with all data.")
        var to: Int?
        @OptionGroup var database: Database

        func run() throws {
            let taken = try database.migrator().downPrinted(to: to)
            print(taken.isEmpty ? "nothing to take back" : "took back \(taken.joined(separator: ", "))")
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows each migration and whether it is applied.")
        @OptionGroup var database: Database

        func run() throws {
            for line in try database.migrator().statusPrinted() { print(line) }
        }
    }
}
