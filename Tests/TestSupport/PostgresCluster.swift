internal import Foundation
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
    private let binaries: String
    /// Its other end is read by the process that cleans up when this one is gone.
    private let watch: Pipe
    private let databases = Mutex(0)

    /// One cluster a test process; it is started when it is first asked for.
    package static var shared: PostgresCluster {
        get throws { try started.get() }
    }

    private static let started = Result { try PostgresCluster() }

    /// Makes and starts a cluster. `settings` go to postgresql.conf; without `isDurable` nothing is flushed to the disk, which
    /// a kill of the processes does not notice.
    package init(settings: [String] = [], isDurable: Bool = false) throws {
        binaries = try Self.findBinaries()
        port = try Self.freePort()
        var template = Array("/tmp/carillon-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no directory can be made in /tmp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        watch = Pipe()
        if geteuid() == 0 {
            guard let user = getpwnam("postgres") else {
                throw Failure(description: "root cannot run PostgreSQL, and there is no user 'postgres'; run: apt-get install postgresql")
            }
            chown(directory, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        try asServer("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        var lines = [
            "port = \(port)", "listen_addresses = '127.0.0.1'", "unix_socket_directories = '\(directory)'",
            "max_connections = 200", "shared_buffers = 64MB", "logging_collector = off", "timezone = 'Europe/Vienna'",
        ]
        if !isDurable { lines += ["fsync = off", "full_page_writes = off"] }
        let configuration = try FileHandle(forUpdating: URL(fileURLWithPath: data + "/postgresql.conf"))
        try configuration.seekToEnd()
        try configuration.write(contentsOf: Data((lines + settings).joined(separator: "\n").utf8))
        try configuration.close()
        try startWatch()
        try start()
    }

    private var data: String { directory + "/data" }

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
        try asServer("pg_ctl", ["-D", data, "-w", "-s", "-l", directory + "/postgres.log", "start"])
    }

    package func stop(_ mode: StopMode = .fast) throws {
        try asServer("pg_ctl", ["-D", data, "-w", "-s", "-m", mode.rawValue, "stop"])
    }

    package func restart(_ mode: StopMode = .fast) throws {
        try stop(mode)
        try start()
    }

    /// Kills the server with SIGKILL, and returns when all its processes are gone. `start` recovers it.
    package func kill() throws {
        let file = try String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)
        guard let pid = file.split(separator: "\n").first.flatMap({ Int32($0) }) else {
            throw Failure(description: "postmaster.pid does not begin with a process id")
        }
        Glibc.kill(pid, SIGKILL)
        while Glibc.kill(pid, 0) == 0 { usleep(5_000) }
        // A killed postmaster leaves its lock file; its backends end when they notice, and `start` waits for them.
        try? FileManager.default.removeItem(atPath: data + "/postmaster.pid")
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
            "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", directory, "-p", String(port), "-U", "postgres", "-d", database,
        ]
        return try output(binaries + "/psql", options + arguments)
    }

    // MARK: Processes

    /// Stops the cluster and removes its directory as soon as this process is gone: it reads from a pipe that nobody writes.
    private func startWatch() throws {
        _ = fcntl(watch.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c",
            """
            trap '' INT TERM HUP
            read -r line
            kill -QUIT "$(head -n 1 "$1/postmaster.pid")" 2>/dev/null
            for round in 1 2 3 4 5 6 7 8 9 10; do test -e "$1/postmaster.pid" || break; sleep 0.2; done
            rm -rf "$2"
            """,
            "sh", data, directory,
        ]
        process.standardInput = watch.fileHandleForReading
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    private func asServer(_ program: String, _ arguments: [String]) throws {
        let path = binaries + "/" + program
        if geteuid() == 0 {
            try output("runuser", ["-u", "postgres", "--", path] + arguments)
        } else {
            try output(path, arguments)
        }
    }

    /// Runs a program to its end. What it prints goes through a file: a server that it leaves running may keep it open.
    @discardableResult
    private func output(_ program: String, _ arguments: [String]) throws -> String {
        let path = directory + "/output-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = file
        process.standardError = file
        try process.run()
        process.waitUntilExit()
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(program) \(arguments.joined(separator: " ")) failed: \(text)")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The newest PostgreSQL of Debian's layout, or the one on the PATH.
    private static func findBinaries() throws -> String {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        var folders = versions.compactMap(Int.init).sorted(by: >).map { "/usr/lib/postgresql/\($0)/bin" }
        folders += (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        if let found = folders.first(where: { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }) {
            return found
        }
        throw Failure(description: "no initdb was found; run: apt-get install postgresql")
    }

    private static func freePort() throws -> Int {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
                bind(listener, rebound, length) == 0 ? getsockname(listener, rebound, &length) : -1
            }
        }
        guard code == 0 else { throw Failure(description: "no free TCP port on 127.0.0.1") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
