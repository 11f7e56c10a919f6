import CarillonJSON
import CarillonWire

extension Measurement {
    /// The load that is sustained, and the cost of an execution at that load.
    static let throughput = Measurement(
        name: "throughput",
        title: "executions a second, recorded, jobs * * * * * *, first-try success"
    ) { bench in
        let url = try bench.nginx.url
        let levels = bench.quick ? [8_000, 16_000] : [8_000, 12_000, 16_000, 20_000, 24_000]
        let (search, sustained) = bench.quick ? (4, 4) : (10, 60)
        var measured: [Level] = []
        for jobs in levels {
            let level = try await Level.measure(bench, jobs: jobs, seconds: search)
            show("  " + level.text)
            measured.append(level)
            if !level.isKeptUp { break }
        }
        // The best sustained level, or the lowest level if none was sustained.
        let best = measured.last { $0.isKeptUp } ?? measured[0]
        // A level that was not sustained may still have recorded more.
        let most = measured.max { $0.recorded < $1.recorded } ?? best
        var rounds = bench.quick ? [most] : []
        var (bare, bareCPU) = ([Double](), [Double]())
        for round in 0..<bench.rounds {
            if rounds.count <= round {
                rounds.append(try await Level.measure(bench, jobs: most.jobs, seconds: sustained))
                show("  " + rounds[round].text)
            }
            let target = ProcessFacts.cpu(try bench.nginx.pid)
            let outcome = BareCalls.run(url: url, seconds: bench.quick ? 2 : 4)
            let used = outcome.cpu + ProcessFacts.cpu(try bench.nginx.pid) - target
            bare.append(outcome.perSecond)
            bareCPU.append(used / Double(outcome.calls) * 1e6)
        }
        var results = Results()
        results.figures = [
            Figure(
                "recorded a second",
                "1/s",
                rounds.map(\.recorded),
                limit: Figure.Limit(name: "bare libcurl", samples: Samples(bare)),
                wanted: .atLeast(12_000),
                .ratioAtLeast(0.33)
            ),
            Figure(
                "kept up: p99 of drift under a second",
                "1/s",
                [best.isKeptUp ? best.recorded : 0],
                wanted: .atLeast(12_000)
            ),
            Figure("drift p50 at most load", "ms", rounds.map(\.p50)),
            Figure("drift p99 at most load", "ms", rounds.map(\.p99)),
        ]
        for (index, use) in rounds[0].cpu.enumerated() {
            results.figures.append(
                Figure("CPU an execution, \(use.name)", "us", rounds.map { $0.cpu[index].value * 1e6 })
            )
        }
        results.figures.append(
            Figure(
                "CPU an execution, all together",
                "us",
                rounds.map { $0.cpu.reduce(0) { $0 + $1.value * 1e6 } },
                limit: Figure.Limit(name: "bare libcurl and target", samples: Samples(bareCPU)),
                wanted: .ratioAtMost(3)
            )
        )
        results.series = [("levels", .array(measured.map(\.json)))]
        return results
    }
}
