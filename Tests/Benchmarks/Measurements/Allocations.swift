extension Measurement {
    /// The number of allocations per execution.
    static let allocations = Measurement(
        name: "allocations",
        title: "allocations an execution, 1,000 jobs due every second"
    ) { bench in
        let system = try System(bench)
        let count = try AllocationCount(bench)
        try system.insertJobs(1_000, url: bench.nginx.url)
        try await system.start(counting: count)
        try await Stopwatch.sleep(bench.warmUp)
        let names = ["scheduler", "worker-1"]
        let seconds = bench.quick ? 3 : 6
        var samples: [String: [Double]] = [:]
        for _ in 0..<bench.rounds {
            let before = try names.map(count.value)
            let ended = try system.executions()
            try await Stopwatch.sleep(Double(seconds))
            let executions = try system.executions() - ended
            guard executions > 0 else { throw Bench.Failure(description: "nothing was executed") }
            for (name, old) in zip(names, before) {
                samples[name, default: []].append((try count.value(name) - old) / executions)
            }
        }
        try await system.stop()
        let bare = BareCalls.run(url: try bench.nginx.url, calls: 10_000, isWarm: true)
        return Results(figures: [
            Figure("allocations, scheduler", "", samples["scheduler"] ?? []),
            Figure(
                "allocations, worker",
                "",
                samples["worker-1"] ?? [],
                limit: Figure.Limit(
                    name: "bare libcurl",
                    samples: Samples([Double(bare.allocations) / Double(bare.calls)])
                )
            ),
        ])
    }
}
