internal import ArgumentParser
internal import CarillonRuntime
internal import CarillonSystem
internal import Glibc

struct UpCommand: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run the whole system on this machine.",
        discussion: """
            Starts a private PostgreSQL (or uses the database of DATABASE_URL), a scheduler, workers and a gateway, and prints

              database postgresql://...   the URL without the password; --print-database-url includes it, for psql
              ready http://...            when all programs answer

            A program that ends is restarted after a second. Ctrl-C stops all programs in order; workers complete \
            their calls. A second Ctrl-C stops immediately. Logs, the database and its password are in the data \
            folder, which survives restarts. Only one `carillon up` at a time can use it. The files gateway-url and schedulers in \
            it contain the addresses of the running system. The folder must belong to the user that \
            runs `carillon up`, and no other user may write to it. For root, the database is in /var/lib/carillon if \
            PostgreSQL's user cannot reach the data folder, or if other users can change a folder on the way to it.

            Each program gets only the variables of the environment that it needs; only the scheduler gets DATABASE_URL and \
            PG*.

              carillon up
              carillon up --data-dir /srv/carillon --workers 4 --gateway 0.0.0.0:8000
              carillon up --gateway 127.0.0.1:0 --rpc 127.0.0.1:0 --data-dir /tmp/try
              DATABASE_URL=postgresql://user:password@host:5432/name carillon up
            """
    )

    @Option(
        name: .customLong("data-dir"),
        help: ArgumentHelp("The data folder.", valueName: "folder"),
        completion: .directory
    )
    var dataFolder = ".carillon"

    @Option(
        name: .customLong("gateway"),
        help: ArgumentHelp(
            "The address of the gateway; port 0 for any free port. (default: 127.0.0.1:8000)",
            valueName: "host:port"
        ),
        transform: HostPort.read
    )
    var gateway = HostPort(host: "127.0.0.1", port: 8000)

    @Option(
        name: .customLong("rpc"),
        help: ArgumentHelp(
            "The address of the scheduler; port 0 for any free port. (default: 127.0.0.1:7070)",
            valueName: "host:port"
        ),
        transform: HostPort.read
    )
    var rpc = HostPort(host: "127.0.0.1", port: 7070)

    @Option(
        name: .customLong("workers"),
        parsing: .unconditional,
        help: ArgumentHelp("Number of worker processes; 0 if workers run elsewhere. (default: 1)", valueName: "count"),
        transform: WholeNumber.read
    )
    var workers = 1

    @Option(
        name: .customLong("max-workers"),
        parsing: .unconditional,
        help: ArgumentHelp(
            "Concurrent calls of one worker process. (environment: MAX_WORKERS; default: 256)",
            valueName: "count"
        ),
        transform: WholeNumber.read
    )
    var maxWorkers: Int?

    @Option(
        name: .customLong("database-url"),
        help: ArgumentHelp(
            "Use this database instead of a private one. Prefer the variable: arguments are visible to every user of "
                + "the machine until the program hides them. (environment: DATABASE_URL)",
            valueName: "url"
        )
    )
    var databaseURL: String?

    @Flag(
        name: .customLong("print-database-url"),
        help: "Print the URL of the private database with its password, and exit."
    )
    var printsDatabaseURL = false

    @OptionGroup(title: "Browsers and proxies") var browsers: BrowserOptions

    func validate() throws {
        if dataFolder.isEmpty { throw ValidationError("--data-dir is empty; give a folder, such as .carillon") }
        if let databaseURL { try UpCommand.check(databaseURL, of: "--database-url") }
        if printsDatabaseURL, databaseURL != nil {
            throw ValidationError(
                "--print-database-url prints the URL of the private database; leave --database-url out"
            )
        }
        guard 0...64 ~= workers else { throw ValidationError("--workers is \(workers); 0 to 64 are allowed") }
        if let maxWorkers, !(1...65_536 ~= maxWorkers) {
            throw ValidationError("--max-workers is \(maxWorkers); 1 to 65536 are allowed")
        }
    }

    /// Rejects text that is neither form of a libpq connection string. The scheduler reports any other error.
    private static func check(_ url: String, of name: String) throws(ValidationError) {
        guard !MaskedConnectionString.isConnectionString(url) else { return }
        throw ValidationError(
            "\(name) is \(url.isEmpty ? "empty" : "not a PostgreSQL URL"); it must look like "
                + "postgresql://user:password@host:5432/name"
        )
    }

    /// Blocks its thread until all programs have ended, because the children are tied to that thread.
    func run(in world: World) async throws {
        if printsDatabaseURL {
            return try world.write(try PrivateDatabase.url(in: DataFolder(existing: dataFolder)) + "\n")
        }
        if databaseURL != nil { SecretOptions.hide(["--database-url": "DATABASE_URL"]) }
        if let url = EnvironmentVariables(world.environment)["DATABASE_URL"] {
            try UpCommand.check(url, of: "DATABASE_URL")
        }
        let status = try LocalSystem(options: self, world: world).run()
        if status != 0 { throw ExitCode(status) }
    }
}
