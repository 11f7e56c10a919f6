import CarillonRuntime
import TestSupport
import Testing

@Suite struct BackoffTests {
    @Test func theBoundDoublesUpToTheLongest() {
        let backoff = Backoff(firstMs: 50, maxMs: 2_000)
        #expect((0...8).map { backoff.boundMs(failures: $0) } == [0, 50, 100, 200, 400, 800, 1_600, 2_000, 2_000])
        #expect(backoff.boundMs(failures: 1_000) == 2_000)
    }

    @Test func delaysAreDrawnFromAllOfTheRange() {
        var random = SeededGenerator(seed: 3)
        let backoff = Backoff(firstMs: 50, maxMs: 400)
        let delays = (0..<2_000).map { _ in backoff.delayMs(failures: 9, using: &random) }
        #expect(delays.allSatisfy { (1...400).contains($0) })
        #expect(delays.contains { $0 < 20 } && delays.contains { $0 > 380 })
    }

    @Test func aSuccessResetsTheDelay() {
        var random = SeededGenerator(seed: 4)
        var backoff = Backoff(firstMs: 8, maxMs: 1_000_000)
        for round in 0..<100 {
            let delay = backoff.failed(using: &random)
            #expect((1...backoff.boundMs(failures: round + 1)).contains(delay))
        }
        backoff.succeeded()
        #expect((1...8).contains(backoff.failed(using: &random)))
    }
}
