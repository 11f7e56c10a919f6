/// An instant of cluster time: whole milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
package struct Timestamp: Sendable, Hashable, Comparable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package init(seconds: Int64) {
        self.milliseconds = seconds &* 1000
    }

    /// The second of this instant, rounded down.
    package var seconds: Int64 {
        milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
    }

    package static let distantPast = Timestamp(milliseconds: -62_135_596_800_000)
    package static let distantFuture = Timestamp(milliseconds: 253_402_300_799_000)

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    package static func + (left: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: left.milliseconds &+ milliseconds)
    }

    package static func - (left: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: left.milliseconds &- milliseconds)
    }

    /// Milliseconds from `right` to `left`.
    package static func - (left: Timestamp, right: Timestamp) -> Int64 {
        left.milliseconds &- right.milliseconds
    }
}

/// An instant of CLOCK_BOOTTIME: nanoseconds since this machine started. The clock never steps and continues during
/// suspend. Leases, timeouts and all waits are measured with it. Its values mean nothing on another machine.
package struct BootTime: Sendable, Hashable, Comparable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: BootTime, right: BootTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    package static func + (left: BootTime, milliseconds: Int64) -> BootTime {
        BootTime(nanoseconds: left.nanoseconds &+ milliseconds &* 1_000_000)
    }

    /// Nanoseconds from `right` to `left`.
    package static func - (left: BootTime, right: BootTime) -> Int64 {
        left.nanoseconds &- right.nanoseconds
    }

    /// Whole microseconds since this machine started, for a peer that only compares these values with each other.
    package var microseconds: UInt64 { UInt64(clamping: nanoseconds / 1_000) }

    /// Whole milliseconds since `earlier`.
    package func milliseconds(since earlier: BootTime) -> Int64 {
        (nanoseconds &- earlier.nanoseconds) / 1_000_000
    }
}

/// Both clocks, read together by a runner and passed to a decision. `wall` is the machine's own clock; the scheduler
/// uses it only until it knows the database's time.
package struct Now: Sendable, Hashable {
    package var wall: Timestamp
    package var boot: BootTime

    package init(wall: Timestamp, boot: BootTime) {
        self.wall = wall
        self.boot = boot
    }
}
