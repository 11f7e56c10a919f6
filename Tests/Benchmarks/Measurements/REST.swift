import TestSupport

extension Measurement {
    /// Reads one job over REST, compared with a minimal handler of the framework.
    static let rest = Measurement(name: "rest", title: "GET one job, 32 connections, against Hummingbird's hello") {
        bench in
        let system = try System(bench)
        try system.insertJobs(1_000, schedule: "'0 0 3 1 1 *'", url: bench.nginx.url)
        try await system.start(gateway: true)
        let job = try system.psql("SELECT job_id FROM jobs OFFSET 500 LIMIT 1")
        let port = try FreePort.take()
        let hello = Task { try await HelloServer.serve(port: port) }
        while !FreePort.answers(port) { try await Stopwatch.sleep(0.02) }
        let seconds = bench.quick ? 1 : 5
        var (asked, greeted) = ([Wrk](), [Double]())
        for _ in 0..<bench.shortRounds {
            asked.append(
                try Wrk("http://127.0.0.1:\(system.gatewayPort)/api/v1/jobs/\(job)", connections: 32, seconds: seconds)
            )
            greeted.append(try Wrk("http://127.0.0.1:\(port)/hello", connections: 32, seconds: seconds).perSecond)
        }
        hello.cancel()
        try await system.stop()
        return Results(figures: [
            Figure(
                "GET /api/v1/jobs/{job_id}",
                "1/s",
                asked.map(\.perSecond),
                limit: Figure.Limit(name: "hello", samples: Samples(greeted)),
                wanted: .ratioAtLeast(0.4)
            ), Figure("p99", "ms", asked.map(\.p99Ms)),
        ])
    }
}
