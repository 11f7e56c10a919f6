internal import CarillonCore

/// What the dispatcher's thread tells the others after each of its turns.
struct Status: Sendable {
    var isLeading = false
    var epoch: Int64?
    /// Until when that may be relied upon.
    var isReady = false
    /// Microseconds to add to boot time.
    var clusterTime = Timestamp(milliseconds: 0)
    var readAt = BootTime(nanoseconds: 0)
    var jobs = 0
    var activeJobs = 0
    var heapSize = 0
    var readyQueueDepth = 0
    var openExecutions = 0
    var lastFailed = 0
    /// For how long executions have been due and none was dispatched.
    var starvedMs: Int64 = 0
    var disobedientWorkers: [(name: String, epoch: Int64)] = []
    var counters = Dispatcher.Counters()
    var workers: [ConnectionID: (inFlight: Int, freeSlots: Int, isDraining: Bool)] = [:]
}
