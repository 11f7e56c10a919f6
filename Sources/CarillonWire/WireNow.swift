package import CarillonCore

/// The time by two clocks: boot time for timeouts, and the wall clock for comparison with the peer's.
package struct WireNow: Sendable, Hashable {
    package var boot: BootTime
    /// Microseconds since 1970 by this machine's own clock.
    package var wallMicroseconds: Int64

    package init(boot: BootTime, wallMicroseconds: Int64) {
        self.boot = boot
        self.wallMicroseconds = wallMicroseconds
    }
}
