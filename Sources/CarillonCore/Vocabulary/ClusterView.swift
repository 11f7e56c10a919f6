/// The cluster as one scheduler sees it.
package struct ClusterView: Sendable, Hashable {
    package var serverID: UniqueID
    package var leading: Bool
    package var epoch: Int64?
    package var leaderAddress: String?
    package var clusterTime: Timestamp
    package var databaseSkewMs: Int64
    package var databaseConnected: Bool
    package var jobs: Int64
    package var activeJobs: Int64
    package var heapSize: Int64
    package var readyQueueDepth: Int64
    package var openExecutions: Int64
    package var shards: [ShardRecord]
    package var workers: [WorkerView]
    package var version: String
    package var timeZoneDataVersion: String
    package var startedAt: Timestamp?
    /// The problem that prevents calls; `nil` if there is none.
    package var problem: String?

    package init(
        serverID: UniqueID,
        leading: Bool,
        epoch: Int64?,
        leaderAddress: String?,
        clusterTime: Timestamp,
        databaseSkewMs: Int64,
        databaseConnected: Bool,
        jobs: Int64,
        activeJobs: Int64,
        heapSize: Int64,
        readyQueueDepth: Int64,
        openExecutions: Int64,
        shards: [ShardRecord],
        workers: [WorkerView],
        version: String,
        timeZoneDataVersion: String,
        startedAt: Timestamp?,
        problem: String? = nil
    ) {
        self.serverID = serverID
        self.leading = leading
        self.epoch = epoch
        self.leaderAddress = leaderAddress
        self.clusterTime = clusterTime
        self.databaseSkewMs = databaseSkewMs
        self.databaseConnected = databaseConnected
        self.jobs = jobs
        self.activeJobs = activeJobs
        self.heapSize = heapSize
        self.readyQueueDepth = readyQueueDepth
        self.openExecutions = openExecutions
        self.shards = shards
        self.workers = workers
        self.version = version
        self.timeZoneDataVersion = timeZoneDataVersion
        self.startedAt = startedAt
        self.problem = problem
    }
}

package struct WorkerView: Sendable, Hashable {
    package var name: String
    package var bootID: UniqueID
    package var address: String
    package var draining: Bool
    package var maxWorkers: Int
    package var inFlight: Int
    package var freeSlots: Int
    package var skewMs: Double?
    package var version: String?

    package init(
        name: String,
        bootID: UniqueID,
        address: String,
        draining: Bool,
        maxWorkers: Int,
        inFlight: Int,
        freeSlots: Int,
        skewMs: Double?,
        version: String?
    ) {
        self.name = name
        self.bootID = bootID
        self.address = address
        self.draining = draining
        self.maxWorkers = maxWorkers
        self.inFlight = inFlight
        self.freeSlots = freeSlots
        self.skewMs = skewMs
        self.version = version
    }
}
