/// How long to wait before the next attempt to connect: 50 ms, doubled each time up to 2 s, less up to a quarter.
struct Backoff: Sendable {
    private var failures = 0

    /// The attempt failed; returns how long to wait, in milliseconds.
    mutating func failed(using random: inout some RandomNumberGenerator) -> Int {
        let whole = min(2_000, 50 << min(failures, 6))
        failures += 1
        return whole - Int.random(in: 0...(whole / 4), using: &random)
    }

    mutating func succeeded() {
        failures = 0
    }
}
