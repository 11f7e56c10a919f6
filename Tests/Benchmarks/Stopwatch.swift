import Glibc

/// Seconds of CLOCK_MONOTONIC.
enum Stopwatch {
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Whole seconds since 1970.
    static var unixSeconds: Int { time(nil) }

    /// Nanoseconds per repetition.
    static func nanoseconds(of repetitions: Int, _ body: (Int) throws -> Void) rethrows -> Double {
        let begin = now
        for index in 0..<repetitions { try body(index) }
        return (now - begin) * 1e9 / Double(repetitions)
    }

    static func sleep(_ seconds: Double) async throws {
        try await Task.sleep(for: .milliseconds(Int(seconds * 1_000)))
    }
}
