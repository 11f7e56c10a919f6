import TestSupport

extension PostgresCluster {
    /// The parent of all processes of the server.
    var pid: Int32 {
        let file = TextFile.contents(of: directory + "/data/postmaster.pid")
        return file.split(separator: "\n").first.flatMap { Int32($0) } ?? 0
    }
}

/// CPU seconds by component.
struct CPUUse: Sendable {
    var scheduler: Double
    var worker: Double
    var postgres: Double
    var target: Double

    /// The total use of the components so far.
    init(_ system: System) throws {
        let workers = system.names.filter { $0.hasPrefix("worker") }
        scheduler = ProcessFacts.cpu(system.pid("scheduler"))
        worker = workers.reduce(0) { $0 + ProcessFacts.cpu(system.pid($1)) }
        postgres = ProcessFacts.cpuOfTree(system.cluster.pid)
        target = try ProcessFacts.cpu(system.bench.nginx.pid)
    }

    /// The use since an earlier reading, divided by a count.
    func since(_ earlier: CPUUse, per count: Double) -> [(name: String, value: Double)] {
        [
            ("scheduler", (scheduler - earlier.scheduler) / count), ("worker", (worker - earlier.worker) / count),
            ("postgres", (postgres - earlier.postgres) / count), ("target", (target - earlier.target) / count),
        ]
    }
}
