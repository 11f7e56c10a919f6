package import CarillonCore

/// Both clocks as a connection needs them: boot time to wait, the wall clock to compare it with the peer's.
package struct WireNow: Sendable, Hashable {
    package var boot: BootTime
    /// Microseconds since 1970 by this machine's own clock.
    package var wallMicroseconds: Int64

    package init(boot: BootTime, wallMicroseconds: Int64) {
        self.boot = boot
        self.wallMicroseconds = wallMicroseconds
    }
}
