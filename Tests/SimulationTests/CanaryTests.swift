#if CANARY
    import CarillonCore
    import Glibc
    import Testing

    /// A simulation that cannot fail proves nothing: each planted bug has to be caught. The bug is planted in the whole
    /// process, so this runs in one of its own (`make canaries`).
    @Suite(.serialized, .enabled(if: getenv("CARILLON_CANARIES") != nil)) struct CanaryTests {
        @Test(arguments: Canary.allCases) func isCaught(_ canary: Canary) {
            Canary.planted = canary
            defer { Canary.planted = nil }
            for seed: UInt64 in 1...2_000 {
                let problems = World(seed: seed, options: SimulationOptions(seed: seed)).run()
                guard let problem = problems.first else { continue }
                print("canary \(canary.rawValue): caught by seed \(seed), \(problem)")
                return
            }
            Issue.record("\(canary.rawValue) was not caught by 2,000 seeds")
        }
    }
#endif
