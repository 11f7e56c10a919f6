package import CarillonCore

/// A message of the protocol, version 1 (`proto/carillon.proto`), as Swift values. What is large and not of every call is
/// boxed: each message is copied several times on its way, and a box costs one allocation.
package enum Message: Sendable, Hashable {
    // The connection
    indirect case hello(Hello)
    indirect case welcome(Welcome)
    /// The sender's wall clock, microseconds since 1970.
    case ping(sentMicroseconds: Int64)
    /// `clockMicroseconds` is a worker's monotonic clock.
    case pong(pingSentMicroseconds: Int64, answeredMicroseconds: Int64, clockMicroseconds: UInt64? = nil)
    case goodbye(why: String)
    indirect case error(ClientError)

    // Scheduler and worker
    /// All shards that the scheduler leads under that epoch.
    case lead(LeadProof, shards: [UInt8])
    /// The answer to a Lead of shards for which a higher epoch was seen.
    case leadRefused(epoch: Int64, shards: [UInt8], highest: LeadProof)
    case holding(epoch: Int64, running: [HeldCall])
    case credit(granted: UInt64)
    case dispatch(clusterTime: Timestamp, [DispatchedCall])
    case started([Token])
    case outcome([CallOutcome])
    case outcomeAck([AcknowledgedOutcome])
    case cancel([Token])
    case drain
    case claimQuery([QueriedClaim])
    case claimAnswer(rememberedMs: UInt64, [AnsweredClaim])

    // Clients
    indirect case request(Request)
    indirect case answer(Answer)

    /// A body that this version does not know; answered with UNIMPLEMENTED when it carries an id.
    case unknown
}

/// What a client can ask (the names are those of the protocol's messages).
package enum Request: Sendable, Hashable {
    case createJob(JobSettings, idempotencyKey: String?, fingerprint: String?)
    case getJob(JobID)
    case listJobs(ListJobs)
    /// `ifVersion`: the versions that the job may have; any when there are none.
    case updateJob(JobID, JobSettings, ifVersion: [Int64])
    case deleteJob(JobID, ifVersion: [Int64])
    case pauseJob(JobID)
    case resumeJob(JobID)
    case runJob(JobID, idempotencyKey: String?, fingerprint: String?)
    case listExecutions(ListExecutions)
    case getExecution(JobID, ExecutionID)
    case getLatestExecution(JobID)
    case getExecutionStats(JobID, from: Timestamp?, to: Timestamp?)
    case cancelExecution(JobID, ExecutionID)
    case watchExecutions(JobID?)
    case stopWatching
    case executeNow(JobSettings, wait: Bool)
    case refreshSchedule
    case previewSchedule(PreviewSchedule)
    case getCluster
}

package struct ListJobs: Sendable, Hashable {
    package var active: Bool?
    package var name: String?
    package var tag: String?
    package var lastStatus: ExecutionStatus?
    package var limit: UInt32?
    package var cursor: String?

    package init() {}
}

package struct ListExecutions: Sendable, Hashable {
    package var jobID: JobID?
    package var statuses: [ExecutionStatus] = []
    package var from: Timestamp?
    package var to: Timestamp?
    package var limit: UInt32?
    package var cursor: String?

    package init() {}
}

package struct PreviewSchedule: Sendable, Hashable {
    package var schedule: String
    package var timeZone: String?
    package var from: Timestamp?
    package var count: UInt32?
    /// By its name in the API: CRON, SKIP, BOTH.
    package var daylightPolicy: String?

    package init(schedule: String) {
        self.schedule = schedule
    }
}

/// What a scheduler answers.
package enum Answer: Sendable, Hashable {
    case job(JobView)
    case jobList([JobView], nextCursor: String?, totalCount: Int64?)
    case deleted(JobID)
    case execution(Execution, failedAttempts: [Attempt], url: String?)
    case executionList([Execution], nextCursor: String?)
    case executionStats(JobID, from: Timestamp, to: Timestamp, ExecutionStats)
    case scheduleRefreshed(status: String, jobs: Int64)
    case schedulePreview(SchedulePreview)
    case cluster(ClusterView)
}

/// A job as clients see it.
package struct JobView: Sendable, Hashable {
    package var job: Job
    package var scheduleDescription: String
    package var nextRunTime: Timestamp?

    package init(job: Job, scheduleDescription: String, nextRunTime: Timestamp?) {
        self.job = job
        self.scheduleDescription = scheduleDescription
        self.nextRunTime = nextRunTime
    }
}

package struct SchedulePreview: Sendable, Hashable {
    package var schedule: String
    package var timeZone: String
    package var scheduleDescription: String
    /// Each with the same instant in the zone, with its offset.
    package var times: [PreviewedTime]

    package struct PreviewedTime: Sendable, Hashable {
        package var time: Timestamp
        package var localTime: String

        package init(time: Timestamp, localTime: String) {
            self.time = time
            self.localTime = localTime
        }
    }

    package init(schedule: String, timeZone: String, scheduleDescription: String, times: [PreviewedTime]) {
        self.schedule = schedule
        self.timeZone = timeZone
        self.scheduleDescription = scheduleDescription
        self.times = times
    }
}

/// What one scheduler knows of the cluster.
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
    /// What keeps executions from being called; `nil` while all is well.
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
