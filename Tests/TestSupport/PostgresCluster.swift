internal import CLinux
internal import Glibc
internal import Synchronization

/// A private PostgreSQL cluster for tests, in its own directory under /tmp. It is reachable over a free TCP port and a
/// Unix socket, and is removed when the process ends for any reason.
///
/// PostgreSQL refuses to run as root; as root it is started as the user `postgres`.
package final class PostgresCluster: Sendable {
    package enum StopMode: String, Sendable {
        case smart, fast, immediate
    }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    package let port: Int
    /// The directory of the cluster, with the socket and the log (`postgres.log`).
    package let directory: String
    /// The folder of the server's programs.
    package let binaries: String
    /// The cleanup process reads the other end of the pipe, and so detects the end of this process.
    private let watch: Int32
    private let databases = Mutex(0)
    /// Additional environment variables of the server.
    private let environment: [String: String]

    /// The shared cluster of a test process, started on first use.
    package static var shared: PostgresCluster {
        get throws { try started.get() }
    }

    private static let started = Result { try PostgresCluster() }

    /// Creates and starts a cluster. `settings` are added to postgresql.conf. Without `isDurable` nothing is flushed to
    /// disk, which a kill of the processes does not reveal. `environment` is only for the server. With `diskMegabytes`
    /// the data is on a disk of that size (`canLimitDisk`).
    package init(
        settings: [String] = [],
        isDurable: Bool = false,
        environment: [String: String] = [:],
        diskMegabytes: Int? = nil
    ) throws {
        self.environment = environment
        binaries = try Self.findBinaries()
        port = try FreePort.take()
        directory = try Self.makeDirectory()
        watch = try Self.startWatch(directory)
        if let diskMegabytes { try mountDisk(megabytes: diskMegabytes) }
        try asServer("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        var lines = [
            "port = \(port)", "listen_addresses = '127.0.0.1'", "unix_socket_directories = '\(directory)'",
            "max_connections = 400", "shared_buffers = 64MB", "logging_collector = off", "timezone = 'Europe/Vienna'",
        ]
        if !isDurable { lines += ["fsync = off", "full_page_writes = off"] }
        try append(lines + settings, to: "postgresql.conf")
        try start()
    }

    /// Creates and starts a hot standby that streams from `primary`. The standby is synchronous if the primary's
    /// `synchronous_standby_names` includes it.
    package init(standbyOf primary: PostgresCluster) throws {
        environment = [:]
        binaries = primary.binaries
        port = try FreePort.take()
        directory = try Self.makeDirectory()
        watch = try Self.startWatch(directory)
        let source = "host=127.0.0.1 port=\(primary.port) user=postgres application_name=standby"
        // -R writes the connection to the primary into postgresql.auto.conf.
        try asServer("pg_basebackup", ["-D", data, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync"])
        // The last line of a setting has precedence.
        try append(
            ["port = \(port)", "unix_socket_directories = '\(directory)'", "synchronous_standby_names = ''"],
            to: "postgresql.conf"
        )
        try start()
    }

    /// Promotes this standby, and returns when the server accepts writes.
    package func promote() throws {
        try asServer("pg_ctl", ["-D", data, "-w", "-s", "promote"])
    }

    private func append(_ lines: [String], to name: String) throws {
        guard let file = fopen("\(data)/\(name)", "a") else {
            throw Failure(description: "\(name) cannot be written")
        }
        fputs(lines.joined(separator: "\n") + "\n", file)
        fclose(file)
    }

    /// Creates a directory under /tmp that is writable for the server's user.
    private static func makeDirectory() throws -> String {
        var template = Array("/tmp/carillon-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "cannot create a directory in /tmp") }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard geteuid() == 0 else { return directory }
        guard let user = getpwnam("postgres") else {
            throw Failure(
                description:
                    "root cannot run PostgreSQL, and there is no user 'postgres'; run: apt-get install postgresql"
            )
        }
        chown(directory, user.pointee.pw_uid, user.pointee.pw_gid)
        return directory
    }

    /// The server's data directory.
    package var data: String { directory + "/data" }

    /// A connection URL over TCP for libpq and psql.
    package func url(database: String = "postgres") -> String {
        "postgresql://postgres@127.0.0.1:\(port)/\(database)"
    }

    /// A new, empty database; returns its URL.
    package func makeDatabase() throws -> String {
        let number = databases.withLock { count in
            count += 1
            return count
        }
        try psql("CREATE DATABASE test_\(getpid())_\(number)")
        return url(database: "test_\(getpid())_\(number)")
    }

    // MARK: Running and stopping

    package func start() throws {
        try asServer("pg_ctl", ["-D", data, "-w", "-s", "-l", directory + "/postgres.log", "start"], environment)
    }

    package func stop(_ mode: StopMode = .fast) throws {
        try asServer("pg_ctl", ["-D", data, "-w", "-s", "-m", mode.rawValue, "stop"])
    }

    package func restart(_ mode: StopMode = .fast) throws {
        try stop(mode)
        try start()
    }

    /// Stops all processes of the server with SIGSTOP, like a host that hangs: the kernel still accepts connections.
    package func suspend() throws {
        let pids = try processes()
        for pid in pids { Glibc.kill(pid, SIGSTOP) }
    }

    /// Continues the processes.
    package func resume() throws {
        for pid in try processes().reversed() { Glibc.kill(pid, SIGCONT) }
    }

    /// The server's process and its child processes.
    private func processes() throws -> [Int32] {
        guard let pid = serverProcess else {
            throw Failure(description: "postmaster.pid does not begin with a process id")
        }
        let children = TextFile.contents(of: "/proc/\(pid)/task/\(pid)/children").split(separator: " ")
        return [pid] + children.compactMap { Int32($0) }
    }

    /// The process id in `postmaster.pid`.
    private var serverProcess: Int32? {
        TextFile.contents(of: data + "/postmaster.pid").split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// Kills all processes of the server with SIGKILL, and returns when they have ended. `start` recovers the cluster.
    package func kill() throws {
        // A stopped server starts no new processes, and does not react to the end of its children.
        if let pid = serverProcess { Glibc.kill(pid, SIGSTOP) }
        let pids = Array(try processes().reversed())
        for pid in pids { Glibc.kill(pid, SIGKILL) }
        for pid in pids { while Glibc.kill(pid, 0) == 0 { usleep(5_000) } }
        // A killed postmaster leaves its lock file.
        unlink(data + "/postmaster.pid")
    }

    /// Whether the server's process is running.
    package var isRunning: Bool {
        serverProcess.map { Glibc.kill($0, 0) == 0 } ?? false
    }

    // MARK: A small disk

    /// Whether this process may mount a disk of a given size.
    package static let canLimitDisk: Bool = {
        guard geteuid() == 0, let folder = try? makeDirectory() else { return false }
        defer { rmdir(folder) }
        guard mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0 else { return false }
        return umount2(folder, Int32(MNT_DETACH)) == 0
    }()

    private func mountDisk(megabytes: Int) throws {
        mkdir(data, 0o700)
        guard mount("tmpfs", data, "tmpfs", 0, "size=\(megabytes)m,mode=0700") == 0,
            let user = getpwnam("postgres"), chown(data, user.pointee.pw_uid, user.pointee.pw_gid) == 0
        else { throw Failure(description: "no disk can be mounted: error \(errno)") }
    }

    private var fillerPath: String { data + "/filler" }

    /// Fills the rest of the disk.
    package func fillDisk() throws {
        guard let file = fopen(fillerPath, "w") else { throw Failure(description: "the disk cannot be filled") }
        defer { fclose(file) }
        let megabyte = [UInt8](repeating: 1, count: 1 << 20)
        while fwrite(megabyte, 1, megabyte.count, file) == megabyte.count {}
    }

    /// Frees the disk space again.
    package func freeDisk() throws {
        guard unlink(fillerPath) == 0 else { throw Failure(description: "the disk was not full") }
    }

    /// Runs SQL with psql and returns its output, with columns separated by `|`.
    @discardableResult
    package func psql(_ sql: String, database: String = "postgres") throws -> String {
        try psql(["-c", sql], database: database)
    }

    @discardableResult
    package func psql(file: String, database: String = "postgres") throws -> String {
        try psql(["-f", file], database: database)
    }

    /// Runs SQL in a database given by URL.
    @discardableResult
    package func psql(_ sql: String, url: String) throws -> String {
        try psql(sql, database: String(url.split(separator: "/").last ?? "postgres"))
    }

    private func psql(_ arguments: [String], database: String) throws -> String {
        let options = [
            "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", directory, "-p", String(port), "-U", "postgres",
            "-d", database,
        ]
        return try ChildProgram.run(binaries + "/psql", options + arguments)
    }

    // MARK: Processes

    /// Stops the cluster and removes its directory when this process ends: the cleanup process then reads the end of a
    /// pipe.
    private static func startWatch(_ directory: String) throws -> Int32 {
        var ends: [Int32] = [0, 0]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw Failure(description: "cannot create a pipe") }
        defer { close(ends[0]) }
        let script = """
            trap '' INT TERM HUP
            read -r line
            pid=$(head -n 1 "$1/data/postmaster.pid")
            kill -QUIT "$pid" 2>/dev/null
            kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children") 2>/dev/null
            for round in 1 2 3 4 5 6 7 8 9 10; do test -e "$1/data/postmaster.pid" || break; sleep 0.2; done
            if mountpoint -q "$1/data"; then umount -l "$1/data"; fi
            rm -rf "$1"
            """
        watchers.withLock { watchers in
            if let watcher = try? ChildProgram(
                "/bin/sh",
                ["-c", script, "sh", directory],
                output: "/dev/null",
                input: ends[0],
                ownGroup: true
            ) {
                watchers.append(watcher)
            }
        }
        return ends[1]
    }

    /// Kept alive, because a child program is killed when its object is released.
    private static let watchers = Mutex<[ChildProgram]>([])

    private func asServer(_ program: String, _ arguments: [String], _ environment: [String: String] = [:]) throws {
        let command =
            ["/usr/bin/env"] + environment.map { "\($0.key)=\($0.value)" } + [binaries + "/" + program] + arguments
        if geteuid() == 0 {
            try ChildProgram.run("/usr/sbin/runuser", ["-u", "postgres", "--"] + command)
        } else {
            try ChildProgram.run(command[0], Array(command.dropFirst()))
        }
    }

    /// The newest PostgreSQL in Debian's layout, or the one on the PATH.
    private static func findBinaries() throws -> String {
        var folders = (9...30).reversed().map { "/usr/lib/postgresql/\($0)/bin" }
        folders += String(cString: getenv("PATH")).split(separator: ":").map(String.init)
        if let found = folders.first(where: { access($0 + "/initdb", X_OK) == 0 }) { return found }
        throw Failure(description: "no initdb was found; run: apt-get install postgresql")
    }
}
