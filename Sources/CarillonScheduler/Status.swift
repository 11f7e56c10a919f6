internal import CarillonCore

/// The dispatcher's state, published after each turn.
struct Status: Sendable {
    var isLeading = false
    var epoch: Int64?
    /// Whether cluster time is known.
    var isReady = false
    /// Cluster time at `readAt`; the local wall clock while cluster time is unknown.
    var clusterTime = Timestamp(milliseconds: 0)
    var readAt = BootTime(nanoseconds: 0)
    var jobs = 0
    var activeJobs = 0
    var heapSize = 0
    var readyQueueDepth = 0
    var openExecutions = 0
    var lastFailed = 0
    /// How long executions have been due without a dispatch.
    var starvedMs: Int64 = 0
    var disobedientWorkers: [(name: String, epoch: Int64)] = []
    var counters = Dispatcher.Counters()
    var workers: [ConnectionID: (inFlight: Int, freeSlots: Int, isDraining: Bool)] = [:]
}
