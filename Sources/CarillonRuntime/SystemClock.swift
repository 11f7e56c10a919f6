internal import CLinux
package import CarillonCore
internal import Glibc

/// The clocks of this machine.
package enum SystemClock {
    /// Both clocks, read together.
    package static func now() -> Now {
        Now(wall: Timestamp(milliseconds: wallMicroseconds() / 1000), boot: bootTime())
    }

    /// CLOCK_BOOTTIME.
    package static func bootTime() -> BootTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return BootTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// CLOCK_REALTIME, in microseconds since 1970-01-01T00:00:00Z.
    package static func wallMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// CLOCK_BOOTTIME in whole microseconds, for measuring.
    package static func bootMicroseconds() -> UInt64 { bootTime().microseconds }

    /// CLOCK_BOOTTIME in whole milliseconds, for deadlines of system calls that take milliseconds.
    package static func bootMilliseconds() -> Int64 { bootTime().nanoseconds / 1_000_000 }
}
