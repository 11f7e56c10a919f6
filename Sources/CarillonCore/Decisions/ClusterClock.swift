/// Cluster time: this machine's boot time plus the offset to the database's clock. The offset never exceeds a proven
/// lower bound, so no call starts early. Differences below one second are slewed, larger ones are steps.
/// <doc:Architecture> explains the rules.
package struct ClusterClock: Sendable, Hashable {
    /// Microseconds to add to boot time.
    private var offset: Int64?
    /// How far cluster time may be behind the database's clock, in microseconds.
    private var uncertainty: Int64 = 0
    /// With at least this uncertainty a sample is applied without slewing.
    private let roughUncertainty: Int64 = 100_000
    /// The maximum change by one sample.
    private let slewLimit: Int64 = 5_000
    /// How fast a lower bound loses accuracy: the clocks of two machines drift apart by about 50 µs per second.
    private let driftPpm: Int64 = 50
    /// The drift to assume after a silence, when no sample has limited it.
    private let silentDriftPpm: Int64 = 500
    private let silenceMs: Int64 = 5_000
    private var sampledAt = BootTime(nanoseconds: 0)

    package init() {}

    /// Whether a sample of the database's clock was ever received.
    package var isSet: Bool { offset != nil }

    /// The effect of a sample.
    package enum Adjustment: Sendable, Hashable {
        case set
        case slewed
        /// Milliseconds; negative if the database's clock stepped back.
        case stepped(Int64)
    }

    /// Cluster time in microseconds since 1970; without an offset, boot time.
    package func microseconds(at boot: BootTime) -> Int64 {
        boot.nanoseconds / 1000 &+ (offset ?? 0)
    }

    package func time(at boot: BootTime) -> Timestamp {
        Timestamp(milliseconds: microseconds(at: boot) / 1000)
    }

    /// The boot time at which cluster time reaches `time`.
    package func boot(at time: Timestamp) -> BootTime {
        BootTime(nanoseconds: (time.milliseconds &* 1000 &- (offset ?? 0)) &* 1000)
    }

    /// Applies a reading of the database's clock that was taken between `sent` and `received`.
    package mutating func sample(_ database: Timestamp, sent: BootTime, received: BootTime) -> Adjustment {
        // The database's clock is truncated to whole milliseconds.
        let lower = database.milliseconds &* 1000 &- received.nanoseconds / 1000
        let upper = database.milliseconds &* 1000 &+ 1_000 &- sent.nanoseconds / 1000
        let doubt = max(0, upper - lower)
        guard let offset else {
            take(lower, doubt, received)
            return .set
        }
        // Only a proven difference is a step. A slow answer proves little about the time in between.
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
