/// A change of one job, with the rows that must change in the same transaction.
package struct JobChange: Sendable, Hashable {
    /// The complete new row. A new job has `version` 1. `nil` leaves the job's row unchanged (a manual run).
    package var job: Job?
    package var isNew: Bool
    /// PENDING rows of the old definition that are not due yet; they are deleted.
    package var withdrawals: [ExecutionID]
    /// Rows of the new definition between its effective_from and materialized_through, or a manual run.
    package var inserts: [Execution]
    /// Stored in the same transaction. A repeated request gets the answer stored here.
    package var idempotencyKey: IdempotencyRecord?

    package init(
        job: Job?,
        isNew: Bool,
        withdrawals: [ExecutionID] = [],
        inserts: [Execution] = [],
        idempotencyKey: IdempotencyRecord? = nil
    ) {
        self.job = job
        self.isNew = isNew
        self.withdrawals = withdrawals
        self.inserts = inserts
        self.idempotencyKey = idempotencyKey
    }
}

/// A row of `idempotency_keys`.
package struct IdempotencyRecord: Sendable, Hashable {
    /// The operation that used the key: `create_job` or `run_job`.
    package var operation: String
    package var key: String
    /// The fingerprint that the client sent with the first request; empty if there was none.
    package var fingerprint: String
    /// The id of the created job or execution.
    package var answer: UniqueID
    package var expiresAt: Timestamp

    package init(operation: String, key: String, fingerprint: String, answer: UniqueID, expiresAt: Timestamp) {
        self.operation = operation
        self.key = key
        self.fingerprint = fingerprint
        self.answer = answer
        self.expiresAt = expiresAt
    }
}

/// The change of a row from PENDING or RETRYING to RUNNING.
package struct ExecutionStart: Sendable, Hashable {
    package var id: ExecutionID
    package var token: DispatchToken
    package var attempts: Int
    package var lostAttempts: Int
    package var actualStartTime: Timestamp?
    package var worker: String?
    /// For a claim: the boot id of the worker process. Only this process can report the outcome of the call.
    package var workerBootID: UniqueID?
    /// For a claim, the request is sent at most once, after this change is durable.
    package var isClaim: Bool

    package init(
        id: ExecutionID,
        token: DispatchToken,
        attempts: Int,
        lostAttempts: Int,
        actualStartTime: Timestamp?,
        worker: String?,
        workerBootID: UniqueID? = nil,
        isClaim: Bool
    ) {
        self.id = id
        self.token = token
        self.attempts = attempts
        self.lostAttempts = lostAttempts
        self.actualStartTime = actualStartTime
        self.worker = worker
        self.workerBootID = workerBootID
        self.isClaim = isClaim
    }
}

/// An outage of materialization: due times in (from, to] are caught up while new ones continue to be materialized.
package struct Outage: Sendable, Hashable {
    package var from: Timestamp
    package var to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }
}

/// All writes of one fenced transaction. They are applied completely or not at all.
package struct WriteBatch: Sendable, Hashable {
    /// Increases by one with each batch of an epoch. It is stored with the batch, so that a lost commit answer can be
    /// resolved.
    package var sequence: UInt64
    package var owner: UniqueID
    package var epoch: Int64
    /// The last batch of this epoch that is known to be durable; 0 for none. A database that lacks it went back in its history,
    /// and fences this batch off.
    package var committedSequence: UInt64 = 0
    package var materializedThrough: Timestamp?
    package var settledThrough: Timestamp?
    /// `.some(nil)` clears the outage.
    package var outage: Outage??
    /// Names of the workers that may hold calls from now on; `nil` leaves the stored names unchanged.
    package var workers: [String]?
    package var changes: [JobChange] = []
    /// PENDING rows deleted outside of a job change (after the cluster clock stepped back).
    package var withdrawals: [ExecutionID] = []
    /// PENDING and SKIPPED rows. A row that already exists is left unchanged.
    package var inserts: [Execution] = []
    package var starts: [ExecutionStart] = []
    /// Complete rows that became final or RETRYING; their claims are cleared. An update applies only to rows that are
    /// not final or are UNKNOWN.
    package var updates: [Execution] = []
    package var attempts: [Attempt] = []

    package init(sequence: UInt64, owner: UniqueID, epoch: Int64) {
        self.sequence = sequence
        self.owner = owner
        self.epoch = epoch
    }

    /// Whether the batch contains no write.
    package var isEmpty: Bool {
        materializedThrough == nil && settledThrough == nil && outage == nil && workers == nil && changes.isEmpty
            && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && updates.isEmpty && attempts.isEmpty
    }

    /// The approximate number of rows that the batch touches.
    package var count: Int {
        let changed = changes.reduce(0) {
            $0 + ($1.job == nil ? 0 : 1) + $1.withdrawals.count + $1.inserts.count + ($1.idempotencyKey == nil ? 0 : 1)
        }
        return changed + withdrawals.count + inserts.count + starts.count + updates.count + attempts.count
    }
}

/// The result of a commit.
package enum CommitResult: Sendable, Hashable {
    /// The batch is durable. `notPending` lists the PENDING inserts (of the batch and of its changes) whose row already
    /// existed and is not PENDING; do not arm timers for them. Rows that the same batch withdraws are not listed.
    case committed(notPending: [ExecutionID])
    /// Owner or epoch did not match. Nothing was written, and the lease is lost.
    case fenced
    /// The database rejected the data and wrote nothing. `constraint` names the violated constraint, if any.
    case refused(message: String, constraint: String?)
}
