/// Cluster time: this machine's boot time plus the offset to the database's clock (design § 5, Clocks).
///
/// A call must never begin before its time, so the offset is never more than what a sample proves: the database's clock was
/// read before its answer came, so its time less the moment of the answer is a lower bound of the true offset. Of the
/// recent bounds the best one counts. A difference of under a second is slewed, at most 5 ms a sample; a larger one is a
/// step, and the caller is told. After a silence that no lease outlives (the machine slept, the database was away) there
/// is nothing to slew: nobody acts on the old offset any more, and a quartz that ran 300 ppm fast for ten minutes would
/// make calls 180 ms early.
package struct ClusterClock: Sendable, Hashable {
    /// Microseconds to add to boot time.
    private var offset: Int64?
    /// How far behind the database's clock it may be, in microseconds.
    private var uncertainty: Int64 = 0
    /// A sample that says less than this sets the clock only when nothing better is known.
    private let roughUncertainty: Int64 = 100_000
    /// What a bound loses of its worth with each sample: clocks of two machines drift apart by some 50 µs a second.
    private let agingPerSample: Int64 = 50
    /// Samples come every second; without one for so long the offset is taken anew.
    private let freshMs: Int64 = 5_000
    private var sampledAt = BootTime(nanoseconds: 0)

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
        // The database's clock was cut to whole milliseconds.
        let lower = database.milliseconds &* 1000 &- received.nanoseconds / 1000
        let upper = database.milliseconds &* 1000 &+ 1_000 &- sent.nanoseconds / 1000
        let doubt = max(0, upper - lower)
        guard let offset else {
            take(lower, doubt, received)
            return .set
        }
        // Only what is proven is a step: an answer that was long on its way says little about the time in between.
        if lower - (offset + uncertainty) >= 1_000_000 || offset - upper >= 1_000_000 {
            let step = lower > offset ? lower - offset : upper - offset
            take(lower, doubt, received)
            return .stepped(step / 1000)
        }
        // One that was asked for before a silence says as little.
        guard doubt < roughUncertainty else { return .slewed }
        let isStale = received.milliseconds(since: sampledAt) > freshMs
        if isStale || uncertainty >= roughUncertainty {
            take(lower, doubt, received)
            return .set
        }
        let aged = offset > upper ? max(lower, offset - 5_000) : offset - agingPerSample
        self.offset = max(aged, min(lower, offset + 5_000))
        uncertainty = max(0, upper - (self.offset ?? upper))
        sampledAt = received
        return .slewed
    }

    private mutating func take(_ bound: Int64, _ doubt: Int64, _ received: BootTime) {
        offset = bound
        uncertainty = doubt
        sampledAt = received
    }
}
