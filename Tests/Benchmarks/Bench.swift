import Glibc
import Synchronization
import TestSupport

/// Shared by all measurements: the durations, the database server, and the target.
final class Bench: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let quick: Bool
    /// The folder of the programs under test.
    let programs: String
    /// The folder in which the program was started: the repository.
    let home: String
    /// The folder for output of the processes.
    let folder: String
    private let shared = Mutex<(cluster: PostgresCluster?, nginx: Nginx?)>((nil, nil))

    init(quick: Bool) throws {
        self.quick = quick
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        home = currentFolder()
        programs = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        for name in ["carillon-scheduler", "carillon-worker", "carillon-gateway"]
        where access("\(programs)/\(name)", X_OK) != 0 {
            throw Failure(description: "\(name) is not in \(programs); run `make build`")
        }
        var template = Array("/tmp/carillon-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "cannot create a directory in /tmp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The number of rounds of measurements that start a system.
    var rounds: Int { quick ? 1 : 5 }
    /// The number of rounds of measurements that take a second or less.
    var shortRounds: Int { quick ? 3 : 5 }
    /// The seconds until connections are open and caches are filled.
    var warmUp: Double { quick ? 2 : 4 }

    /// PostgreSQL with fsync and synchronous_commit on.
    var cluster: PostgresCluster {
        get throws {
            try shared.withLock { shared in
                if let cluster = shared.cluster { return cluster }
                let made = try PostgresCluster(
                    settings: ["shared_buffers = 512MB", "max_wal_size = 8GB", "synchronous_commit = on"],
                    isDurable: true
                )
                shared.cluster = made
                return made
            }
        }
    }

    /// The target.
    var nginx: Nginx {
        get throws {
            try shared.withLock { shared in
                if let nginx = shared.nginx { return nginx }
                let made = try Nginx(folder: folder)
                shared.nginx = made
                return made
            }
        }
    }

    func end() {
        shared.withLock { $0 = (nil, nil) }
        _ = try? ChildProgram.run("/bin/rm", ["-rf", folder])
    }
}

/// The working folder of this process.
func currentFolder() -> String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
}
