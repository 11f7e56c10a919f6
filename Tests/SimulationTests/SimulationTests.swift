import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Whole clusters in simulated time, with every fault that can be thought of (design § 9).
///
/// `CARILLON_SIM_SEED` repeats one run, `CARILLON_SIM_RUNS` says how many there are from `CARILLON_SIM_FIRST` on. A run
/// that fails prints its seed.
@Suite struct SimulationTests {
    private func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }

    @Test func guaranteesHoldWhateverHappens() {
        let seed = number("CARILLON_SIM_SEED")
        let first = seed ?? number("CARILLON_SIM_FIRST") ?? 1
        let runs = seed == nil ? number("CARILLON_SIM_RUNS") ?? 200 : 1
        var coverage: [String: Int] = [:]
        var failures = 0
        for seed in first..<first + runs {
            var options = SimulationOptions(seed: seed)
            options.isTracing = getenv("CARILLON_SIM_TRACE") != nil
            let world = World(seed: seed, options: options)
            let problems = world.run()
            coverage.merge(world.coverage) { $0 + $1 }
            guard !problems.isEmpty else { continue }
            failures += 1
            Issue.record("seed \(seed) (\(options)):\n\(problems.joined(separator: "\n"))")
            if failures >= 12 { break }
        }
        report(coverage, runs: runs)
        guard runs >= 200, failures == 0 else { return }
        for what in Coverage.required where coverage[what] == nil {
            Issue.record("in \(runs) runs this never happened: \(what)")
        }
    }

    private func report(_ coverage: [String: Int], runs: UInt64) {
        guard getenv("CARILLON_SIM_COVERAGE") != nil else { return }
        print("what happened in \(runs) runs:")
        for (what, count) in coverage.sorted(by: { $0.key < $1.key }) { print("  \(count)\t\(what)") }
    }
}
