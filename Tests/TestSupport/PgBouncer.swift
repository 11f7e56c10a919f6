internal import CLinux
internal import Glibc

/// A PgBouncer in front of a test's PostgreSQL; it ends with the object.
package final class PgBouncer: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        case session, transaction, statement
    }

    private let program: ChildProgram
    private let port: Int
    private let directory: String

    /// Returns when PgBouncer accepts connections.
    ///
    /// - Parameters:
    ///   - poolSize: the number of server connections for each database and user.
    ///   - settings: additional lines for the section `[pgbouncer]`.
    package init(_ mode: Mode, before cluster: PostgresCluster, poolSize: Int, settings: [String] = []) throws {
        port = try FreePort.take()
        var template = Array("/tmp/carillon-bouncer-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw PostgresCluster.Failure(description: "no directory in /tmp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let lines =
            [
                "[databases]", "* = host=127.0.0.1 port=\(cluster.port) user=postgres", "[pgbouncer]",
                "listen_addr = 127.0.0.1", "listen_port = \(port)", "unix_socket_dir =", "auth_type = any",
                "pool_mode = \(mode.rawValue)", "default_pool_size = \(poolSize)", "max_client_conn = 200",
            ] + settings
        guard let file = fopen(directory + "/pgbouncer.ini", "w") else {
            throw PostgresCluster.Failure(description: "pgbouncer.ini cannot be written")
        }
        fputs(lines.joined(separator: "\n") + "\n", file)
        fclose(file)
        var command = [Self.path, directory + "/pgbouncer.ini"]
        // PgBouncer refuses to run as root.
        if geteuid() == 0 {
            chmod(directory, 0o755)
            command = ["/usr/sbin/runuser", "-u", "postgres", "--"] + command
        }
        program = try ChildProgram(
            command[0],
            Array(command.dropFirst()),
            output: directory + "/log",
            ownGroup: true
        )
        while !program.text.contains("process up") {
            guard program.isRunning else {
                throw PostgresCluster.Failure(description: "pgbouncer does not start: \(program.text)")
            }
            usleep(5_000)
        }
    }

    deinit {
        kill(-program.pid, SIGTERM)
        _ = try? ChildProgram.run("/bin/rm", ["-rf", directory])
    }

    /// The URL of the same database through this pooler.
    package func url(of url: String) -> String {
        "postgresql://postgres@127.0.0.1:\(port)/\(url.split(separator: "/").last ?? "postgres")"
    }

    private static var path: String {
        access("/usr/sbin/pgbouncer", X_OK) == 0 ? "/usr/sbin/pgbouncer" : "/usr/bin/pgbouncer"
    }
}
