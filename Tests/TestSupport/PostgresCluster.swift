internal import CLinux
internal import Glibc
internal import Synchronization

/// A private PostgreSQL cluster for tests: made in a directory of its own under /tmp, reachable over a free TCP port and a
/// Unix socket, and gone when the process ends, however it ends.
///
/// PostgreSQL refuses to run as root; root runs it as the user `postgres`.
package final class PostgresCluster: Sendable {
    package enum StopMode: String, Sendable {
        case smart, fast, immediate
    }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    package let port: Int
    /// The cluster's directory, with the socket and the log (`postgres.log`) in it.
    package let directory: String
    /// The folder of the server's programs.
    package let binaries: String
    /// Its other end is read by the process that cleans up when this one is gone.
    private let watch: Int32
    private let databases = Mutex(0)
    /// What the server sees beside what it inherits.
    private let environment: [String: String]

    /// One cluster a test process; it is started when it is first asked for.
    package static var shared: PostgresCluster {
        get throws { try started.get() }
    }

    private static let started = Result { try PostgresCluster() }

    /// Makes and starts a cluster. `settings` go to postgresql.conf; without `isDurable` nothing is flushed to the disk, which
    /// a kill of the processes does not notice. `environment` is the server's alone. With `diskMegabytes` the data lies on a
    /// disk of that size (`canLimitDisk`).
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

    /// Makes and starts a hot standby that streams from `primary`. The standby is synchronous when the primary's
    /// `synchronous_standby_names` says so.
    package init(standbyOf primary: PostgresCluster) throws {
        environment = [:]
        binaries = primary.binaries
        port = try FreePort.take()
        directory = try Self.makeDirectory()
        watch = try Self.startWatch(directory)
        let source = "host=127.0.0.1 port=\(primary.port) user=postgres application_name=standby"
        // -R writes the connection to the primary into postgresql.auto.conf.
        try asServer("pg_basebackup", ["-D", data, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync"])
        // The later line of a setting wins.
        try append(
            ["port = \(port)", "unix_socket_directories = '\(directory)'", "synchronous_standby_names = ''"],
            to: "postgresql.conf"
        )
        try start()
    }

    /// Makes this standby a primary, and returns when the server takes writes.
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

    /// A new directory under /tmp that the server's user may write to.
    private static func makeDirectory() throws -> String {
        var template = Array("/tmp/carillon-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no directory can be made in /tmp") }
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

    /// Where the server keeps its files.
    package var data: String { directory + "/data" }

    /// A connection string over TCP; libpq and psql accept it.
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

    /// Stops all processes of the server where they are, as a host that hangs: the kernel still takes connections.
    package func suspend() throws {
        let pids = try processes()
        for pid in pids { Glibc.kill(pid, SIGSTOP) }
    }

    /// Lets them go on.
    package func resume() throws {
        for pid in try processes().reversed() { Glibc.kill(pid, SIGCONT) }
    }

    /// The server's process, then those that it has started.
    private func processes() throws -> [Int32] {
        guard let pid = serverProcess else {
            throw Failure(description: "postmaster.pid does not begin with a process id")
        }
        let children = TextFile.contents(of: "/proc/\(pid)/task/\(pid)/children").split(separator: " ")
        return [pid] + children.compactMap { Int32($0) }
    }

    /// The process that `postmaster.pid` names.
    private var serverProcess: Int32? {
        TextFile.contents(of: data + "/postmaster.pid").split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// Kills the server and all its processes with SIGKILL, and returns when they are gone. `start` recovers it.
    package func kill() throws {
        // While it stands still nothing that it would start is missed, and it does not notice who goes first.
        if let pid = serverProcess { Glibc.kill(pid, SIGSTOP) }
        let pids = Array(try processes().reversed())
        for pid in pids { Glibc.kill(pid, SIGKILL) }
        for pid in pids { while Glibc.kill(pid, 0) == 0 { usleep(5_000) } }
        // A killed postmaster leaves its lock file.
        unlink(data + "/postmaster.pid")
    }

    /// Whether the server's process is there.
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

    /// Takes all that is left of the disk.
    package func fillDisk() throws {
        guard let file = fopen(fillerPath, "w") else { throw Failure(description: "the disk cannot be filled") }
        defer { fclose(file) }
        let megabyte = [UInt8](repeating: 1, count: 1 << 20)
        while fwrite(megabyte, 1, megabyte.count, file) == megabyte.count {}
    }

    /// Gives the disk back.
    package func freeDisk() throws {
        guard unlink(fillerPath) == 0 else { throw Failure(description: "the disk was not full") }
    }

    /// Runs SQL with psql; returns what it printed, columns separated by `|`.
    @discardableResult
    package func psql(_ sql: String, database: String = "postgres") throws -> String {
        try psql(["-c", sql], database: database)
    }

    @discardableResult
    package func psql(file: String, database: String = "postgres") throws -> String {
        try psql(["-f", file], database: database)
    }

    /// The same, of a database by its URL.
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

    /// Stops the cluster and removes its directory as soon as this process is gone: it reads from a pipe that nobody writes.
    private static func startWatch(_ directory: String) throws -> Int32 {
        var ends: [Int32] = [0, 0]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw Failure(description: "no pipe can be made") }
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

    /// Kept, because what a test starts is killed when it is let go.
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

    /// The newest PostgreSQL of Debian's layout, or the one on the PATH.
    private static func findBinaries() throws -> String {
        var folders = (9...30).reversed().map { "/usr/lib/postgresql/\($0)/bin" }
        folders += String(cString: getenv("PATH")).split(separator: ":").map(String.init)
        if let found = folders.first(where: { access($0 + "/initdb", X_OK) == 0 }) { return found }
        throw Failure(description: "no initdb was found; run: apt-get install postgresql")
    }
}
