#if FAULT_INJECTION
    import CarillonCore
    import Glibc
    import Testing

    /// A simulation that cannot fail proves nothing: each injected fault must be caught. The fault affects the whole
    /// process, so these tests run in a separate process (`make faults`).
    @Suite(.serialized, .enabled(if: getenv("CARILLON_FAULTS") != nil)) struct InjectedFaultTests {
        /// All faults, or the fault in `CARILLON_FAULTS`.
        private static let chosen = InjectedFault.allCases.filter { fault in
            guard let text = getenv("CARILLON_FAULTS").map({ String(cString: $0) }), text != "1" else { return true }
            return fault.rawValue == text
        }

        /// The number of seeds to search.
        private static let limit: UInt64 = 10_000

        /// The seed that caught each fault when the file `CARILLON_FAULT_SEEDS` was written; nil without that variable.
        private static let recorded: [String: UInt64]? = getenv("CARILLON_FAULT_SEEDS").map { path in
            seeds(inFileAt: String(cString: path))
        }

        @Test(arguments: chosen) func isCaught(_ fault: InjectedFault) async {
            InjectedFault.active = fault
            defer { InjectedFault.active = nil }
            if let recorded = Self.recorded {
                guard let seed = recorded[fault.rawValue] else {
                    print("fault \(fault.rawValue): no recorded seed; searching")
                    return await search(fault)
                }
                if let text = problem(of: seed), isSound(seed, fault) {
                    return print("fault \(fault.rawValue): \(text)")
                }
                print("fault \(fault.rawValue): the recorded seed \(seed) no longer catches it; searching")
            }
            await search(fault)
        }

        private func search(_ fault: InjectedFault) async {
            for first in stride(from: UInt64(1), to: Self.limit, by: 2) {
                async let other = problem(of: first + 1)
                let one = problem(of: first)
                for (seed, text) in await [(first, one), (first + 1, other)] {
                    guard let text, isSound(seed, fault) else { continue }
                    return print("fault \(fault.rawValue): \(text)")
                }
            }
            Issue.record("\(fault.rawValue) was not caught by \(Self.limit) seeds")
        }

        /// Whether the seed succeeds without the injected fault. A seed that fails anyway does not show that the fault
        /// is caught.
        private func isSound(_ seed: UInt64, _ fault: InjectedFault) -> Bool {
            InjectedFault.active = nil
            defer { InjectedFault.active = fault }
            guard problem(of: seed) != nil else { return true }
            print("fault \(fault.rawValue): seed \(seed) fails without any planted fault and proves nothing")
            return false
        }

        private nonisolated func problem(of seed: UInt64) -> String? {
            let text =
                InjectedFault.active?.needsSeveralLeaders == true
                ? SeveralLeaders(seed: seed).run()
                : World(seed: seed, options: SimulationOptions(seed: seed)).run().first
            return text.map { "caught by seed \(seed), \($0)" }
        }

        /// Reads lines of a fault's name and its seed. Lines that start with `#` are comments. A missing file has no
        /// seeds.
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
