import CarillonClient
import CarillonCore
import CarillonJSON
import CarillonRPC
import CarillonWire

extension Measurement {
    /// A large number of jobs with 1,000 distinct schedules.
    static let held = Measurement(name: "held", title: "1,000,000 jobs (quick: 100,000) of 1,000 distinct schedules") {
        bench in
        let jobs = bench.quick ? 100_000 : 1_000_000
        let system = try System(bench)
        try system.insertFarJobs(jobs - 100, url: bench.nginx.url)
        try system.insertJobs(100, url: bench.nginx.url)
        var starts: [Double] = []
        for round in 0..<bench.shortRounds {
            let begin = Stopwatch.now
            try system.startScheduler()
            try await system.untilServing(workers: 0)
            starts.append(Stopwatch.now - begin)
            if round < bench.shortRounds - 1 { system.kill("scheduler") }
        }
        system.kill("scheduler")
        try await system.start()
        try await Stopwatch.sleep(bench.warmUp)
        var (uses, memory) = ([Double](), [Double]())
        for _ in 0..<bench.shortRounds {
            let done = try system.executions()
            let (begin, from) = (ProcessFacts.cpu(system.pid("scheduler")), Stopwatch.now)
            try await Stopwatch.sleep(bench.quick ? 3 : 6)
            uses.append((ProcessFacts.cpu(system.pid("scheduler")) - begin) / (Stopwatch.now - from) * 100)
            let rate = (try system.executions() - done) / (Stopwatch.now - from)
            guard rate > 80 else {
                throw Bench.Failure(description: "\(rate) a second were executed of 100 that were due")
            }
            memory.append(ProcessFacts.residentMB(system.pid("scheduler")))
        }
        var results = Results(figures: [
            Figure("memory of the scheduler", "MB", memory, wanted: .atMost(400)),
            Figure("from start to leading", "s", starts, wanted: .atMost(15)),
            Figure("CPU of the scheduler, 100 due a second", "%", uses, wanted: .atMost(10)),
        ])
        results.figures += try await changes(system)
        results.figures.append(try await bulk(system))
        try await system.stop()
        return results
    }

    /// Create, change and delete, one at a time.
    private static func changes(_ system: System) async throws -> [Figure] {
        var took: [String: [Double]] = [:]
        func timed(_ name: String, _ arguments: JSONValue) async throws -> JSONValue {
            let begin = Stopwatch.now
            let answer = try await system.client.call(name, arguments)
            took[name, default: []].append((Stopwatch.now - begin) * 1_000)
            return answer
        }
        let url = try system.bench.nginx.url
        for number in 0..<(system.bench.quick ? 100 : 300) {
            let job = try await timed(
                "create_job",
                ["schedule": .string("0 \(number % 60) 3 1 1 *"), "api_url": .string(url)]
            )
            let id = job["job_id"] ?? .null
            _ = try await timed("update_job", ["job_id": id, "schedule": "0 0 4 1 1 *"])
            _ = try await timed("delete_job", ["job_id": id])
        }
        return ["create_job", "update_job", "delete_job"].flatMap { name in
            let samples = Samples(took[name] ?? [])
            return [
                Figure("\(name), p50", "ms", [samples.median], wanted: .atMost(3)),
                Figure("\(name), p99", "ms", [samples.percentile(0.99)], wanted: .atMost(10)),
            ]
        }
    }

    /// Many concurrent creates over one connection.
    private static func bulk(_ system: System) async throws -> Figure {
        let url = try system.bench.nginx.url
        let jobs = system.bench.quick ? 10_000 : 30_000
        var rates: [Double] = []
        for _ in 0..<system.bench.shortRounds {
            let begin = Stopwatch.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<200 {
                    group.addTask {
                        var settings = JobSettings()
                        settings.url = url
                        for number in 0..<(jobs / 200) {
                            settings.schedule = "0 \(lane % 60) \(number % 24) 1 1 *"
                            _ = try await system.client.request(
                                .createJob(settings, idempotencyKey: nil, fingerprint: nil)
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            rates.append(Double(jobs) / (Stopwatch.now - begin))
        }
        return Figure("bulk create, 200 in flight", "1/s", rates, wanted: .atLeast(10_000))
    }
}
