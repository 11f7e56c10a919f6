/// The delay before the next attempt: full jitter below a bound that doubles with each consecutive failure.
package struct Backoff: Sendable, Hashable {
    package var firstMs: Int64
    package var maxMs: Int64
    /// Consecutive failures so far.
    package private(set) var failures = 0

    package init(firstMs: Int64 = 50, maxMs: Int64 = 2_000) {
        self.firstMs = firstMs
        self.maxMs = maxMs
    }

    /// The bound after this many consecutive failures, at least 1.
    package func boundMs(failures: Int) -> Int64 {
        guard failures > 0 else { return 0 }
        let doublings = min(failures - 1, 20)
        return min(maxMs, firstMs << doublings)
    }

    /// A random delay between 1 ms and the bound, uniformly distributed.
    package func delayMs(failures: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        let bound = boundMs(failures: failures)
        return bound <= 1 ? bound : Int64.random(in: 1...bound, using: &generator)
    }

    /// Counts a failure; returns the delay.
    package mutating func failed(using generator: inout some RandomNumberGenerator) -> Int64 {
        failures = min(failures + 1, 64)
        return delayMs(failures: failures, using: &generator)
    }

    /// Resets the count of failures.
    package mutating func succeeded() {
        failures = 0
    }
}
