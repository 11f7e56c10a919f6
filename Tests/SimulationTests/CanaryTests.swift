#if CANARY
    import CarillonCore
    import Glibc
    import Testing

    /// A simulation that cannot fail proves nothing: each planted fault has to be caught. The fault is planted in the whole
    /// process, so these tests run in a process of their own (`make canaries`).
    @Suite(.serialized, .enabled(if: getenv("CARILLON_CANARIES") != nil)) struct CanaryTests {
        /// All of them, or the one that `CARILLON_CANARIES` names.
        private static let chosen = Canary.allCases.filter { canary in
            guard let text = getenv("CARILLON_CANARIES").map({ String(cString: $0) }), text != "1" else { return true }
            return canary.rawValue == text
        }

        /// The seeds that are searched.
        private static let limit: UInt64 = 10_000

        /// The seed that caught each fault when the file `CARILLON_CANARY_SEEDS` was written; nil without that variable.
        private static let recorded: [String: UInt64]? = getenv("CARILLON_CANARY_SEEDS").map { path in
            seeds(inFileAt: String(cString: path))
        }

        @Test(arguments: chosen) func isCaught(_ canary: Canary) async {
            Canary.planted = canary
            defer { Canary.planted = nil }
            if let recorded = Self.recorded {
                guard let seed = recorded[canary.rawValue] else {
                    print("canary \(canary.rawValue): no recorded seed; searching")
                    return await search(canary)
                }
                if let text = problem(of: seed), isSound(seed, canary) {
                    return print("canary \(canary.rawValue): \(text)")
                }
                print("canary \(canary.rawValue): the recorded seed \(seed) no longer catches it; searching")
            }
            await search(canary)
        }

        private func search(_ canary: Canary) async {
            for first in stride(from: UInt64(1), to: Self.limit, by: 2) {
                async let other = problem(of: first + 1)
                let one = problem(of: first)
                for (seed, text) in await [(first, one), (first + 1, other)] {
                    guard let text, isSound(seed, canary) else { continue }
                    return print("canary \(canary.rawValue): \(text)")
                }
            }
            Issue.record("\(canary.rawValue) was not caught by \(Self.limit) seeds")
        }

        /// Whether the seed succeeds without the planted fault. A seed that fails anyway does not show that the fault is caught.
        private func isSound(_ seed: UInt64, _ canary: Canary) -> Bool {
            Canary.planted = nil
            defer { Canary.planted = canary }
            guard problem(of: seed) != nil else { return true }
            print("canary \(canary.rawValue): seed \(seed) fails without any planted fault and proves nothing")
            return false
        }

        private nonisolated func problem(of seed: UInt64) -> String? {
            let text =
                Canary.planted?.needsSeveralLeaders == true
                ? SeveralLeaders(seed: seed).run()
                : World(seed: seed, options: SimulationOptions(seed: seed)).run().first
            return text.map { "caught by seed \(seed), \($0)" }
        }

        /// Reads lines of a fault's name and its seed; lines that begin with `#` are comments. A missing file has no seeds.
        private static func seeds(inFileAt path: String) -> [String: UInt64] {
            guard let file = fopen(path, "r") else { return [:] }
            defer { fclose(file) }
            var seeds: [String: UInt64] = [:]
            var buffer = [CChar](repeating: 0, count: 256)
            while fgets(&buffer, Int32(buffer.count), file) != nil {
                let line = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let words = line.split { $0 == " " || $0 == "\n" }
                guard words.count == 2, !line.hasPrefix("#"), let seed = UInt64(words[1]) else { continue }
                seeds[String(words[0])] = seed
            }
            return seeds
        }
    }
#endif
