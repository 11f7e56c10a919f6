/// Cluster time: this machine's boot time plus the offset to the database's clock (design § 5, Clocks).
///
/// A difference of under a second is slewed, at most 5 ms a sample; a larger one is a step, and the caller is told.
package struct ClusterClock: Sendable, Hashable {
    /// Microseconds to add to boot time.
    private var offset: Int64?

    package init() {}

    /// Whether the database's clock was ever heard.
    package var isSet: Bool { offset != nil }

    /// What a sample did.
    package enum Adjustment: Sendable, Hashable {
        case set
        case slewed
        /// Milliseconds, negative when the database's clock went back.
        case stepped(Int64)
    }

    /// Cluster time in microseconds since 1970; of a clock that is not set, zero.
    package func microseconds(at boot: BootTime) -> Int64 {
        boot.nanoseconds / 1000 &+ (offset ?? 0)
    }

    package func time(at boot: BootTime) -> Timestamp {
        Timestamp(milliseconds: microseconds(at: boot) / 1000)
    }

    /// When cluster time will be `time`.
    package func boot(at time: Timestamp) -> BootTime {
        BootTime(nanoseconds: (time.milliseconds &* 1000 &- (offset ?? 0)) &* 1000)
    }

    /// Takes in what the database's clock said between `sent` and `received`.
    package mutating func sample(_ database: Timestamp, sent: BootTime, received: BootTime) -> Adjustment {
        let middle = sent.nanoseconds / 2 + received.nanoseconds / 2
        // The database's clock was cut to whole milliseconds: half of one, on average, is missing.
        let measured = database.milliseconds &* 1000 &+ 500 &- middle / 1000
        guard let offset else {
            self.offset = measured
            return .set
        }
        let difference = measured - offset
        if abs(difference) >= 1_000_000 {
            self.offset = measured
            return .stepped(difference / 1000)
        }
        // An answer that was long on its way says little about the time in between.
        guard received - sent < 200_000_000 else { return .slewed }
        self.offset = offset + max(-5_000, min(5_000, difference / 4))
        return .slewed
    }
}
