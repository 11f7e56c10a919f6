import CarillonWire

extension Measurement {
    /// What other schedulers make of the same work.
    static let schedulers = Measurement(
        name: "schedulers",
        title: "jobs * * * * * *, the same target, history in the same PostgreSQL: other schedulers"
    ) { bench in
        var results = Results()
        let seconds = bench.quick ? 5 : 12
        var recorded: [Samples] = []
        for peer in SchedulerPeer.all {
            guard peer.isThere else {
                show("  \(peer.name) is left out: there is no \(peer.needs)")
                continue
            }
            func level(_ jobs: Int) async throws -> Level {
                let level = try await Level.measure(bench, peer, jobs: jobs, seconds: seconds)
                show("  \(peer.name), " + level.text)
                return level
            }
            var calm = [try await level(100)]
            var best = calm[0]
            // Twice as much is due until no more is recorded, kept up or not.
            var due = 100
            while due < 12_800 {
                due *= 2
                let next = try await level(due)
                let isMore = next.recorded > best.recorded * 1.05
                if next.recorded > best.recorded { best = next }
                if !isMore { break }
            }
            var most = [best]
            for _ in 1..<max(1, bench.rounds) {
                calm.append(try await level(100))
                most.append(try await level(best.jobs))
            }
            add(peer.name, calm, most, to: &results)
            recorded.append(Samples(most.map(\.recorded)))
            results.series.append((peer.name, ["settings": .string(peer.settings), "due": .integer(Int64(best.jobs))]))
        }
        let jobs = bench.quick ? 8_000 : 12_000
        var (calm, most) = ([Level](), [Level]())
        for _ in 0..<bench.rounds {
            calm.append(try await Level.measure(bench, jobs: 100, seconds: seconds))
            most.append(try await Level.measure(bench, jobs: jobs, seconds: seconds))
        }
        add("Carillon", calm, most, to: &results)
        if let best = recorded.max(by: { $0.median < $1.median }) {
            results.figures.append(
                Figure(
                    "Carillon, recorded, beside the best of the others",
                    "1/s",
                    most.map(\.recorded),
                    limit: Figure.Limit(name: "best other", samples: best)
                )
            )
        }
        return results
    }

    private static func add(_ name: String, _ calm: [Level], _ most: [Level], to results: inout Results) {
        func cpu(_ levels: [Level], _ names: Set<String>) -> [Double] {
            levels.map { $0.cpu.filter { names.contains($0.name) }.reduce(0) { $0 + $1.value * 1e6 } }
        }
        results.figures += [
            Figure("\(name): recorded, at most", "1/s", most.map(\.recorded)),
            Figure("\(name): drift p99 then", "ms", most.map(\.p99)),
            Figure("\(name): CPU an execution then", "us", cpu(most, ["scheduler", "worker"])),
            Figure("\(name): of PostgreSQL", "us", cpu(most, ["postgres"])),
            Figure("\(name): 100 due, drift p50", "ms", calm.map(\.p50)),
            Figure("\(name): 100 due, drift p99", "ms", calm.map(\.p99)),
        ]
    }
}
