/// The leadership of this scheduler: its lease, the cluster clock, and the loaded state of a take-over.
struct Leadership {
    enum Phase {
        case standby
        case loading(Loading)
        case leading
    }

    /// The state loaded so far in a take-over.
    struct Loading {
        var shards: [ShardRecord]
        var executions: [Execution] = []
        var outage: Outage?
        var outageRows: [JobID: [OutageRow]] = [:]
        /// The current read; it is repeated if it fails.
        var step: Step = .jobs

        enum Step {
            case jobs
            case openExecutions
            case jobsNamed([JobID])
            case outageRows(Outage)
        }
    }

    var lease: LeaseKeeper
    var clock = ClusterClock()
    var phase = Phase.standby
    /// Unanswered reads of a lost leadership. Their answers arrive before those of the next leadership and are ignored.
    var staleLoads = 0

    /// The held epoch with its proof; `nil` before the first lease.
    var leadProof: LeadProof?
    var clusterKey = ClusterKey(secret: [])
    /// New epochs must exceed this value, because a worker has accepted it.
    var epochFloor: Int64 = 0

    /// A standby with usable workers according to the last lease answer, and the time of that answer.
    var standby: (owner: UniqueID, at: BootTime)?
    /// Since when no worker has been connected.
    var workerlessSince: BootTime?
    /// When this process last handed the lead over.
    var handedOverAt: BootTime?

    var isStopping = false
    var hasStopped = false

    /// The instant of the current event.
    private(set) var nowBoot = BootTime(nanoseconds: 0)
    /// The latest cluster time used for a decision. It decreases only with a clock step.
    private(set) var nowMicroseconds: Int64 = 0

    init(leaseMs: Int) {
        lease = LeaseKeeper(leaseMs: leaseMs)
    }

    /// Cluster time of the current event.
    var now: Timestamp { Timestamp(milliseconds: nowMicroseconds / 1000) }

    var isLeading: Bool {
        if case .leading = phase { true } else { false }
    }

    /// Advances the time at the start of an event.
    mutating func advance(to boot: BootTime) {
        nowMicroseconds = max(nowMicroseconds, clock.microseconds(at: boot))
        nowBoot = max(nowBoot, boot)
    }

    /// Applies a step of the clock, forward or back.
    mutating func stepClock(at boot: BootTime) {
        nowMicroseconds = clock.microseconds(at: boot)
    }

    /// Whether an answer belongs to a read of an earlier leadership. Reads are answered in order.
    mutating func isStale(_ isLast: Bool) -> Bool {
        guard staleLoads > 0 else { return false }
        if isLast { staleLoads -= 1 }
        return true
    }

    /// The first violated invariant; `nil` if there is none.
    var inconsistency: String? {
        guard staleLoads >= 0 else { return "\(-staleLoads) more reads were answered than requested" }
        if case .standby = phase { return nil }
        return hasStopped || lease.epoch != nil ? nil : "the scheduler leads or loads without a lease"
    }
}
