/// A change of one job, with the rows that must change in the same transaction (design § 5, "A change").
package struct JobChange: Sendable, Hashable {
    /// The whole row as it will be. A new job has `version` 1. `nil` leaves the job's row as it is (a manual run).
    package var job: Job?
    package var isNew: Bool
    /// PENDING rows of the old definition that are not yet due: deleted.
    package var withdrawals: [ExecutionID]
    /// Rows of the new definition between its effective_from and materialized_through, or a manual run.
    package var inserts: [Execution]
    /// Written in the same transaction; its answer is what a repeated request gets.
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
    /// What the key was used for: `create_job` or `run_job`.
    package var operation: String
    package var key: String
    /// What the first request was.
    package var fingerprint: String
    /// The job made, or the execution made.
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

/// PENDING or RETRYING → RUNNING.
package struct ExecutionStart: Sendable, Hashable {
    package var id: ExecutionID
    package var token: DispatchToken
    package var attempts: Int
    package var lostAttempts: Int
    package var actualStartTime: Timestamp?
    package var worker: String?
    /// The process of that worker, for a claim: only it can say what became of the call.
    package var workerBootID: UniqueID?
    /// Whether it is a claim: the request is sent once this is durable, and at most once.
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

/// An outage of materialization: the due times in (from, to] are worked off beside the live ones (design § 5, Catch-up).
package struct Outage: Sendable, Hashable {
    package var from: Timestamp
    package var to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }
}

/// Everything that one fenced transaction writes. It happens whole or not at all.
package struct WriteBatch: Sendable, Hashable {
    /// Grows by one with each batch of an epoch; stored with it, so that an unknown commit can be settled by reading it.
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
    /// Names of the workers that may hold calls from now on; `nil` leaves those that are stored.
    package var workers: [String]?
    package var changes: [JobChange] = []
    /// PENDING rows withdrawn outside of a change (a step back of the clock).
    package var withdrawals: [ExecutionID] = []
    /// PENDING and SKIPPED rows; one that exists already is left as it is.
    package var inserts: [Execution] = []
    package var starts: [ExecutionStart] = []
    /// Whole rows as they will be: final ones and RETRYING ones, of which no claim is left. Only rows that are not final
    /// change, and UNKNOWN ones.
    package var updates: [Execution] = []
    package var attempts: [Attempt] = []

    package init(sequence: UInt64, owner: UniqueID, epoch: Int64) {
        self.sequence = sequence
        self.owner = owner
        self.epoch = epoch
    }

    /// Whether there is nothing to write.
    package var isEmpty: Bool {
        materializedThrough == nil && settledThrough == nil && outage == nil && workers == nil && changes.isEmpty
            && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && updates.isEmpty && attempts.isEmpty
    }

    /// How many rows it touches, about.
    package var count: Int {
        let changed = changes.reduce(0) {
            $0 + ($1.job == nil ? 0 : 1) + $1.withdrawals.count + $1.inserts.count + ($1.idempotencyKey == nil ? 0 : 1)
        }
        return changed + withdrawals.count + inserts.count + starts.count + updates.count + attempts.count
    }
}

/// How a batch ended.
package enum CommitResult: Sendable, Hashable {
    /// Durable. `notPending` are those of the batch's inserts (and of its changes' inserts) with status PENDING whose
    /// row existed before and is not PENDING: they must not be armed. What the batch itself withdraws again is left out.
    case committed(notPending: [ExecutionID])
    /// Owner or epoch did not match, or an earlier batch of the epoch is gone: nothing was written, and the lease is lost.
    case fenced
    /// The database refuses the data itself; nothing was written. `constraint` names what was violated, when it was one.
    case refused(message: String, constraint: String?)
}
