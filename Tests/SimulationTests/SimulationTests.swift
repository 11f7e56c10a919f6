import CarillonCore
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Whole clusters in simulated time with all kinds of faults.
///
/// `CARILLON_SIM_SEED` repeats one run, and `CARILLON_SIM_OPTIONS` replaces options drawn from the seed.
/// `CARILLON_SIM_SHRINK` finds the smallest options that still fail. `CARILLON_SIM_RUNS` is the number of runs, and
/// `CARILLON_SIM_FIRST` the first seed. A failing run prints its seed.
@Suite struct SimulationTests {
    /// The result of a series of runs.
    private struct Result: Sendable {
        var coverage: [String: Int] = [:]
        var failures: [(seed: UInt64, text: String)] = []

        mutating func add(_ other: Result) {
            coverage.merge(other.coverage) { $0 + $1 }
            failures += other.failures
        }
    }

    /// The number of failures after which a series ends.
    private static let patience = 12

    private func text(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    private func number(_ name: String) -> UInt64? { text(name).flatMap { UInt64($0) } }

    @Test func guaranteesHoldWhateverHappens() async {
        if let seed = number("CARILLON_SIM_SEED") { return repeatOne(seed) }
        let first = number("CARILLON_SIM_FIRST") ?? 1
        let runs = number("CARILLON_SIM_RUNS") ?? 200
        // One series for each processor.
        let series = UInt64(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let result = await withTaskGroup(of: Result.self) { group in
            for number in 0..<series {
                group.addTask { await Self.run(stride(from: first + number, to: first + runs, by: Int(series))) }
            }
            var result = Result()
            for await part in group { result.add(part) }
            return result
        }
        for failure in result.failures.sorted(by: { $0.seed < $1.seed }) { Issue.record("\(failure.text)") }
        report(result.coverage, runs: runs)
        guard result.failures.isEmpty else { return }
        let required = (runs >= 200 ? Coverage.required : []) + (runs >= 2_000 ? Coverage.requiredOfMany : [])
        for what in required where result.coverage[what] == nil {
            Issue.record("never covered in \(runs) runs: \(what)")
        }
    }

    @Test func aSeedIsRepeatedExactly() {
        for seed: UInt64 in 1...4 {
            let worlds = (0..<2).map { _ in World(seed: seed, options: SimulationOptions(seed: seed)) }
            let problems = worlds.map { $0.run() }
            #expect(problems[0] == problems[1], "seed \(seed)")
            #expect(worlds[0].time == worlds[1].time, "seed \(seed)")
            #expect(worlds[0].coverage == worlds[1].coverage, "seed \(seed)")
            let stores = worlds.map(\.database.store)
            #expect(!stores[0].executions.isEmpty && stores[0].executions == stores[1].executions, "seed \(seed)")
            #expect(stores[0].jobs == stores[1].jobs && stores[0].attempts == stores[1].attempts, "seed \(seed)")
        }
    }

    private static func run(_ seeds: StrideTo<UInt64>) async -> Result {
        var result = Result()
        for seed in seeds where result.failures.count < patience {
            let options = SimulationOptions(seed: seed)
            let world = World(seed: seed, options: options)
            let problems = world.run()
            result.coverage.merge(world.coverage) { $0 + $1 }
            if !problems.isEmpty {
                result.failures.append((seed, "seed \(seed) (\(options)):\n\(problems.joined(separator: "\n"))"))
            }
            // Let other tasks run.
            await Task.yield()
        }
        return result
    }

    private func repeatOne(_ seed: UInt64) {
        var options = SimulationOptions(seed: seed)
        if let word = options.set(text("CARILLON_SIM_OPTIONS") ?? "") {
            Issue.record("unknown option \(word); the options are \(SimulationOptions.names)")
            return
        }
        if text("CARILLON_SIM_SHRINK") != nil { return shrink(seed, options) }
        options.isTracing = text("CARILLON_SIM_TRACE") != nil
        print("seed \(seed): \(options)")
        let world = World(seed: seed, options: options)
        let problems = world.run()
        if !problems.isEmpty {
            Issue.record("seed \(seed) (\(options)):\n\(problems.joined(separator: "\n"))")
        }
        report(world.coverage, runs: 1)
    }

    private func shrink(_ seed: UInt64, _ options: SimulationOptions) {
        guard var shrinker = Shrinker(seed: seed, options: options) else {
            print("seed \(seed) does not fail: there is nothing to shrink")
            return
        }
        shrinker.shrink()
        print("after \(shrinker.tries) tries: \(shrinker.command)")
        Issue.record("seed \(seed) (\(shrinker.options)):\n\(shrinker.problems.joined(separator: "\n"))")
    }

    private func report(_ coverage: [String: Int], runs: UInt64) {
        guard text("CARILLON_SIM_COVERAGE") != nil else { return }
        print("coverage of \(runs) runs:")
        for (what, count) in coverage.sorted(by: { $0.key < $1.key }) { print("  \(count)\t\(what)") }
    }
}
