internal import Glibc

/// A PostgreSQL cluster that belongs to one data folder: on the loopback only, with a port and a password of its own. It
/// has no Unix socket, so the length of its folder's name does not matter.
struct PrivateDatabase {
    static let databaseName = "job_scheduler"
    static let userName = "carillon"
    static let host = "127.0.0.1"
    /// Debian's own cluster.
    static let standardPort = 5432

    let programs: PostgresPrograms
    let folder: String
    let account: Account?
    let port: Int
    let password: String
    private let environment: [String: String]

    /// What psql accepts.
    var url: String {
        "postgresql://\(PrivateDatabase.userName):\(password)@\(PrivateDatabase.host):\(port)/\(PrivateDatabase.databaseName)"
    }

    /// Finds the cluster of that folder, or makes it.
    init(
        of data: DataFolder,
        environment: [String: String],
        runner: String,
        say: (String) -> Void
    ) throws {
        self.environment = environment.merging(["LC_ALL": "C"]) { $1 }.filter { !$0.key.hasPrefix("PG") }
        account = try PrivateDatabase.account()
        folder = try PrivateDatabase.place(of: data, for: account, say)
        let version = FileText.line(at: folder + "/PG_VERSION").flatMap { Int($0) }
        programs = try PostgresPrograms.find(major: version, environment: self.environment, runner: runner)
        var random = SystemRandomNumberGenerator()
        if let known = data.recall("database-password") {
            password = known
        } else {
            guard version == nil else {
                throw CommandFailure(
                    status: .failure,
                    text:
                        "\(data.path)/database-password is gone, and without it the database in \(folder) cannot be used; "
                        + "put it back, or remove \(folder) to begin anew"
                )
            }
            password = (0..<32).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
            try data.remember("database-password", password, isSecret: true)
        }
        if version == nil {
            say("making a database in \(folder)")
            try PrivateDatabase.make(folder, programs, account, password, self.environment, runner)
        }
        try PrivateDatabase.awaitEarlierServer(in: folder, say)
        let remembered = data.recall("database-port").flatMap { Int($0) }
        let isFree =
            remembered.map { Ports.problem(with: HostPort(host: PrivateDatabase.host, port: $0)) == nil } ?? false
        if let remembered, isFree, remembered != PrivateDatabase.standardPort {
            port = remembered
        } else {
            port = try Ports.lasting(on: PrivateDatabase.host, using: &random)
            try data.remember("database-port", String(port))
        }
    }

    /// How the server is started. These few settings must hold; everything else is in the cluster's postgresql.conf.
    var launch: Launch {
        let settings = [
            "listen_addresses=\(PrivateDatabase.host)", "port=\(port)", "unix_socket_directories=",
            "logging_collector=off",
            "log_destination=stderr",
        ]
        return Launch(
            program: programs.postgres,
            arguments: ["-D", folder] + settings.flatMap { ["-c", $0] },
            environment: environment,
            account: account,
            directory: folder,
            deathSignal: SIGINT
        )
    }

    /// SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, from which it recovers at the next start.
    static let life = Supervision.Child(
        name: "database",
        rank: 3,
        stopSignal: SIGINT,
        hurrySignal: SIGQUIT,
        graceMs: 60_000
    )

    /// Whether it takes connections: the server says so in the eighth line of postmaster.pid, where pg_ctl looks too.
    var isReady: Bool {
        PrivateDatabase.serverLines(in: folder).dropFirst(7).first.map { Text.trimmed($0) == "ready" } ?? false
    }

    private static func serverLines(in folder: String) -> [String] {
        guard let bytes = try? FileText.bytes(at: folder + "/postmaster.pid") else { return [] }
        return String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    // MARK: Whose, and where

    /// PostgreSQL refuses to run as root.
    private static func account() throws -> Account? {
        guard geteuid() == 0 else { return nil }
        guard let account = Account.named("postgres") else {
            throw CommandFailure(
                status: .failure,
                text: "PostgreSQL does not run as root, and this machine has no user postgres; install the server "
                    + "(apt-get install postgresql), run as another user, or name a database with --database-url"
            )
        }
        return account
    }

    /// In the data folder, unless the server's user cannot get there (root's home, for one).
    private static func place(
        of data: DataFolder,
        for account: Account?,
        _ say: (String) -> Void
    ) throws(FileProblem) -> String {
        if let known = data.recall("database-folder") { return known }
        var folder = data.path + "/postgres"
        if let account, let obstacle = account.obstacle(onTheWayTo: data.path) {
            let home = "/var/lib/carillon/\(data.hash)"
            folder = home + "/postgres"
            say("the user \(account.name) cannot pass \(obstacle): the database is kept in \(folder)")
            try setAside(home, say)
            try Folder.make(home, mode: 0o755)
        }
        try data.remember("database-folder", folder)
        return folder
    }

    /// A database whose data folder was removed is nobody's any more, but it is not ours to delete.
    private static func setAside(_ home: String, _ say: (String) -> Void) throws(FileProblem) {
        guard Folder.exists(home) else { return }
        var number = 1
        while Folder.exists("\(home).old-\(number)") { number += 1 }
        guard rename(home, "\(home).old-\(number)") == 0 else {
            throw FileProblem(errno: errno, "\(home) cannot be put aside")
        }
        say("the database of an earlier data folder is now \(home).old-\(number); remove it if nobody needs it")
    }

    // MARK: Making it

    /// Whole or not at all: it is made beside its place, then moved there.
    private static func make(
        _ folder: String,
        _ programs: PostgresPrograms,
        _ account: Account?,
        _ password: String,
        _ environment: [String: String],
        _ runner: String
    ) throws {
        let new = folder + ".new"
        Folder.remove(new)
        try Folder.make(new, mode: 0o700)
        let secret = folder + ".secret"
        try FileText.replace(secret, with: password + "\n", mode: 0o600)
        defer { unlink(secret) }
        if let account {
            guard chown(new, account.user, account.group) == 0, chown(secret, account.user, account.group) == 0 else {
                throw FileProblem(errno: errno, "\(new) cannot be given to the user \(account.name)")
            }
        }
        func run(_ program: String, _ arguments: [String], input: String = "") throws {
            let launch = Launch(
                program: program,
                arguments: arguments,
                environment: environment,
                account: account,
                directory: new
            )
            let answer = try ChildProcess.run(launch, runner: runner, input: input)
            let isBad = ["ERROR:", "FATAL:", "PANIC:"].contains { answer.output.contains($0) }
            guard answer.status == 0, !isBad else {
                Folder.remove(new)
                throw CommandFailure(
                    status: .internal,
                    text: "\(program) failed (status \(answer.status)):\n\(answer.output)"
                )
            }
        }
        try run(
            programs.initdb,
            [
                "-D", new, "-U", userName, "--auth=scram-sha-256", "--pwfile=\(secret)", "--encoding=UTF8",
                "--no-locale",
                "--no-instructions",
            ]
        )
        // Single-user mode needs no client programs, no port and no password.
        try run(
            programs.postgres,
            ["--single", "-D", new, "postgres"],
            input: "CREATE DATABASE \(databaseName)\n"
        )
        try append(settings, to: new + "/postgresql.conf")
        guard rename(new, folder) == 0 else { throw FileProblem(errno: errno, "\(folder) cannot be made") }
    }

    /// Written once; whoever runs the system may change them.
    private static let settings = """

        # For Carillon. Address and port are given on the command line.
        shared_buffers = 256MB
        max_wal_size = 2GB
        synchronous_commit = on
        timezone = 'UTC'
        log_timezone = 'UTC'
        log_line_prefix = '%m [%p] %u '

        """

    private static func append(_ text: String, to path: String) throws(FileProblem) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(errno: errno, "\(path) cannot be written") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw FileProblem(errno: errno, "\(path) cannot be written")
        }
    }

    // MARK: An earlier server

    /// The server of a `carillon up` that was killed gets its shutdown from the kernel, but needs a moment for it.
    private static func awaitEarlierServer(in folder: String, _ say: (String) -> Void) throws {
        for round in 0..<600 {
            guard let pid = serverLines(in: folder).first.flatMap({ pid_t(Text.trimmed($0)) }), isServer(pid) else {
                return
            }
            if round == 0 { say("waiting for the database of an earlier run to stop (process \(pid))") }
            if round == 100 { kill(pid, SIGINT) }
            usleep(50_000)
        }
        throw CommandFailure(
            status: .conflict,
            text: "a PostgreSQL server still runs in \(folder) (its process is named in postmaster.pid); stop it first"
        )
    }

    private static func isServer(_ pid: pid_t) -> Bool {
        guard pid > 1, kill(pid, 0) == 0 || errno == EPERM else { return false }
        // The number may have gone to another program since.
        return FileText.line(at: "/proc/\(pid)/comm") == "postgres"
    }
}
