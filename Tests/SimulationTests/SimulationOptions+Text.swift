/// Options by name, for the environment and for reports: `jobs=2 cutsPerSecond=0`.
extension SimulationOptions {
    /// Integer options with their minimum. A shrinking run reduces them.
    static var counts: [(name: String, path: WritableKeyPath<SimulationOptions, Int>, least: Int)] {
        [
            ("jobs", \.jobs, 1), ("schedulers", \.schedulers, 1), ("workers", \.workers, 1),
            ("slotsPerWorker", \.slotsPerWorker, 1), ("seconds", \.seconds, 3), ("delayMs", \.delayMs, 1),
            ("driftPpm", \.driftPpm, 0), ("suspends", \.suspends, 0), ("refreshSeconds", \.refreshSeconds, 2),
            ("maxOpenExecutions", \.maxOpenExecutions, 3), ("draw", \.draw, 0),
        ]
    }

    /// Rates and probabilities of faults. A shrinking run switches them off.
    static var faults: [(name: String, path: WritableKeyPath<SimulationOptions, Double>)] {
        [
            ("clockStepsPerSecond", \.clockStepsPerSecond), ("storeOutagesPerSecond", \.storeOutagesPerSecond),
            ("storeStallsPerSecond", \.storeStallsPerSecond), ("pausesPerSecond", \.pausesPerSecond),
            ("workerKillsPerSecond", \.workerKillsPerSecond), ("schedulerStopsPerSecond", \.schedulerStopsPerSecond),
            ("schedulerKillsPerSecond", \.schedulerKillsPerSecond), ("cutsPerSecond", \.cutsPerSecond),
            ("lostCommits", \.lostCommits), ("crashesAtCommits", \.crashesAtCommits),
            ("stepsOfHours", \.stepsOfHours), ("refusedTexts", \.refusedTexts), ("halfFrames", \.halfFrames),
            ("standingClocks", \.standingClocks),
            ("failedReads", \.failedReads), ("targetTrouble", \.targetTrouble),
            ("handEditsPerSecond", \.handEditsPerSecond), ("changesPerSecond", \.changesPerSecond),
            ("quarrels", \.quarrels), ("lies", \.lies), ("isolationsPerSecond", \.isolationsPerSecond),
            ("linkStallsPerSecond", \.linkStallsPerSecond), ("writerStallsPerSecond", \.writerStallsPerSecond),
            ("startDeadlines", \.startDeadlines), ("historyLossesPerSecond", \.historyLossesPerSecond),
        ]
    }

    static var names: String { (counts.map(\.name) + faults.map(\.name)).joined(separator: ", ") }

    /// Sets options from a text. Returns the first invalid word.
    mutating func set(_ text: String) -> String? {
        for word in text.split(separator: " ") {
            let halves = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard halves.count == 2 else { return String(word) }
            if let count = Self.counts.first(where: { $0.name == halves[0] }), let value = Int(halves[1]) {
                self[keyPath: count.path] = max(count.least, value)
            } else if let fault = Self.faults.first(where: { $0.name == halves[0] }), let value = Double(halves[1]) {
                self[keyPath: fault.path] = value
            } else {
                return String(word)
            }
        }
        return nil
    }

    /// The options that differ from `drawn`, in the form that `set` reads.
    func differences(from drawn: SimulationOptions) -> String {
        let counts = Self.counts.filter { self[keyPath: $0.path] != drawn[keyPath: $0.path] }
            .map { "\($0.name)=\(self[keyPath: $0.path])" }
        let faults = Self.faults.filter { self[keyPath: $0.path] != drawn[keyPath: $0.path] }
            .map { "\($0.name)=\(self[keyPath: $0.path])" }
        return (counts + faults).joined(separator: " ")
    }
}
