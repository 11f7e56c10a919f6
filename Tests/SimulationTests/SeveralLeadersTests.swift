import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A worker that serves leaders of different shards never mixes their calls, credit, outcomes or acknowledgements.
@Suite struct SeveralLeadersTests {
    private func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

    @Test func `leaders of different shards are served concurrently`() {
        if let seed = number("CARILLON_SIM_SEED") { return check(seed) }
        let first = number("CARILLON_SIM_FIRST") ?? 1
        // One seed for every five seeds of the whole cluster.
        let runs = max(10, (number("CARILLON_SIM_RUNS") ?? 50) / 5)
        for seed in first..<first + runs { check(seed) }
    }

    private func check(_ seed: UInt64) {
        if let problem = SeveralLeaders(seed: seed).run() { Issue.record("several leaders, seed \(seed): \(problem)") }
    }
}
