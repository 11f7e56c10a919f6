internal import CarillonRuntime
internal import Glibc

/// A PostgreSQL cluster for one data folder. The server listens only on the loopback address, with its own port and
/// password. It has no Unix socket, so the length of the folder's path is not limited.
struct PrivateDatabase {
    static let databaseName = "job_scheduler"
    static let userName = "carillon"
    static let host = "127.0.0.1"
    /// The port of Debian's default cluster.
    static let standardPort = 5432

    let programs: PostgresPrograms
    let cluster: FolderHandle
    let account: Account?
    let port: Int
    let password: String
    private let environment: [String: String]

    /// Includes the password.
    var url: String { PrivateDatabase.url(password: password, port: port) }

    private static func url(password: String, port: Int) -> String {
        "postgresql://\(userName):\(SecretQuote.percentEncoded(password))@\(host):\(port)/\(databaseName)"
    }

    /// The URL, including the password, of a folder's database, whether its server runs or not.
    static func url(in data: DataFolder) throws -> String {
        guard let password = try data.recall(Memory.password),
            let port = try data.recall(Memory.port).flatMap({ Int($0) })
        else {
            throw CommandFailure(
                status: .notFound,
                text: "\(data.path) has no private database; `carillon up` without DATABASE_URL creates one"
            )
        }
        return url(password: password, port: port)
    }

    /// File names in the data folder.
    private enum Memory {
        static let password = "database-password"
        static let port = "database-port"
        static let folder = "database-folder"
        /// The version of the cluster's roles.
        static let roles = "database-roles"
    }

    /// Finds the cluster of the folder, or creates it.
    init(
        of data: DataFolder,
        environment: [String: String],
        runner: String,
        say: (String) -> Void
    ) throws {
        self.environment = ChildEnvironment.postgres.variables(of: environment).merging(["LC_ALL": "C"]) { $1 }
        account = try PrivateDatabase.account()
        let (home, name) = try PrivateDatabase.place(of: data, for: account, say)
        let existing = try home.folder(name, owner: account?.user)
        let version = try existing?.line("PG_VERSION").flatMap { Int($0) }
        programs = try PostgresPrograms.find(major: version, environment: self.environment, runner: runner)
        var random = SystemRandomNumberGenerator()
        if let known = try data.recall(Memory.password) {
            password = known
        } else {
            guard version == nil else {
                throw CommandFailure(
                    status: .failure,
                    text:
                        "\(data.path)/\(Memory.password) is missing; without it the database in \(home.path)/\(name) "
                        + "cannot be used; restore the file, or remove \(home.path)/\(name) to create a new database"
                )
            }
            password = (0..<32).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
            try data.remember(Memory.password, password, isSecret: true)
        }
        let maker = ClusterMaker(
            programs: programs,
            account: account,
            password: password,
            environment: self.environment,
            runner: runner
        )
        if let existing, version != nil {
            cluster = existing
            try PrivateDatabase.awaitEarlierServer(in: existing, of: account, say)
            if try data.recall(Memory.roles) != ClusterMaker.rolesVersion {
                say(
                    "removing the superuser right of the database role \(PrivateDatabase.userName)"
                )
                try maker.arrangeRoles(in: existing)
            }
        } else {
            say("creating a database in \(home.path)/\(name)")
            cluster = try maker.make(name, in: home)
        }
        try data.remember(Memory.roles, ClusterMaker.rolesVersion)
        let remembered = try data.recall(Memory.port).flatMap { Int($0) }
        let isFree =
            remembered.map { Ports.problem(with: HostPort(host: PrivateDatabase.host, port: $0)) == nil } ?? false
        if let remembered, isFree, remembered != PrivateDatabase.standardPort {
            port = remembered
        } else {
            port = try Ports.lasting(on: PrivateDatabase.host, using: &random)
            try data.remember(Memory.port, String(port))
        }
    }

    /// The start of the server. Settings that must hold are on the command line; all others are in the cluster's
    /// postgresql.conf.
    var launch: Launch {
        let settings = [
            "listen_addresses=\(PrivateDatabase.host)", "port=\(port)", "unix_socket_directories=",
            "logging_collector=off",
            "log_destination=stderr",
        ]
        return Launch(
            program: programs.postgres,
            arguments: ["-D", cluster.path] + settings.flatMap { ["-c", $0] },
            environment: environment,
            account: account,
            directory: cluster.path,
            deathSignal: SIGINT
        )
    }

    /// SIGINT is PostgreSQL's fast shutdown. SIGQUIT is its immediate shutdown, which needs recovery at the next start.
    static let life = Supervision.Child(
        name: "database",
        rank: 3,
        stopSignal: SIGINT,
        hurrySignal: SIGQUIT,
        graceMs: 60_000
    )

    /// Whether the server accepts connections, read from the eighth line of postmaster.pid, as pg_ctl does.
    var isReady: Bool {
        PrivateDatabase.serverLines(in: cluster).dropFirst(7).first.map { TextFormat.trimmed($0) == "ready" } ?? false
    }

    private static func serverLines(in cluster: FolderHandle) -> [String] {
        guard let bytes = (try? cluster.bytes("postmaster.pid")) ?? nil else { return [] }
        return String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    // MARK: Owner and location

    /// PostgreSQL refuses to run as root.
    private static func account() throws -> Account? {
        guard geteuid() == 0 else { return nil }
        guard let account = Account.named("postgres") else {
            throw CommandFailure(
                status: .failure,
                text: "PostgreSQL refuses to run as root, and this machine has no user postgres; install the server "
                    + "(apt-get install postgresql), run as another user, or set DATABASE_URL"
            )
        }
        return account
    }

    /// The location is the data folder, unless the server's user cannot reach it (root's home, for example), or another
    /// user can replace a folder on the path.
    /// - Returns: the parent folder of the cluster's folder, and the name of the cluster's folder.
    private static func place(
        of data: DataFolder,
        for account: Account?,
        _ say: (String) -> Void
    ) throws(FileProblem) -> (FolderHandle, String) {
        let name = "postgres"
        if let known = try data.recall(Memory.folder), known.hasPrefix("/"), let slash = known.lastIndex(of: "/") {
            let home = String(known[..<slash])
            let handle = home == data.path ? data.handle : try FolderHandle.open(home, makingWith: 0o755)
            return (handle, String(known[known.index(after: slash)...]))
        }
        var home = data.handle
        if let account {
            var reason = account.obstacle(onTheWayTo: data.path).map {
                "the user \(account.name) cannot traverse \($0)"
            }
            if reason == nil {
                reason = FolderWalk.weakness(onTheWayTo: data.path).map { "users other than root can change \($0)" }
            }
            if let reason {
                let parent = try FolderHandle.open("/var/lib/carillon", makingWith: 0o755)
                say("\(reason): the database is kept in \(parent.path)/\(data.hash)/\(name)")
                try setAside(data.hash, in: parent, say)
                home = try parent.folder(data.hash, makingWith: 0o755) ?? home
            }
        }
        try data.remember(Memory.folder, "\(home.path)/\(name)")
        return (home, name)
    }

    /// Renames the database of a removed data folder. `carillon up` cannot know whether it is still needed.
    private static func setAside(
        _ name: String,
        in parent: FolderHandle,
        _ say: (String) -> Void
    ) throws(FileProblem) {
        guard parent.exists(name) else { return }
        var number = 1
        while parent.exists("\(name).old-\(number)") { number += 1 }
        try parent.rename(name, to: "\(name).old-\(number)")
        say(
            "the database of an earlier data folder was renamed to \(parent.path)/\(name).old-\(number); remove it if it is not needed"
        )
    }

    // MARK: The server of an earlier run

    /// Waits for the server of a killed `carillon up`. The kernel has signalled it, but its shutdown takes a moment.
    private static func awaitEarlierServer(
        in cluster: FolderHandle,
        of account: Account?,
        _ say: (String) -> Void
    ) throws {
        let user = account?.user ?? geteuid()
        for round in 0..<600 {
            let pid = serverLines(in: cluster).first.flatMap { pid_t(TextFormat.trimmed($0)) }
            guard let pid, isServer(pid, of: user) else { return }
            if round == 0 { say("waiting for the database of an earlier run to stop (process \(pid))") }
            if round == 100 { kill(pid, SIGINT) }
            usleep(50_000)
        }
        throw CommandFailure(
            status: .conflict,
            text:
                "a PostgreSQL server is still running in \(cluster.path) (its process id is in postmaster.pid); stop it first"
        )
    }

    /// Checks the process before it is signalled: the process id may have been reused, and the server can write the
    /// file.
    private static func isServer(_ pid: pid_t, of user: uid_t) -> Bool {
        guard pid > 1, kill(pid, 0) == 0 || errno == EPERM else { return false }
        var status = stat()
        guard stat("/proc/\(pid)", &status) == 0, status.st_uid == user else { return false }
        return FileText.line(at: "/proc/\(pid)/comm") == "postgres"
    }
}
