internal import CarillonRuntime
internal import CarillonSystem
internal import Glibc

/// The whole system on this machine: determines the addresses, then passes the programs to a supervisor.
struct LocalSystem {
    var options: UpCommand
    var world: World

    /// The programs that `carillon up` starts in addition to PostgreSQL.
    private static let programs = ["carillon-scheduler", "carillon-worker", "carillon-gateway"]
    private static let schedulerMetricsPort = 7071

    func run() throws -> Int32 {
        let browserArguments = try options.browsers.arguments(environment: world.environment)
        let runner = LocalSystem.ownProgram()
        let bin = String(runner[..<(runner.lastIndex(of: "/") ?? runner.startIndex)])
        for program in LocalSystem.programs where access("\(bin)/\(program)", X_OK) != 0 {
            throw CommandFailure(
                status: .failure,
                text: "\(bin)/\(program) is missing; all programs must be in the same folder, as after `make build`"
            )
        }
        let data = try DataFolder(options.dataFolder)
        let lock = try data.lock()
        defer { close(lock) }
        let logs = try data.logs()
        let rpc = try LocalSystem.address(options.rpc, option: "--rpc", not: [])
        let gateway = try LocalSystem.address(options.gateway, option: "--gateway", not: [rpc.port])
        // For scripts: `curl "$(cat .carillon/gateway-url)/health"` works with any port.
        try data.remember("gateway-url", "http://\(LocalSystem.reachable(gateway))")
        try data.remember("schedulers", LocalSystem.reachable(rpc).description)
        // From here on signals are handled at defined points, so that no step is interrupted.
        let inbox = try SignalInbox(catching: Supervisor.signals)
        say("logs are in \(logs.path)")
        let database =
            otherURL == nil
            ? try PrivateDatabase(of: data, environment: world.environment, runner: runner, say: say) : nil
        let url = otherURL ?? database?.url ?? ""
        let shown = "database \(MaskedConnectionString.of(url) ?? SecretText.placeholder)\n"
        let announcements = Announcements(world: world)
        if database == nil { try world.write(shown) }

        let reachable = LocalSystem.reachable(gateway)
        let supervisor = Supervisor(
            children: try children(logs, bin, database, url, rpc, gateway, browserArguments),
            hasDatabase: database != nil,
            runner: runner,
            say: say,
            isDatabaseReady: { database?.isReady ?? true },
            databaseBecameReady: {
                announcements.write(shown)
                say("`carillon up --print-database-url --data-dir \(data.path)` prints the URL with the password")
            },
            healthProblem: { HealthProbe.problem(at: reachable, hasWorkers: options.workers > 0) },
            becameHealthy: {
                announcements.write(LocalSystem.howToReach(rpc: rpc, gateway: gateway))
                if options.workers == 0 {
                    say(
                        "no workers are started (--workers 0), and no calls are made without a worker; start one with "
                            + "carillon-worker --schedulers \(LocalSystem.reachable(rpc))"
                    )
                }
            }
        )
        let status = supervisor.run(inbox)
        if let failure = announcements.failure { throw failure }
        return status
    }

    /// The database of the option or the environment; `nil` for the private database.
    private var otherURL: String? {
        options.databaseURL ?? EnvironmentVariables(world.environment)["DATABASE_URL"]
    }

    private func say(_ text: String) {
        world.writeError("\(text)\n")
    }

    // MARK: The children

    private func children(
        _ logs: FolderHandle,
        _ bin: String,
        _ database: PrivateDatabase?,
        _ url: String,
        _ rpc: HostPort,
        _ gateway: HostPort,
        _ browserArguments: [String]
    ) throws -> [SupervisedChild] {
        var children: [SupervisedChild] = []
        func add(_ life: Supervision.Child, _ launch: Launch) {
            children.append(
                SupervisedChild(life: life, launch: launch, log: LogFile(folder: logs, name: life.name + ".log"))
            )
        }
        if let database { add(PrivateDatabase.life, database.launch) }
        // The URL is passed in the environment, because every user of the machine can read command lines.
        let schedulerKind = database == nil ? ChildEnvironment.schedulerOfOtherDatabase : .scheduler
        let own = schedulerKind.variables(of: world.environment).merging(["DATABASE_URL": url]) { $1 }
        // The programs themselves choose 7071 and up, or any free port. A port chosen here could be taken when a child
        // is restarted.
        let preferred = LocalSystem.schedulerMetricsPort...LocalSystem.schedulerMetricsPort + options.workers
        let metrics =
            preferred.contains(rpc.port) || preferred.contains(gateway.port) ? ["--metrics-listen", "127.0.0.1:0"] : []
        add(
            Supervision.Child(name: "scheduler", rank: 2, stopSignal: SIGTERM, hurrySignal: SIGKILL, graceMs: 15_000),
            Launch(
                program: bin + "/carillon-scheduler",
                arguments: [
                    "--listen", rpc.description,
                ] + metrics,
                environment: own
            )
        )
        let reachable = LocalSystem.reachable(rpc).description
        for number in 1...max(1, options.workers) where options.workers > 0 {
            // A worker ends when its calls have ended, and every call has a timeout. No further limit is needed here.
            add(
                Supervision.Child(
                    name: "worker-\(number)",
                    rank: 1,
                    stopSignal: SIGTERM,
                    hurrySignal: SIGKILL,
                    graceMs: nil
                ),
                Launch(
                    program: bin + "/carillon-worker",
                    arguments: [
                        "--schedulers", reachable, "--max-workers", maxWorkers, "--name", "worker-\(number)",
                    ] + metrics,
                    environment: ChildEnvironment.worker.variables(of: world.environment)
                )
            )
        }
        add(
            Supervision.Child(name: "gateway", rank: 0, stopSignal: SIGTERM, hurrySignal: SIGKILL, graceMs: 15_000),
            Launch(
                program: bin + "/carillon-gateway",
                arguments: ["--schedulers", reachable, "--listen", gateway.description] + browserArguments,
                environment: ChildEnvironment.gateway.variables(of: world.environment)
            )
        )
        return children
    }

    private var maxWorkers: String {
        options.maxWorkers.map(String.init) ?? EnvironmentVariables(world.environment)["MAX_WORKERS"] ?? "256"
    }

    // MARK: Addresses

    /// The address with a free port; port 0 is replaced by a free port.
    static func address(_ wanted: HostPort, option: String, not taken: Set<Int>) throws -> HostPort {
        var address = wanted
        if wanted.port == 0 {
            repeat { address.port = try Ports.free(on: wanted.host) } while taken.contains(address.port)
            return address
        }
        guard !taken.contains(wanted.port) else {
            throw CommandFailure(status: .usage, text: "\(option) \(wanted): --rpc uses that port; choose another port")
        }
        guard let problem = Ports.problem(with: wanted) else { return address }
        throw CommandFailure(
            status: .unavailable,
            text: "\(option) \(wanted): \(problem); stop it, or choose another address, such as \(option) "
                + "\(HostPort(host: wanted.host, port: 0)) for any free port"
        )
    }

    /// The lines that show how to reach the system. The scheduler's address is shown if it is not the default of
    /// `carillon`.
    static func howToReach(rpc: HostPort, gateway: HostPort) -> String {
        let schedulers = reachable(rpc)
        let isDefault = ["127.0.0.1", "localhost"].contains(schedulers.host) && schedulers.port == 7070
        return (isDefault ? "" : "schedulers \(schedulers) (for carillon: export SCHEDULERS=\(schedulers))\n")
            + "ready http://\(reachable(gateway))\n"
    }

    /// The address at which this machine reaches a server that listens on all addresses.
    static func reachable(_ address: HostPort) -> HostPort {
        switch address.host {
        case "0.0.0.0": HostPort(host: "127.0.0.1", port: address.port)
        case "::", "::0": HostPort(host: "::1", port: address.port)
        default: address
        }
    }

    /// The path of the running program.
    static func ownProgram() -> String {
        var buffer = [CChar](repeating: 0, count: 4_097)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return CommandLine.arguments[0] }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
