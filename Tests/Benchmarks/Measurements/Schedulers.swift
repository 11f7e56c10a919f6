import CarillonJSON
import CarillonWire

extension Measurement {
    /// Other schedulers with the same work.
    static let schedulers = Measurement(
        name: "schedulers",
        title: "jobs * * * * * *, the same target, history in the same PostgreSQL: other schedulers"
    ) { bench in
        var results = Results()
        let seconds = bench.quick ? 5 : 12
        var best: Samples?
        for peer in SchedulerPeer.all {
            guard peer.isThere else {
                show("  \(peer.name) is left out: \(peer.needs) is missing")
                continue
            }
            let most = try await compare(bench, peer.name, peer.settings, from: 100, to: &results) { jobs in
                try await Level.measure(bench, peer, jobs: jobs, seconds: seconds)
            }
            if most.median > best?.median ?? 0 { best = most }
        }
        let own = try await compare(bench, "Carillon", "its defaults", from: 3_200, to: &results) { jobs in
            try await Level.measure(bench, jobs: jobs, seconds: seconds)
        }
        if let best {
            results.figures.append(
                Figure(
                    "Carillon beside the best of the others",
                    "1/s",
                    own.values,
                    limit: Figure.Limit(name: "best other", samples: best)
                )
            )
        }
        return results
    }

    /// Nearly all due executions were recorded, and none was very late: no work of a second is delayed indefinitely.
    private static func isKeptUp(_ level: Level) -> Bool {
        level.recorded >= Double(level.jobs) * 0.97 && level.p99 < 5_000
    }

    /// Finds the level that a scheduler keeps up with, and measures at that level and at 100 due a second.
    /// - Returns: the number of executions recorded per second.
    private static func compare(
        _ bench: Bench,
        _ name: String,
        _ settings: String,
        from first: Int,
        to results: inout Results,
        _ measure: (Int) async throws -> Level
    ) async throws -> Samples {
        func level(_ jobs: Int) async throws -> Level {
            let level = try await measure(jobs)
            show("  \(name), " + level.text)
            return level
        }
        var calm: [Level] = []
        for _ in 0..<bench.rounds { calm.append(try await level(100)) }
        var tried = [first > 100 ? try await level(first) : calm[0]]
        // The load is doubled until it is too high; then one and a half times the last sustained level is tried.
        while let last = tried.last, isKeptUp(last) { tried.append(try await level(last.jobs * 2)) }
        if tried.count > 1, let last = tried.last { tried.append(try await level(last.jobs / 4 * 3)) }
        let best = tried.filter(isKeptUp).max { $0.jobs < $1.jobs } ?? tried[0]
        var most = bench.quick ? [best] : []
        while most.count < bench.rounds { most.append(try await level(best.jobs)) }
        func cpu(_ names: Set<String>) -> [Double] {
            most.map { $0.cpu.filter { names.contains($0.name) }.reduce(0) { $0 + $1.value * 1e6 } }
        }
        results.figures += [
            // Rates above the due rate come from catching up at the start and would not last.
            Figure("\(name): kept up", "1/s", most.map { min($0.recorded, Double($0.jobs)) }),
            Figure("\(name): drift p50 then", "ms", most.map(\.p50)),
            Figure("\(name): drift p99 then", "ms", most.map(\.p99)),
            Figure("\(name): recorded, however late", "1/s", [tried.map(\.recorded).max() ?? 0]),
            Figure("\(name): CPU an execution then", "us", cpu(["scheduler", "worker"])),
            Figure("\(name): of PostgreSQL", "us", cpu(["postgres"])),
            Figure("\(name): 100 due, drift p50", "ms", calm.map(\.p50)),
            Figure("\(name): 100 due, drift p99", "ms", calm.map(\.p99)),
        ]
        results.series.append((name, ["settings": .string(settings), "levels": .array(tried.map(\.json))]))
        return Samples(most.map { min($0.recorded, Double($0.jobs)) })
    }
}
