import Testing

/// Runs suites that start whole systems one at a time, because they would slow each other down.
struct Alone: SuiteTrait, TestScoping {
    private static let turns = Turns()

    @concurrent func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Self.turns.begin()
        do {
            try await function()
            await Self.turns.end()
        } catch {
            await Self.turns.end()
            throw error
        }
    }

    private actor Turns {
        private var isTaken = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func begin() async {
            guard isTaken else {
                isTaken = true
                return
            }
            await withCheckedContinuation { waiting.append($0) }
        }

        /// The suite that has waited longest runs next.
        func end() {
            if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
        }
    }
}

extension Trait where Self == Alone {
    static var alone: Self { Self() }
}
