/// A shard's row, as taken over.
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
    /// Names of the workers that may hold calls; `nil` when nobody has written that down.
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

/// What the lease connection says of an attempt to take or keep the lease.
package enum LeaseResult: Sendable, Hashable {
    /// All shards are ours, under this epoch. `databaseTime` was read in the same statement. `standby` asked for the lease
    /// within the last 2 s and has usable workers.
    case held(epoch: Int64, shards: [ShardRecord], databaseTime: Timestamp, standby: UniqueID? = nil)
    /// Someone else holds them; `leader` is the holder's address, when known.
    case heldByOther(leader: String?, databaseTime: Timestamp)
}

/// What a row accounts for within an outage: its own due time, or, for a SKIPPED row, all from its first to its last.
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

/// What can be asked of the database by the writer.
package enum StoreRequest: Sendable {
    /// On the lease connection: take the advisory lock if nobody has it (or if the lease of whoever has it has expired:
    /// end that session), then take all shards under a new epoch, in one transaction. The epoch is higher than all before it,
    /// than `above`, and not lower than the database's clock in microseconds since 1970. A scheduler that does not
    /// get the lease records how many usable workers it has.
    case acquireLease(owner: UniqueID, address: String, leaseMs: Int, above: Int64 = 0, usableWorkers: Int = 0)
    /// On the lease connection: keep them.
    case renewLease(owner: UniqueID, epoch: Int64, leaseMs: Int)
    /// On the lease connection: expire the lease at once and give the advisory lock back. For 5 s only `standby` may take it,
    /// if one is named.
    case releaseLease(owner: UniqueID, epoch: Int64, standby: UniqueID? = nil)
    /// All jobs that are neither deleted nor ad-hoc, in several answers of `jobs`, the last one marked.
    case loadJobs
    /// These jobs, whatever they are, likewise.
    case loadJobsNamed([JobID])
    /// All executions that are not final with an id from `ExecutionID.first(at: since)` on, in several answers likewise.
    case loadOpenExecutions(since: Timestamp)
    /// The rows made by schedules with a scheduled_time in (outage.from, outage.to], in several answers likewise.
    case loadOutageRows(Outage)
    case commit(WriteBatch)
    /// Jobs whose updated_at is not before `since`, deleted ones too, likewise in several answers.
    case loadChangedJobs(since: Timestamp)
    case findIdempotencyKey(operation: String, key: String)
    /// The row of one execution, for a late report: only asked when it is no longer in memory.
    case findExecution(ExecutionID)
    /// Makes the partitions for the coming week and drops the days before `retainFrom` that have no open row;
    /// deletes expired idempotency keys.
    case maintain(retainFrom: Timestamp?)
}

/// What comes back.
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
    /// The lease connection is gone (and with it the advisory lock), or the request could not be made on it.
    case leaseConnectionLost(String)
    /// A read failed; it may be asked again.
    case failed(String)
}

/// The database, as the writer of the shards sees it. A `commit` whose answer was lost is settled by the store itself,
/// by reading `shards.commit_sequence` on a new connection, before it is answered; while there is no database it is not
/// answered. One commit is in flight at a time. Leases have a connection of their own.
package protocol JobStore: Sendable {
    /// `answer` is called on a thread of the store, more than once where the request says so, in order.
    func submit(_ request: StoreRequest, answer: @escaping @Sendable (StoreAnswer) -> Void)

    /// How long the store has waited for the database, and the database's last errors.
    var health: StoreHealth { get }
}

extension JobStore {
    /// A store that never waits has nothing to report.
    package var health: StoreHealth { StoreHealth() }
}

/// A page of jobs, newest first.
package struct JobQuery: Sendable, Hashable {
    package var active: Bool?
    package var name: String?
    package var tag: String?
    package var lastStatus: ExecutionStatus?
    package var limit: Int
    /// The last job of the page before.
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
    /// Scheduled times from here on.
    package var from: Timestamp?
    /// Scheduled times before this.
    package var to: Timestamp?
    package var limit: Int
    /// The last execution of the page before.
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

/// What a job's executions were like in a range of scheduled times. Averages and percentiles are over executions that
/// have the figure; `nil` when none has.
package struct ExecutionStats: Sendable, Hashable {
    package var total: Int64 = 0
    package var successes: Int64 = 0
    /// FAILED and UNKNOWN.
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

/// Why a read could not be answered.
package struct ReadError: Error, Sendable, Hashable {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }
}

/// Reads for clients, from any scheduler, on connections of their own (or a replica).
package protocol HistoryReader: Sendable {
    /// A job that is not deleted; `includingDeleted` finds those too.
    func job(_ id: JobID, includingDeleted: Bool) async throws(ReadError) -> Job?
    /// `total` counts the jobs that are listed when nothing is filtered; from a counter.
    func jobs(_ query: JobQuery) async throws(ReadError) -> (jobs: [Job], hasMore: Bool, total: Int64?)
    func executions(_ query: ExecutionQuery) async throws(ReadError) -> (executions: [Execution], hasMore: Bool)
    func execution(_ id: ExecutionID, of job: JobID) async throws(ReadError) -> (
        execution: Execution, attempts: [Attempt]
    )?
    func latestExecution(of job: JobID) async throws(ReadError) -> Execution?
    func stats(of job: JobID, from: Timestamp, to: Timestamp) async throws(ReadError) -> ExecutionStats
    func shards() async throws(ReadError) -> [ShardRecord]
}
