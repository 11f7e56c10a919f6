extension Measurement {
    /// The activity of the processes while nothing is due.
    static let idle = Measurement(name: "idle", title: "1,000 jobs, none due: CPU and context switches of each process")
    {
        bench in
        let system = try System(bench)
        try system.insertJobs(1_000, schedule: "'0 0 3 1 1 *'", url: bench.nginx.url)
        try await system.start(gateway: true)
        try await Stopwatch.sleep(bench.warmUp)
        let seconds = bench.quick ? 4.0 : 12
        var (cpu, switches): ([String: [Double]], [String: [Double]]) = ([:], [:])
        for _ in 0..<bench.rounds {
            let before = system.names.map { (ProcessFacts.cpu(system.pid($0)), ProcessFacts.switches(system.pid($0))) }
            let from = Stopwatch.now
            try await Stopwatch.sleep(seconds)
            let took = Stopwatch.now - from
            for (name, old) in zip(system.names, before) {
                let pid = system.pid(name)
                cpu[name, default: []].append((ProcessFacts.cpu(pid) - old.0) / took * 100)
                switches[name, default: []].append(Double(ProcessFacts.switches(pid, since: old.1)) / took)
            }
        }
        let names = system.names
        try await system.stop()
        return Results(
            figures: names.flatMap { name in
                [
                    Figure("\(name), CPU", "%", cpu[name] ?? [], wanted: .atMost(0.2)),
                    Figure("\(name), context switches", "1/s", switches[name] ?? [], wanted: .atMost(5)),
                ]
            }
        )
    }
}
