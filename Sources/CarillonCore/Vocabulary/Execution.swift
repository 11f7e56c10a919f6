/// The life of one occurrence, as its row in `job_executions` tells it.
package struct Execution: Sendable, Hashable {
    package var id: ExecutionID
    package var jobID: JobID
    package var trigger: Trigger
    package var scheduledTime: Timestamp
    package var status: ExecutionStatus
    package var reason: Reason?
    /// Attempts begun that count against the job's retries.
    package var attempts: Int
    /// Attempts that were lost with their worker; they do not count against the job's retries.
    package var lostAttempts: Int
    package var token: DispatchToken?
    /// Claimed: its row said RUNNING before the only request that may be made of it was sent. That holds, whatever its job
    /// says since, until the row says that this request was not sent.
    package var isClaimed = false
    package var nextAttemptAt: Timestamp?
    package var actualStartTime: Timestamp?
    package var finishedAt: Timestamp?
    package var httpStatus: Int?
    /// Of the last attempt.
    package var durationMicroseconds: Int64?
    /// Actual start of the first attempt less the scheduled time.
    package var driftMicroseconds: Int64?
    package var response: String?
    package var errorMessage: String?
    package var worker: String?
    /// Of a claim: the worker's process that the request was given to.
    package var workerBootID: UniqueID?
    /// A SKIPPED row that stands for several due times: how many, and the first of them (`scheduledTime` is the last).
    package var skippedCount: Int64?
    package var skippedFrom: Timestamp?
    package var createdAt: Timestamp

    package init(
        id: ExecutionID,
        jobID: JobID,
        trigger: Trigger,
        scheduledTime: Timestamp,
        status: ExecutionStatus,
        reason: Reason? = nil,
        attempts: Int = 0,
        lostAttempts: Int = 0,
        token: DispatchToken? = nil,
        createdAt: Timestamp
    ) {
        self.id = id
        self.jobID = jobID
        self.trigger = trigger
        self.scheduledTime = scheduledTime
        self.status = status
        self.reason = reason
        self.attempts = attempts
        self.lostAttempts = lostAttempts
        self.token = token
        self.createdAt = createdAt
    }
}

/// One failed HTTP call of an execution, as its row in `execution_attempts` tells it.
package struct Attempt: Sendable, Hashable {
    package var executionID: ExecutionID
    package var number: Int
    package var token: DispatchToken
    package var startedAt: Timestamp
    package var finishedAt: Timestamp
    package var durationMicroseconds: Int64
    package var httpStatus: Int?
    package var response: String?
    package var errorMessage: String?
    package var worker: String?

    package init(
        executionID: ExecutionID,
        number: Int,
        token: DispatchToken,
        startedAt: Timestamp,
        finishedAt: Timestamp,
        durationMicroseconds: Int64,
        httpStatus: Int?,
        response: String?,
        errorMessage: String?,
        worker: String?
    ) {
        self.executionID = executionID
        self.number = number
        self.token = token
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.durationMicroseconds = durationMicroseconds
        self.httpStatus = httpStatus
        self.response = response
        self.errorMessage = errorMessage
        self.worker = worker
    }
}
