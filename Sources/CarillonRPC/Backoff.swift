/// How long to wait before the next attempt: full jitter under a doubling bound.
struct Backoff: Sendable, Hashable {
    var firstMs: Int64 = 50
    var maxMs: Int64 = 2_000

    /// The bound after so many failures in a row, from 1.
    func boundMs(failures: Int) -> Int64 {
        guard failures > 0 else { return 0 }
        let doublings = min(failures - 1, 20)
        return min(maxMs, firstMs << doublings)
    }

    /// Drawn evenly between 1 ms and the bound.
    func delayMs(failures: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        let bound = boundMs(failures: failures)
        return bound <= 1 ? bound : Int64.random(in: 1...bound, using: &generator)
    }
}
