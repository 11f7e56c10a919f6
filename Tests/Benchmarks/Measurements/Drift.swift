import CarillonJSON

extension Measurement {
    /// How late calls start, by the number of jobs due at the same instant.
    static let drift = Measurement(
        name: "drift",
        title: "actual_start_time - scheduled_time, jobs due at the same instant"
    ) {
        bench in
        // Five times 60 seconds.
        let window = bench.quick ? 3 : 60
        var results = Results()
        // The last case again with a slot for each job: with fewer slots the calls start in waves.
        for (jobs, slots, wanted) in [(1, 256, 2.0), (100, 256, 5.0), (1_000, 256, 30.0), (1_000, 1_024, 30.0)] {
            let what = slots == 256 ? "\(jobs) jobs" : "\(jobs) jobs, MAX_WORKERS=\(slots)"
            let url = try bench.nginx.url
            let bare = (0..<bench.rounds).map { _ in
                BareCalls.run(url: url, handles: min(jobs, 256), calls: jobs, isWarm: true).lastStart * 1_000
            }
            let system = try System(bench, slots: slots)
            try system.insertJobs(jobs, url: url)
            try await system.start()
            try await Stopwatch.sleep(bench.warmUp)
            let first = Stopwatch.unixSeconds
            try await Stopwatch.sleep(Double(window * bench.rounds) + 1)
            for name in system.names { system.kill(name) }
            func values(_ parts: String) throws -> [[Double]] {
                try (0..<bench.rounds).map { round in
                    try system.numbers(
                        """
                        SELECT \(parts) FROM job_executions WHERE drift_ms IS NOT NULL
                            AND scheduled_time >= to_timestamp(\(first + 1 + round * window))
                            AND scheduled_time < to_timestamp(\(first + 1 + (round + 1) * window))
                        """
                    )
                }
            }
            let rows = try values(
                """
                percentile_disc(0.5) WITHIN GROUP (ORDER BY drift_ms), percentile_disc(0.99) WITHIN GROUP (ORDER BY drift_ms),
                max(drift_ms)
                """
            )
            let limit = Figure.Limit(name: "bare libcurl's last start", samples: Samples(bare))
            results.figures += [
                Figure("\(what), p50", "ms", rows.map { $0[0] }),
                Figure(
                    "\(what), p99",
                    "ms",
                    rows.map { $0[1] },
                    limit: jobs > 1 ? limit : nil,
                    wanted: .atMost(wanted)
                ),
                Figure("\(what), max", "ms", rows.map { $0[2] }),
            ]
            let parts = try system.psql(
                """
                SELECT unnest(percentile_disc((SELECT array_agg(p / 100.0) FROM generate_series(0, 100) p)::float8[])
                    WITHIN GROUP (ORDER BY drift_ms))
                FROM job_executions WHERE drift_ms IS NOT NULL AND scheduled_time >= to_timestamp(\(first + 1))
                """
            )
            let list = parts.split(separator: "\n").compactMap { Double($0) }.sorted().map { JSONValue.number($0) }
            results.series.append((slots == 256 ? "drift_\(jobs)" : "drift_\(jobs)_slots_\(slots)", .array(list)))
            try await system.stop()
        }
        return results
    }
}
