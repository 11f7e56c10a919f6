import CarillonClient
import CarillonCore
import CarillonJSON
import CarillonRPC
import CarillonRuntime
import CarillonWire
import Glibc
import Logging
import Synchronization
import TestSupport

/// A system of real processes with its own database: schedulers, workers, a gateway, and a counting target.
final class TestSystem: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// A process that can be killed and restarted with the same addresses.
    final class Node: Sendable {
        let name: String
        private let path: String
        private let arguments: [String]
        private let environment: [String: String]
        private let log: String
        private let running = Mutex<ChildProgram?>(nil)

        init(_ name: String, _ path: String, _ arguments: [String], _ environment: [String: String], log: String) {
            self.name = name
            self.path = path
            self.arguments = arguments
            self.environment = environment
            self.log = log
        }

        func start() throws {
            let program = try ChildProgram(path, arguments, environment: environment, output: log)
            running.withLock { $0 = program }
        }

        var program: ChildProgram? { running.withLock { $0 } }
        var isRunning: Bool { program?.isRunning ?? false }
        var text: String { TextFile.contents(of: log) }

        func signal(_ number: Int32) { program?.signal(number) }
        func kill() { program?.killNow() }

        /// Waits for the end of the process without blocking a thread.
        @discardableResult
        func ended() async throws -> ChildProgram.End {
            guard let program else { return .exited(0) }
            while program.isRunning { try await Task.sleep(for: .milliseconds(10)) }
            return program.wait()
        }
    }

    let cluster: PostgresCluster
    /// A hot standby of `cluster`, if the scenario asked for one.
    let standby: PostgresCluster?
    /// The server that the audit reads: `cluster`, or the standby after its promotion.
    private let primary: Mutex<PostgresCluster>
    /// The URL contains both servers if there are two.
    let databaseURL: String
    let target: CountingTarget
    let folder: String
    let bin: String
    let schedulers: [Node]
    let schedulerPorts: [Int]
    let workers: [Node]
    let gateway: Node
    let gatewayURL: String
    let client: RPCClient

    /// - Parameters:
    ///   - through: ports that workers dial instead of the schedulers' ports.
    ///   - ownCluster: for scenarios that stop the database.
    ///   - withStandby: a separate cluster with a synchronous hot standby.
    ///   - diskMegabytes: a separate cluster on a disk of this size.
    ///   - clusterEnvironment: environment variables for the server of a separate cluster.
    ///   - settings: additional settings of schedulers and workers.
    ///   - settingsOfScheduler: additional settings of one scheduler, by its index.
    init(
        schedulers: Int = 1,
        workers: Int = 1,
        slots: Int = 256,
        ownCluster: Bool = false,
        withStandby: Bool = false,
        diskMegabytes: Int? = nil,
        clusterEnvironment: [String: String] = [:],
        through: (@Sendable ([Int]) async throws -> [Int])? = nil,
        settings: [String: String] = [:],
        settingsOfScheduler: (Int) -> [String: String] = { _ in [:] }
    ) async throws {
        cluster =
            try ownCluster || withStandby || diskMegabytes != nil
            ? PostgresCluster(isDurable: true, environment: clusterEnvironment, diskMegabytes: diskMegabytes)
            : PostgresCluster.shared
        let url = try cluster.makeDatabase()
        if withStandby {
            let standby = try PostgresCluster(standbyOf: cluster)
            try cluster.psql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            try cluster.psql("SELECT pg_reload_conf()")
            self.standby = standby
            databaseURL = url.replacing(":\(cluster.port)/", with: ":\(cluster.port),127.0.0.1:\(standby.port)/")
        } else {
            standby = nil
            databaseURL = url
        }
        primary = Mutex(cluster)
        target = try await CountingTarget.start()
        var template = Array("/tmp/carillon-e2e-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "cannot create a directory in /tmp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let bin = try Self.programs()
        self.bin = bin
        var environment = settings
        for name in ["PATH", "HOME", "TZDIR", "LD_LIBRARY_PATH"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        let (folder, databaseURL) = (folder, databaseURL)
        let ports = try (0..<schedulers).map { _ in try FreePort.take() }
        schedulerPorts = ports
        // Settings are passed in the environment: with a preloaded library Swift loses the arguments of a program.
        self.schedulers = ports.enumerated().map { index, port in
            var variables = environment.merging(settingsOfScheduler(index)) { $1 }
            (variables["DATABASE_URL"], variables["LISTEN"]) = (databaseURL, "127.0.0.1:\(port)")
            variables["METRICS_LISTEN"] = "127.0.0.1:0"
            let name = "scheduler-\(index + 1)"
            return Node(name, bin + "/carillon-scheduler", [], variables, log: "\(folder)/\(name).log")
        }
        let dialled = try await through?(ports) ?? ports
        let addresses = dialled.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        self.workers = (0..<workers).map { index in
            let name = "worker-\(index + 1)"
            var variables = environment
            (variables["SCHEDULERS"], variables["MAX_WORKERS"]) = (addresses, "\(slots)")
            (variables["METRICS_LISTEN"], variables["WORKER_NAME"]) = ("127.0.0.1:0", name)
            return Node(name, bin + "/carillon-worker", [], variables, log: "\(folder)/\(name).log")
        }
        let gatewayPort = try FreePort.take()
        gatewayURL = "http://127.0.0.1:\(gatewayPort)"
        gateway = Node(
            "gateway",
            bin + "/carillon-gateway",
            [
                "--schedulers", ports.map { "127.0.0.1:\($0)" }.joined(separator: ","), "--listen",
                "127.0.0.1:\(gatewayPort)",
            ],
            environment,
            log: "\(folder)/gateway.log"
        )
        client = RPCClient(
            RPCClient.Configuration(
                schedulers: ports.map { HostPort(host: "127.0.0.1", port: $0) },
                name: "tests",
                requestTimeout: .seconds(30),
                takeOverWait: .seconds(60)
            ),
            logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Starts all processes and returns when a scheduler leads and all workers are connected.
    func start(withGateway: Bool = false) async throws {
        for node in schedulers + workers { try node.start() }
        if withGateway { try gateway.start() }
        try await untilServing()
    }

    /// Waits until a scheduler leads and all workers have offered their slots.
    func untilServing(workers count: Int? = nil) async throws {
        while true {
            let cluster = try await client.call("get_cluster", [:])
            let offering = (cluster["workers"]?.array ?? []).filter { ($0["free_slots"]?.integer ?? 0) > 0 }
            if cluster["leading"] == .bool(true), offering.count >= count ?? workers.count { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The current leader.
    func leader() async throws -> Node {
        while true {
            let rows = try psql("SELECT address FROM shards WHERE shard = 0 AND lease_expires_at > clock_timestamp()")
            if let index = schedulerPorts.firstIndex(where: { rows.hasSuffix(":\($0)") }), schedulers[index].isRunning {
                return schedulers[index]
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The number of times that workers have connected to a scheduler.
    func connections(to scheduler: Node) -> Int {
        scheduler.text.split(separator: "\n").count { $0.contains("worker connected") }
    }

    /// The time of the last loss of the leader, in seconds of the stopwatch.
    let leaderLostAt = Mutex<Double?>(nil)

    /// Sends the leader a signal that cannot be handled, shortly before the next whole second, so that executions are
    /// due at once.
    @discardableResult
    func killLeader(with number: Int32 = SIGKILL) async throws -> Node {
        let leader = try await leader()
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        try await Task.sleep(for: .nanoseconds((2_000_000_000 - 50_000_000 - time.tv_nsec) % 1_000_000_000))
        leaderLostAt.withLock { $0 = Stopwatch.now }
        leader.signal(number)
        if number == SIGKILL { _ = try await leader.ended() }
        return leader
    }

    @discardableResult
    func psql(_ sql: String) throws -> String {
        let primary = primary.withLock { $0 }
        return try primary.psql(sql, url: databaseURL)
    }

    /// Promotes the standby to primary. The other server must have stopped answering.
    func failOver() throws {
        guard let standby else { throw Failure(description: "the scenario has no standby") }
        try standby.promote()
        primary.withLock { $0 = standby }
    }

    /// Like `psql`, without blocking the thread.
    func psqlAside(_ sql: String) async throws -> String {
        let script = "exec psql -X -A -t -q -c \"$1\" \"$2\""
        let output = "\(folder)/psql.log"
        let program = try ChildProgram("/bin/sh", ["-c", script, "sh", sql, databaseURL], output: output)
        while program.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        guard program.wait() == .exited(0) else { throw Failure(description: program.text) }
        return program.text
    }

    /// Runs `carillon` against the schedulers and returns its output.
    func carillon(_ arguments: [String]) throws -> String {
        let addresses = schedulerPorts.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        return try ChildProgram.run(bin + "/carillon", ["--schedulers", addresses] + arguments)
    }

    /// Runs `carillon-scheduler migrate` and returns its output.
    func migrate(_ arguments: [String]) throws -> String {
        try ChildProgram.run(bin + "/carillon-scheduler", ["migrate"] + arguments)
    }

    /// Stops all processes that are still running.
    func stop() async throws {
        for node in [gateway] + workers + schedulers {
            node.signal(SIGCONT)
            node.kill()
        }
        await client.close()
        await target.stop()
        _ = try? ChildProgram.run("/bin/rm", ["-rf", folder])
    }

    /// The folder of the programs: `CARILLON_PROGRAMS`, or else the folder of the test bundle.
    static func programs() throws -> String {
        if let named = getenv("CARILLON_PROGRAMS").map({ String(cString: $0) }), !named.isEmpty {
            guard access(named + "/carillon-scheduler", X_OK) == 0 else {
                throw Failure(description: "carillon-scheduler is not in CARILLON_PROGRAMS, \(named); run `make build`")
            }
            return named
        }
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        var folder = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
        for candidate in [folder, ".build/debug"] where access(candidate + "/carillon-scheduler", X_OK) == 0 {
            return candidate
        }
        throw Failure(description: "carillon-scheduler is not beside \(folder); run `make test`")
    }
}
