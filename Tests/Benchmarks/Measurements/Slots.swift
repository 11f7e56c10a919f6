extension Measurement {
    /// The effect of the number of concurrent calls (MAX_WORKERS) when more is due than can be handled.
    static let slots = Measurement(name: "slots", title: "recorded a second of 30,000 due, by MAX_WORKERS") { bench in
        var results = Results()
        for slots in bench.quick ? [1_024] : [512, 1_024] {
            var levels: [Level] = []
            for _ in 0..<(bench.quick ? 1 : 3) {
                levels.append(try await Level.measure(bench, jobs: 30_000, seconds: bench.quick ? 3 : 10, slots: slots))
            }
            results.figures += [
                Figure("MAX_WORKERS \(slots), recorded", "1/s", levels.map(\.recorded)),
                Figure(
                    "MAX_WORKERS \(slots), CPU an execution, all together",
                    "us",
                    levels.map { $0.cpu.reduce(0) { $0 + $1.value * 1e6 } }
                ),
            ]
        }
        return results
    }
}
