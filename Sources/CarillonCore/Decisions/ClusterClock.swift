/// Cluster time: this machine's boot time plus the offset to the database's clock (design § 5, Clocks).
///
/// A call must never begin before its time, so the offset is never more than what a sample proves: the database's clock was
/// read before its answer came, so its time less the moment of the answer is a lower bound of the true offset. Of the
/// recent bounds the best one counts. A difference of under a second is slewed, at most 5 ms a sample; a larger one is a
/// step, and the caller is told. After a silence (the machine slept, the database was away) what is known has lost as much
/// of its worth as a bad quartz can have cost: or else one that ran 300 ppm fast for ten minutes would make calls 180 ms
/// early until that was slewed.
package struct ClusterClock: Sendable, Hashable {
    /// Microseconds to add to boot time.
    private var offset: Int64?
    /// How far behind the database's clock it may be, in microseconds.
    private var uncertainty: Int64 = 0
    /// One that knows less than this takes what it gets, without slewing.
    private let roughUncertainty: Int64 = 100_000
    /// The most that a sample slews.
    private let slewLimit: Int64 = 5_000
    /// What a bound loses of its worth: clocks of two machines drift apart by some 50 µs a second.
    private let driftPpm: Int64 = 50
    /// The same after a silence, when nobody has looked at how they drift.
    private let silentDriftPpm: Int64 = 500
    private let silenceMs: Int64 = 5_000
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
        let elapsedMs = received.milliseconds(since: sampledAt)
        let isSilence = elapsedMs > silenceMs
        let lost = elapsedMs * (isSilence ? silentDriftPpm : driftPpm) / 1_000
        let target = max(lower, min(offset - lost, upper))
        let isRough = uncertainty >= roughUncertainty
        let new = isSilence || isRough ? target : min(max(target, offset - slewLimit), offset + slewLimit)
        uncertainty = max(0, min(uncertainty + lost + offset - new, upper - new))
        self.offset = new
        sampledAt = received
        return isRough ? .set : .slewed
    }

    private mutating func take(_ bound: Int64, _ doubt: Int64, _ received: BootTime) {
        offset = bound
        uncertainty = doubt
        sampledAt = received
    }
}
