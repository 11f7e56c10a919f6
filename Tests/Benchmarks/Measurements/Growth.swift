import CarillonJSON

extension Measurement {
    /// How the cost grows with the number of workers, of jobs held, and of due executions.
    static let growth = Measurement(
        name: "growth",
        title: "CPU an execution by what is due, by jobs held, by workers"
    ) { bench in
        var results = Results()
        func level(_ jobs: Int, holding: Int = 0, workers: Int = 1, seconds: Int? = nil) async throws -> [Level] {
            let levels = try await Level.rounds(
                bench,
                jobs: jobs,
                holding: holding,
                seconds: seconds ?? (bench.quick ? 3 : 8),
                workers: workers,
                rounds: bench.quick ? 1 : 3
            )
            show("  \(holding) held, \(workers) workers, " + (levels.last?.text ?? ""))
            return levels
        }
        func add(_ name: String, _ points: [(at: Int, levels: [Level])]) {
            for (at, levels) in points {
                results.figures += [
                    Figure("\(name) \(at): recorded", "1/s", levels.map(\.recorded)),
                    Figure("\(name) \(at): drift p99", "ms", levels.map(\.p99)),
                    Figure("\(name) \(at): CPU an execution", "us", levels.map(\.cpuOfCarillon)),
                ]
            }
            let list = points.map { at, levels -> JSONValue in
                ["at": .integer(Int64(at)), "levels": .array(levels.map(\.json))]
            }
            results.series.append((name, .array(list)))
        }

        /// Compares the last point with the first: the cost must stay flat.
        func compare(_ points: [(at: Int, levels: [Level])], _ word: String, wanted: Double) {
            guard points.count > 1, let first = points.first, let last = points.last else { return }
            results.figures.append(
                Figure(
                    "CPU an execution, \(last.at) \(word)",
                    "us",
                    last.levels.map(\.cpuOfCarillon),
                    limit: Figure.Limit(
                        name: "\(first.at) \(word)",
                        samples: Samples(first.levels.map(\.cpuOfCarillon))
                    ),
                    wanted: .ratioAtMost(wanted)
                )
            )
        }

        // The CPU use without due executions is not part of the cost of an execution.
        let idle = try await Level.idle(bench, seconds: bench.quick ? 3 : 20)
        let scheduled = bench.quick ? [1_000] : [1, 10, 100, 1_000, 10_000]
        var due: [(at: Int, levels: [Level])] = []
        for jobs in scheduled {
            let levels = try await level(jobs, seconds: jobs < 100 && !bench.quick ? 10 : nil)
            due.append((jobs, levels.map { $0.without(idle) }))
        }
        add("due a second", due)
        compare(due.filter { $0.at >= 100 }, "due", wanted: 1)
        var held: [(at: Int, levels: [Level])] = []
        for jobs in bench.quick ? [100_000] : [1_000, 10_000, 100_000, 1_000_000] {
            let levels = try await level(1_000, holding: jobs - 1_000)
            held.append((jobs, levels.map { $0.without(idle) }))
        }
        add("jobs held", held)
        compare(held, "held", wanted: 1.2)
        var crowd: [(at: Int, levels: [Level])] = []
        for workers in bench.quick ? [2] : [1, 2, 4] {
            crowd.append((workers, try await level(bench.quick ? 4_000 : 8_000, workers: workers)))
        }
        add("workers", crowd)
        return results
    }
}
