internal import ArgumentParser
internal import CarillonPostgres
internal import CarillonSystem

/// `carillon-scheduler migrate up|down|status`.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Migrate the database's schema up or down, or show its state.",
        subcommands: [Up.self, Down.self, Status.self]
    )

    private static func migrator(_ address: DatabaseAddress, _ log: LogOptions) throws(ConfigurationError) -> Migrator {
        let logger = try log.configuration().bootstrap(component: "carillon-scheduler")
        return Migrator(url: try address.url(), logger: logger)
    }

    struct Up: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply all pending migrations.")
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
        static let configuration = CommandConfiguration(abstract: "Revert the newest migration, or several.")

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp(
                "Revert all migrations newer than this version; 0 reverts all and deletes all data.",
                valueName: "version"
            )
        )
        var to: Int?

        @OptionGroup var address: DatabaseAddress
        @OptionGroup var log: LogOptions

        func validate() throws {
            if let to, to < 0 { throw ValidationError("--to is \(to); it must be 0 or the number of a migration") }
        }

        func run() throws {
            try ExitCode.reporting {
                let taken = try MigrateCommand.migrator(address, log).down(to: to)
                print(
                    taken.isEmpty ? "nothing to revert" : "reverted \(taken.map(\.title).joined(separator: ", "))"
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
                        case (true, nil): "applied manually; `migrate up` records it"
                        }
                    print("\(status.migration.title)  \(state)")
                }
            }
        }
    }
}
