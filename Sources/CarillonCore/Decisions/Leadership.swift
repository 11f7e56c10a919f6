/// Whether this scheduler leads: its lease, the cluster's clock, and what a take-over has read.
struct Leadership {
    enum Phase {
        case standby
        case loading(Loading)
        case leading
    }

    /// What a take-over has read so far.
    struct Loading {
        var shards: [ShardRecord]
        var executions: [Execution] = []
        var outage: Outage?
        var outageRows: [JobID: [OutageRow]] = [:]
        /// What is being read, to be asked again when it fails.
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
    /// Reads that a lost leadership left unanswered: their answers, which come first, are not those of the next one.
    var staleLoads = 0

    /// The epoch that is held, with its proof; `nil` before the lease was ever taken.
    var leadProof: LeadProof?
    var clusterKey = ClusterKey(secret: [])
    /// Higher epochs than this are asked for: some worker obeys it.
    var epochFloor: Int64 = 0

    /// A scheduler that has usable workers, by the last answer of the lease, and when that came.
    var standby: (owner: UniqueID, at: BootTime)?
    /// Since when no worker is connected.
    var workerlessSince: BootTime?
    /// When this process last gave the lead to another one.
    var handedOverAt: BootTime?

    var isStopping = false
    var hasStopped = false

    /// The instant of the current event.
    private(set) var nowBoot = BootTime(nanoseconds: 0)
    /// The latest instant of cluster time that anything was decided at: it never goes back but for a step of the clock.
    private(set) var nowMicroseconds: Int64 = 0

    init(leaseMs: Int) {
        lease = LeaseKeeper(leaseMs: leaseMs)
    }

    /// Cluster time of the current event.
    var now: Timestamp { Timestamp(milliseconds: nowMicroseconds / 1000) }

    var isLeading: Bool {
        if case .leading = phase { true } else { false }
    }

    /// An event begins.
    mutating func advance(to boot: BootTime) {
        nowMicroseconds = max(nowMicroseconds, clock.microseconds(at: boot))
        nowBoot = max(nowBoot, boot)
    }

    /// The clock was stepped, forward or back.
    mutating func stepClock(at boot: BootTime) {
        nowMicroseconds = clock.microseconds(at: boot)
    }

    /// Whether an answer is one to a read of a leadership before this one. Reads are answered in their order.
    mutating func isStale(_ isLast: Bool) -> Bool {
        guard staleLoads > 0 else { return false }
        if isLast { staleLoads -= 1 }
        return true
    }

    /// The first violated invariant; `nil` if there is none.
    var inconsistency: String? {
        guard staleLoads >= 0 else { return "\(-staleLoads) reads were answered that nobody asked for" }
        if case .standby = phase { return nil }
        return hasStopped || lease.epoch != nil ? nil : "the scheduler leads or loads without a lease"
    }
}
