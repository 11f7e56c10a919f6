internal import Glibc

/// CLOCK_BOOTTIME, for waiting and for measuring: it never steps.
enum Clock {
    static func microseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
    }

    static func milliseconds() -> Int64 {
        Int64(microseconds() / 1_000)
    }
}

extension Clock {
    /// Blocks the thread.
    static func sleep(ms: Int) {
        var time = timespec(tv_sec: ms / 1_000, tv_nsec: ms % 1_000 * 1_000_000)
        nanosleep(&time, nil)
    }
}
