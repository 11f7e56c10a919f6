import NIOCore

extension Measurement {
    /// Responses after 200 ms, with 1,000 concurrent calls.
    static let slowTarget = Measurement(name: "slow-target", title: "answers after 200 ms, 1,000 calls at a time") {
        bench in
        let target = try await DelayServer(delay: .milliseconds(200))
        let seconds = bench.quick ? 4 : 10
        var (rates, costs) = ([Double](), [Double]())
        for _ in 0..<bench.rounds {
            let system = try System(bench, slots: 1_000)
            try system.insertJobs(5_500, url: target.url)
            try await system.start()
            try await Stopwatch.sleep(bench.quick ? 3 : 4)
            let begin = try CPUUse(system)
            let (first, from) = (Stopwatch.unixSeconds, Stopwatch.now)
            try await Stopwatch.sleep(Double(seconds))
            let (end, took) = (try CPUUse(system), Stopwatch.now - from)
            for name in system.names { system.kill(name) }
            let count = try system.numbers(
                """
                SELECT count(*) FROM job_executions WHERE status = 'SUCCESS'
                    AND finished_at >= to_timestamp(\(first)) AND finished_at < to_timestamp(\(first + seconds))
                """
            )[0]
            rates.append(count / Double(seconds))
            costs.append((end.worker - begin.worker) * 1e6 / (count / Double(seconds) * took))
            try await system.stop()
        }
        try await target.stop()
        return Results(figures: [
            Figure(
                "executions a second",
                "1/s",
                rates,
                limit: Figure.Limit(name: "1,000 / 200 ms", samples: Samples([5_000])),
                wanted: .ratioAtLeast(0.95)
            ), Figure("CPU a call, worker", "us", costs, wanted: .atMost(80)),
        ])
    }
}
