/// Finds the smallest options with which a seed still fails: each fault is switched off in turn, and each number is
/// reduced.
struct Shrinker {
    let seed: UInt64
    private(set) var options: SimulationOptions
    private(set) var problems: [String]
    private(set) var tries = 0

    /// `nil` if the seed does not fail.
    init?(seed: UInt64, options: SimulationOptions) {
        let problems = World(seed: seed, options: options).run()
        guard !problems.isEmpty else { return nil }
        (self.seed, self.options, self.problems) = (seed, options, problems)
    }

    mutating func shrink() {
        while switchOffFaults() || makeSmaller() {}
    }

    private mutating func switchOffFaults() -> Bool {
        var hasShrunk = false
        for fault in SimulationOptions.faults where options[keyPath: fault.path] > 0 {
            hasShrunk = keepIfItFails { $0[keyPath: fault.path] = 0 } || hasShrunk
        }
        return hasShrunk
    }

    private mutating func makeSmaller() -> Bool {
        var hasShrunk = false
        for count in SimulationOptions.counts where count.name != "draw" {
            let value = options[keyPath: count.path]
            for smaller in Set([count.least, (count.least + value) / 2, value - 1]).sorted()
            where smaller >= count.least && smaller < options[keyPath: count.path] {
                hasShrunk = keepIfItFails { $0[keyPath: count.path] = smaller } || hasShrunk
            }
        }
        return hasShrunk
    }

    /// Every change of options creates another world, so a smaller one is tried with several draws.
    private mutating func keepIfItFails(_ change: (inout SimulationOptions) -> Void) -> Bool {
        for draw in [options.draw] + (1...Self.draws).map({ $0 }) {
            var candidate = options
            change(&candidate)
            candidate.draw = draw
            tries += 1
            let found = World(seed: seed, options: candidate).run()
            guard !found.isEmpty else { continue }
            (options, problems) = (candidate, found)
            return true
        }
        return false
    }

    private static let draws = 40

    /// The command that repeats the failure.
    var command: String {
        "make simulate SEED=\(seed) OPTIONS=\"\(options.differences(from: SimulationOptions(seed: seed)))\""
    }
}
