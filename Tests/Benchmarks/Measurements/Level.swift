import CarillonJSON

/// A load level: a number of jobs due every second, with the results.
struct Level {
    var jobs: Int
    var recorded: Double
    var p50: Double
    var p99: Double
    /// CPU seconds per execution, by component.
    var cpu: [(name: String, value: Double)]

    /// Whether all due executions were recorded within their second.
    var isKeptUp: Bool { recorded >= Double(jobs) * 0.99 && p99 < 1_000 }

    /// Microseconds per execution of the scheduler and the workers.
    var cpuOfCarillon: Double {
        cpu.filter { ["scheduler", "worker"].contains($0.name) }.reduce(0) { $0 + $1.value * 1e6 }
    }

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

    /// The level without the idle use: `idle` is CPU seconds per second.
    func without(_ idle: [(name: String, value: Double)]) -> Level {
        var level = self
        level.cpu = zip(cpu, idle).map { ($0.name, max(0, $0.value - $1.value / max(recorded, 1e-9))) }
        return level
    }

    /// One round.
    static func measure(_ bench: Bench, jobs: Int, seconds: Int, slots: Int = 256) async throws -> Level {
        try await rounds(bench, jobs: jobs, seconds: seconds, slots: slots, rounds: 1)[0]
    }

    /// Several rounds of one run.
    /// - Parameter holding: additional jobs that are due on a distant day.
    static func rounds(
        _ bench: Bench,
        jobs: Int,
        holding: Int = 0,
        seconds: Int,
        slots: Int = 256,
        workers: Int = 1,
        rounds: Int
    ) async throws -> [Level] {
        let system = try System(bench, slots: slots, workers: workers)
        if holding > 0 { try system.insertFarJobs(holding, url: bench.nginx.url) }
        try system.insertJobs(jobs, url: bench.nginx.url)
        try await system.start()
        try await Stopwatch.sleep(bench.warmUp)
        var uses: [(use: CPUUse, at: Double, second: Int)] = []
        for round in 0...rounds {
            if round > 0 { try await Stopwatch.sleep(Double(seconds)) }
            uses.append((try CPUUse(system), Stopwatch.now, Stopwatch.unixSeconds))
        }
        for name in system.names { system.kill(name) }
        let levels = try zip(uses, uses.dropFirst()).map { begin, end in
            let row = try system.numbers(
                """
                SELECT count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY drift_ms),
                    percentile_disc(0.99) WITHIN GROUP (ORDER BY drift_ms)
                FROM job_executions WHERE status = 'SUCCESS' AND attempts = 1
                    AND finished_at >= to_timestamp(\(begin.second))
                    AND finished_at < to_timestamp(\(begin.second + seconds))
                """
            )
            let recorded = row[0] / Double(seconds)
            return Level(
                jobs: jobs,
                recorded: recorded,
                p50: row[1],
                p99: row[2],
                cpu: end.use.since(begin.use, per: recorded * (end.at - begin.at))
            )
        }
        try await system.stop()
        return levels
    }

    /// CPU seconds per second while nothing is due.
    static func idle(_ bench: Bench, seconds: Int) async throws -> [(name: String, value: Double)] {
        let system = try System(bench)
        try system.insertFarJobs(1_000, url: bench.nginx.url)
        try await system.start()
        try await Stopwatch.sleep(bench.warmUp)
        let (begin, from) = (try CPUUse(system), Stopwatch.now)
        try await Stopwatch.sleep(Double(seconds))
        let use = try CPUUse(system).since(begin, per: Stopwatch.now - from)
        try await system.stop()
        return use
    }
}
