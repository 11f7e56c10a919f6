internal import CarillonCore
internal import CarillonWire
internal import Glibc

/// The clocks of this machine, for the connections.
enum NetworkClock {
    static var now: WireNow {
        WireNow(boot: boot, wallMicroseconds: read(CLOCK_REALTIME) / 1_000)
    }

    static var boot: BootTime { BootTime(nanoseconds: read(CLOCK_BOOTTIME)) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
