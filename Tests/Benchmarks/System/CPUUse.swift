import TestSupport

extension PostgresCluster {
    /// The process that all others of the server are children of.
    var pid: Int32 {
        let file = TextFile.contents(of: directory + "/data/postmaster.pid")
        return file.split(separator: "\n").first.flatMap { Int32($0) } ?? 0
    }
}

/// Seconds of CPU by component.
struct CPUUse: Sendable {
    var scheduler: Double
    var worker: Double
    var postgres: Double
    var target: Double

    /// All that the components have used so far.
    init(_ system: System) throws {
        let workers = system.names.filter { $0.hasPrefix("worker") }
        scheduler = ProcessFacts.cpu(system.pid("scheduler"))
        worker = workers.reduce(0) { $0 + ProcessFacts.cpu(system.pid($1)) }
        postgres = ProcessFacts.cpuOfTree(system.cluster.pid)
        target = try ProcessFacts.cpu(system.bench.nginx.pid)
    }

    /// What was used since then, divided.
    func since(_ earlier: CPUUse, per count: Double) -> [(name: String, value: Double)] {
        [
            ("scheduler", (scheduler - earlier.scheduler) / count), ("worker", (worker - earlier.worker) / count),
            ("postgres", (postgres - earlier.postgres) / count), ("target", (target - earlier.target) / count),
        ]
    }
}
