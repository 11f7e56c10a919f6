#if CANARY
    import CarillonCore
    import Glibc
    import Testing

    /// A simulation that cannot fail proves nothing: each planted bug has to be caught. The bug is planted in the whole
    /// process, so this runs in one of its own (`make canaries`).
    @Suite(.serialized, .enabled(if: getenv("CARILLON_CANARIES") != nil)) struct CanaryTests {
        /// All of them, or the one that `CARILLON_CANARIES` names.
        private static let chosen = Canary.allCases.filter { canary in
            guard let text = getenv("CARILLON_CANARIES").map({ String(cString: $0) }), text != "1" else { return true }
            return canary.rawValue == text
        }

        @Test(arguments: chosen) func isCaught(_ canary: Canary) async {
            Canary.planted = canary
            defer { Canary.planted = nil }
            for first in stride(from: UInt64(1), to: 2_000, by: 2) {
                async let other = problem(of: first + 1)
                let one = problem(of: first)
                guard let text = await [one, other].compactMap(\.self).first else { continue }
                print("canary \(canary.rawValue): \(text)")
                return
            }
            Issue.record("\(canary.rawValue) was not caught by 2,000 seeds")
        }

        private nonisolated func problem(of seed: UInt64) -> String? {
            let problems = World(seed: seed, options: SimulationOptions(seed: seed)).run()
            return problems.first.map { "caught by seed \(seed), \($0)" }
        }
    }
#endif
