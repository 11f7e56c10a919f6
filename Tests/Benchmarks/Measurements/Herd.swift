import CarillonCron

extension Measurement {
    /// All jobs are due at the same instant.
    static let herd = Measurement(name: "herd", title: "jobs due at one instant: time until the last call has started")
    {
        bench in
        var results = Results()
        for jobs in bench.quick ? [10_000] : [10_000, 100_000] {
            var (times, ended, bare) = ([Double](), [Double](), [Double]())
            for _ in 0..<(jobs > 10_000 ? 3 : bench.rounds) {
                let system = try System(bench)
                let instant = Stopwatch.unixSeconds + (bench.quick ? 4 : 6) + jobs / 4_000
                let text = RFC3339.format(milliseconds: Int64(instant) * 1_000)
                try system.insertJobs(jobs, schedule: "'@at \(text)'", url: bench.nginx.url)
                try await system.start()
                guard Stopwatch.unixSeconds < instant - 1 else {
                    throw Bench.Failure(description: "the machine was too slow to insert \(jobs) jobs in time")
                }
                try await Stopwatch.sleep(Double(instant - Stopwatch.unixSeconds) + Double(jobs) / 10_000)
                while try system.numbers("SELECT count(*) FROM job_executions WHERE status = 'SUCCESS'")[0]
                    < Double(jobs)
                {
                    try await Stopwatch.sleep(1)
                    guard Stopwatch.unixSeconds < instant + 120 else {
                        throw Bench.Failure(description: "not all of \(jobs) calls had a success within 120 s")
                    }
                }
                let row = try system.numbers(
                    """
                    SELECT extract(epoch FROM max(actual_start_time)) - \(instant), extract(epoch FROM max(finished_at)) - \(instant)
                    FROM job_executions
                    """
                )
                times.append(row[0] * 1_000)
                ended.append(row[1] * 1_000)
                try await system.stop()
                bare.append(BareCalls.run(url: try bench.nginx.url, calls: jobs).lastStart * 1_000)
            }
            results.figures += [
                Figure(
                    "\(jobs) jobs, last call started",
                    "ms",
                    times,
                    limit: Figure.Limit(name: "bare libcurl", samples: Samples(bare)),
                    wanted: .ratioAtMost(2.5)
                ), Figure("\(jobs) jobs, last call ended", "ms", ended),
            ]
        }
        return results
    }
}
