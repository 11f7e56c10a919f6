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

/// A system of real processes with its own database: the release programs with their defaults.
final class System: Sendable {
    let bench: Bench
    let cluster: PostgresCluster
    let databaseURL: String
    let port: Int
    let gatewayPort: Int
    let client: RPCClient
    private let slots: Int
    private let workers: Int
    private let running = Mutex<[(name: String, program: ChildProgram)]>([])

    /// Creates the database and its schema without starting processes.
    init(_ bench: Bench, slots: Int = 256, workers: Int = 1) throws {
        self.bench = bench
        self.slots = slots
        self.workers = workers
        cluster = try bench.cluster
        databaseURL = try cluster.makeDatabase()
        port = try FreePort.take()
        gatewayPort = try FreePort.take()
        try ChildProgram.run(bench.programs + "/carillon-scheduler", ["migrate", "up", "--database-url", databaseURL])
        client = RPCClient(
            RPCClient.Configuration(
                schedulers: [HostPort(host: "127.0.0.1", port: port)],
                name: "bench",
                requestTimeout: .seconds(120),
                takeOverWait: .seconds(120)
            ),
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    // MARK: Jobs

    /// Inserts a number of jobs with one schedule, which may contain `n`, the number of the job.
    func insertJobs(_ count: Int, schedule: String = "'* * * * * *'", url: String) throws {
        try psql(
            """
            INSERT INTO jobs (schedule, api_url) SELECT \(schedule), '\(url)' FROM generate_series(1, \(count)) AS n
            """
        )
    }

    /// Inserts jobs with 999 schedules that are all due on one day half a year ahead.
    func insertFarJobs(_ count: Int, url: String) throws {
        let month = (Stopwatch.unixSeconds / 2_629_746 + 6) % 12 + 1
        try insertJobs(count, schedule: "format('%s %s 12 15 \(month) *', n % 999 % 60, n % 999 / 60)", url: url)
        try psql("VACUUM ANALYZE jobs")
    }

    @discardableResult
    func psql(_ sql: String) throws -> String { try cluster.psql(sql, url: databaseURL) }

    /// The numbers of a single row.
    func numbers(_ sql: String) throws -> [Double] {
        try psql(sql).split(separator: "|", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
    }

    /// The number of successful executions.
    func executions() throws -> Double {
        try numbers("SELECT count(*) FROM job_executions WHERE status = 'SUCCESS'")[0]
    }

    // MARK: Processes

    /// Starts the scheduler and the workers, and returns when the scheduler leads and the workers have offered their
    /// slots.
    /// - Parameter count: counts allocations of the scheduler and the workers.
    func start(gateway: Bool = false, counting count: AllocationCount? = nil) async throws {
        try startScheduler(counting: count)
        for number in 1...max(1, workers) {
            try start(
                "worker-\(number)",
                "carillon-worker",
                [
                    "--schedulers", "127.0.0.1:\(port)", "--max-workers", "\(slots)", "--metrics-listen", "127.0.0.1:0",
                    "--name", "worker-\(number)",
                ],
                counting: count
            )
        }
        if gateway {
            try start(
                "gateway",
                "carillon-gateway",
                ["--schedulers", "127.0.0.1:\(port)", "--listen", "127.0.0.1:\(gatewayPort)"]
            )
        }
        try await untilServing(workers: workers)
        while gateway, !FreePort.answers(gatewayPort) { try await Stopwatch.sleep(0.02) }
    }

    func startScheduler(counting count: AllocationCount? = nil) throws {
        try start(
            "scheduler",
            "carillon-scheduler",
            ["--database-url", databaseURL, "--listen", "127.0.0.1:\(port)", "--metrics-listen", "127.0.0.1:0"],
            counting: count
        )
    }

    func untilServing(workers count: Int) async throws {
        while true {
            let cluster = try await client.call("get_cluster", [:])
            // Under load all workers may be busy as soon as they are connected.
            let offering = (cluster["workers"]?.array ?? []).filter {
                ($0["free_slots"]?.integer ?? 0) + ($0["in_flight"]?.integer ?? 0) > 0
            }
            if cluster["leading"] == .bool(true), offering.count >= count { return }
            try await Stopwatch.sleep(0.02)
        }
    }

    func kill(_ name: String) {
        let found = running.withLock { running in
            defer { running.removeAll { $0.name == name } }
            return running.first { $0.name == name }?.program
        }
        found?.killNow()
    }

    func pid(_ name: String) -> Int32 { running.withLock { $0.first { $0.name == name }?.program.pid ?? 0 } }

    /// The names of the running processes.
    var names: [String] { running.withLock { $0.map(\.name) } }

    /// Stops all processes and drops the database.
    func stop() async throws {
        for name in names { kill(name) }
        await client.close()
        let database = databaseURL.split(separator: "/").last ?? ""
        try cluster.psql("DROP DATABASE \(database) WITH (FORCE)")
        try cluster.psql("CHECKPOINT")
    }

    private func start(
        _ name: String,
        _ program: String,
        _ arguments: [String],
        counting count: AllocationCount? = nil
    ) throws {
        let path = "\(bench.programs)/\(program)"
        let output = "\(bench.folder)/\(name).log"
        guard let count else { return keep(name, try ChildProgram(path, arguments, output: output)) }
        // With a preloaded library Swift loses the arguments of a program, so settings are passed in the environment.
        var variables = count.environment(name)
        for (flag, value) in zip(arguments, arguments.dropFirst()) where flag.hasPrefix("--") {
            let setting = flag == "--name" ? "WORKER_NAME" : String(flag.dropFirst(2).map { $0 == "-" ? "_" : $0 })
            variables[setting.uppercased()] = value
        }
        for inherited in ["PATH", "HOME", "LD_LIBRARY_PATH"] {
            if let value = getenv(inherited) { variables[inherited] = String(cString: value) }
        }
        keep(name, try ChildProgram(path, [], environment: variables, output: output))
    }

    private func keep(_ name: String, _ program: ChildProgram) {
        running.withLock { $0.append((name, program)) }
    }
}
