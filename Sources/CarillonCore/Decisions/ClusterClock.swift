/// Cluster time: this machine's boot time plus the offset to the database's clock (design § 5, Clocks).
///
/// A difference of under a second is slewed, at most 5 ms a sample; a larger one is a step, and the caller is told.
package struct ClusterClock: Sendable, Hashable {
    /// Microseconds to add to boot time.
    private var offset: Int64?
    /// How far off it may be, in microseconds.
    private var uncertainty: Int64 = 0
    /// A sample that is further off than this sets the clock only when nothing better is known.
    private let roughUncertainty: Int64 = 100_000

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
        let doubt = max(0, received - sent) / 2_000
        guard let offset else {
            take(measured, doubt)
            return .set
        }
        let difference = measured - offset
        // An answer that was long on its way says little about the time in between: only what it proves is a step.
        if abs(difference) - doubt - uncertainty >= 1_000_000 {
            take(measured, doubt)
            return .stepped(difference / 1000)
        }
        guard doubt < roughUncertainty else { return .slewed }
        if uncertainty >= roughUncertainty {
            take(measured, doubt)
            return .set
        }
        uncertainty = doubt
        self.offset = offset + max(-5_000, min(5_000, difference / 4))
        return .slewed
    }

    /// What is only roughly known is taken to be as early as it can be: late is better than too soon.
    private mutating func take(_ measured: Int64, _ doubt: Int64) {
        let isRough = doubt >= roughUncertainty
        offset = isRough ? measured - doubt : measured
        uncertainty = isRough ? 2 * doubt : doubt
    }
}
