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

    private static func migrator(_ address: DatabaseAddress, _ log: LogOptions) throws(ConfigurationError) -> Migrator {
        let logger = try log.configuration().bootstrap(component: "carillon-scheduler")
        return Migrator(url: try address.url(), logger: logger)
    }

    struct Up: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply all migrations that are pending.")
        @OptionGroup var address: DatabaseAddress
        @OptionGroup var log: LogOptions

        func run() throws {
            try ExitCode.reporting {
                let applied = try MigrateCommand.migrator(address, log).up()
                print(applied.isEmpty ? "nothing to apply" : "applied \(applied.map(\.title).joined(separator: ", "))")
            }
        }
    }

    struct Down: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take the newest migration back, or several.")

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp(
                "Take back all that are newer than this version; 0 takes back all, with all data.",
                valueName: "version"
            )
        )
        var to: Int?

        @OptionGroup var address: DatabaseAddress
        @OptionGroup var log: LogOptions

        func validate() throws {
            if let to, to < 0 { throw ValidationError("--to is \(to); it must be 0 or a version") }
        }

        func run() throws {
            try ExitCode.reporting {
                let taken = try MigrateCommand.migrator(address, log).down(to: to)
                print(
                    taken.isEmpty ? "nothing to take back" : "took back \(taken.map(\.title).joined(separator: ", "))"
                )
            }
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show each migration and whether it is applied.")
        @OptionGroup var address: DatabaseAddress
        @OptionGroup var log: LogOptions

        func run() throws {
            try ExitCode.reporting {
                for status in try MigrateCommand.migrator(address, log).status() {
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
