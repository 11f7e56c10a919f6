import CarillonWire

/// So many jobs, due every second.
struct Level {
    var jobs: Int
    var recorded: Double
    var p50: Double
    var p99: Double
    var cpu: [(name: String, value: Double)]

    /// What was due was done, within its second.
    var isKeptUp: Bool { recorded >= Double(jobs) * 0.99 && p99 < 1_000 }

    var text: String {
        let costs = cpu.map { "\($0.name) \(($0.value * 1e6).short)" }.joined(separator: ", ")
        return
            "\(jobs) due: \(recorded.short) recorded, drift p50 \(p50.short) p99 \(p99.short) ms, us of CPU: \(costs)"
    }

    var json: JSONValue {
        [
            "due": .integer(Int64(jobs)), "recorded": .number(recorded), "drift_p50_ms": .number(p50),
            "drift_p99_ms": .number(p99),
            "cpu_us": .object(cpu.map { .init($0.name, .number($0.value * 1e6)) }),
        ]
    }

    static func measure(_ bench: Bench, jobs: Int, seconds: Int, slots: Int = 256) async throws -> Level {
        let system = try System(bench, slots: slots)
        try system.insertJobs(jobs, url: bench.nginx.url)
        try await system.start()
        // Connections are opened, caches filled.
        try await Stopwatch.sleep(4)
        let (begin, from) = (try CPUUse(system), Stopwatch.now)
        let first = Stopwatch.unixSeconds
        try await Stopwatch.sleep(Double(seconds))
        let (end, took) = (try CPUUse(system), Stopwatch.now - from)
        for name in system.names { system.kill(name) }
        let row = try system.numbers(
            """
            SELECT count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY drift_ms),
                percentile_disc(0.99) WITHIN GROUP (ORDER BY drift_ms)
            FROM job_executions WHERE status = 'SUCCESS' AND attempts = 1
                AND finished_at >= to_timestamp(\(first)) AND finished_at < to_timestamp(\(first + seconds))
            """
        )
        try await system.stop()
        let recorded = row[0] / Double(seconds)
        return Level(
            jobs: jobs,
            recorded: recorded,
            p50: row[1],
            p99: row[2],
            cpu: end.since(begin, per: recorded * took)
        )
    }
}
