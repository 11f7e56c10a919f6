/// A shard's row at the time of the take-over.
package struct ShardRecord: Sendable, Hashable {
    package var shard: UInt8
    package var owner: UniqueID?
    package var address: String?
    package var epoch: Int64
    /// Drawn at random when the epoch began.
    package var incarnation: UInt64
    /// The secret that the schedulers of this cluster share, 32 bytes; on shard 0 only.
    package var clusterSecret: [UInt8]?
    package var leaseExpiresAt: Timestamp?
    package var materializedThrough: Timestamp?
    package var settledThrough: Timestamp?
    package var outage: Outage?
    /// Names of the workers that may hold calls; `nil` if no leader has stored them yet.
    package var workers: [String]?

    package init(
        shard: UInt8,
        owner: UniqueID?,
        address: String?,
        epoch: Int64,
        leaseExpiresAt: Timestamp?,
        materializedThrough: Timestamp?,
        settledThrough: Timestamp?,
        outage: Outage?,
        workers: [String]? = nil,
        incarnation: UInt64 = 0,
        clusterSecret: [UInt8]? = nil
    ) {
        self.shard = shard
        self.owner = owner
        self.address = address
        self.epoch = epoch
        self.leaseExpiresAt = leaseExpiresAt
        self.materializedThrough = materializedThrough
        self.settledThrough = settledThrough
        self.outage = outage
        self.workers = workers
        self.incarnation = incarnation
        self.clusterSecret = clusterSecret
    }
}

/// The result of an attempt to take or renew the lease.
package enum LeaseResult: Sendable, Hashable {
    /// This scheduler holds all shards under this epoch. `databaseTime` was read in the same statement. `standby`
    /// requested the lease within the last 2 s and has usable workers.
    case held(epoch: Int64, shards: [ShardRecord], databaseTime: Timestamp, standby: UniqueID? = nil)
    /// Another scheduler holds the lease; `leader` is its address, if known.
    case heldByOther(leader: String?, databaseTime: Timestamp)
}

/// The due times that a row covers within an outage: its own, or, for a SKIPPED row, all from the first to the last.
package struct OutageRow: Sendable, Hashable {
    package var jobID: JobID
    /// `skipped_from`, or else `scheduled_time`.
    package var from: Timestamp
    /// `scheduled_time`.
    package var to: Timestamp

    package init(jobID: JobID, from: Timestamp, to: Timestamp) {
        self.jobID = jobID
        self.from = from
        self.to = to
    }
}

/// A request of the leader's writer to the database.
package enum StoreRequest: Sendable {
    /// On the lease connection: take the advisory lock (ending the holder's session if its lease has expired), then all
    /// shards under a new epoch, in one transaction. The epoch exceeds all earlier ones and `above`, and is at least
    /// the database's clock in microseconds since 1970. Without the lease, store `usableWorkers` for this standby.
    case acquireLease(owner: UniqueID, address: String, leaseMs: Int, above: Int64 = 0, usableWorkers: Int = 0)
    /// On the lease connection: renew the lease of all shards.
    case renewLease(owner: UniqueID, epoch: Int64, leaseMs: Int)
    /// On the lease connection: expire the lease now and release the advisory lock. For 5 s only `standby` may take the
    /// lease, if it is given.
    case releaseLease(owner: UniqueID, epoch: Int64, standby: UniqueID? = nil)
    /// All jobs that are neither deleted nor ad-hoc, in several `jobs` answers; the last one is marked.
    case loadJobs
    /// The jobs with these ids, including deleted and ad-hoc ones, in several answers.
    case loadJobsNamed([JobID])
    /// All executions that are not final, with ids from `ExecutionID.first(at: since)` on, in several answers.
    case loadOpenExecutions(since: Timestamp)
    /// Rows inserted for schedules with a scheduled_time in (outage.from, outage.to], in several answers.
    case loadOutageRows(Outage)
    case commit(WriteBatch)
    /// Jobs with `updated_at` at or after `since`, including deleted ones, in several answers.
    case loadChangedJobs(since: Timestamp)
    case findIdempotencyKey(operation: String, key: String)
    /// The row of one execution that is no longer in memory, for a late report.
    case findExecution(ExecutionID)
    /// Creates the partitions of the coming week, drops the days before `retainFrom` that have no open row, and deletes
    /// expired idempotency keys.
    case maintain(retainFrom: Timestamp?)
}

/// An answer of the store to a ``StoreRequest``.
package enum StoreAnswer: Sendable {
    case lease(LeaseResult)
    case released
    case jobs([Job], isLast: Bool)
    case openExecutions([Execution], isLast: Bool)
    case outageRows([OutageRow], isLast: Bool)
    case commit(CommitResult)
    case idempotencyRecord(IdempotencyRecord?)
    case execution(Execution?)
    case maintained
    /// The lease connection was lost (and with it the advisory lock), or the request could not be sent on it.
    case leaseConnectionLost(String)
    /// A read failed; the caller may repeat it.
    case failed(String)
}

/// The database as the leader's writer uses it. One commit is in flight at a time; leases use a separate connection.
/// After a lost connection the store reads `shards.commit_sequence` on a new one to learn whether a commit was applied.
/// While the database is unreachable, a commit stays unanswered.
package protocol JobStore: Sendable {
    /// Calls `answer` on a thread of the store, in order; several times where the request allows several answers.
    func submit(_ request: StoreRequest, answer: @escaping @Sendable (StoreAnswer) -> Void)

    /// How long the store has waited for the database, and the database's last errors.
    var health: StoreHealth { get }
}

extension JobStore {
    /// The default for stores that never wait.
    package var health: StoreHealth { StoreHealth() }
}

/// A page of jobs, newest first.
package struct JobQuery: Sendable, Hashable {
    package var active: Bool?
    package var name: String?
    package var tag: String?
    package var lastStatus: ExecutionStatus?
    package var limit: Int
    /// The last job of the previous page.
    package var after: JobID?

    package init(
        active: Bool? = nil,
        name: String? = nil,
        tag: String? = nil,
        lastStatus: ExecutionStatus? = nil,
        limit: Int = 100,
        after: JobID? = nil
    ) {
        self.active = active
        self.name = name
        self.tag = tag
        self.lastStatus = lastStatus
        self.limit = limit
        self.after = after
    }

    package var isUnfiltered: Bool { active == nil && name == nil && tag == nil && lastStatus == nil }
}

/// A page of executions, newest first (by execution id).
package struct ExecutionQuery: Sendable, Hashable {
    package var jobID: JobID?
    package var statuses: [ExecutionStatus]
    /// The lowest scheduled time, inclusive.
    package var from: Timestamp?
    /// The highest scheduled time, exclusive.
    package var to: Timestamp?
    package var limit: Int
    /// The last execution of the previous page.
    package var after: ExecutionID?

    package init(
        jobID: JobID? = nil,
        statuses: [ExecutionStatus] = [],
        from: Timestamp? = nil,
        to: Timestamp? = nil,
        limit: Int = 100,
        after: ExecutionID? = nil
    ) {
        self.jobID = jobID
        self.statuses = statuses
        self.from = from
        self.to = to
        self.limit = limit
        self.after = after
    }
}

/// Statistics of a job's executions in a range of scheduled times. Averages and percentiles cover only the executions
/// that have the value; `nil` if there are none.
package struct ExecutionStats: Sendable, Hashable {
    package var total: Int64 = 0
    package var successes: Int64 = 0
    /// Executions that ended as FAILED or UNKNOWN.
    package var failures: Int64 = 0
    package var duration: Summary?
    package var drift: Summary?

    /// Microseconds.
    package struct Summary: Sendable, Hashable {
        package var average: Double
        package var p50: Double
        package var p95: Double
        package var p99: Double

        package init(average: Double, p50: Double, p95: Double, p99: Double) {
            self.average = average
            self.p50 = p50
            self.p95 = p95
            self.p99 = p99
        }
    }

    package init() {}
}

/// The reason for a failed read.
package struct ReadError: Error, Sendable, Hashable {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }
}

/// Reads for clients of any scheduler, on separate connections (or a replica).
package protocol HistoryReader: Sendable {
    /// The job with this id. Deleted jobs are found only with `includingDeleted`.
    func job(_ id: JobID, includingDeleted: Bool) async throws(ReadError) -> Job?
    /// `total` is the number of jobs in an unfiltered list, taken from a counter.
    func jobs(_ query: JobQuery) async throws(ReadError) -> (jobs: [Job], hasMore: Bool, total: Int64?)
    func executions(_ query: ExecutionQuery) async throws(ReadError) -> (executions: [Execution], hasMore: Bool)
    func execution(_ id: ExecutionID, of job: JobID) async throws(ReadError) -> (
        execution: Execution, attempts: [Attempt]
    )?
    func latestExecution(of job: JobID) async throws(ReadError) -> Execution?
    func stats(of job: JobID, from: Timestamp, to: Timestamp) async throws(ReadError) -> ExecutionStats
    func shards() async throws(ReadError) -> [ShardRecord]
}
