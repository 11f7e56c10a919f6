/// One occurrence of a job: a row of `job_executions`.
package struct Execution: Sendable, Hashable {
    package var id: ExecutionID
    package var jobID: JobID
    package var trigger: Trigger
    package var scheduledTime: Timestamp
    package var status: ExecutionStatus
    package var reason: Reason?
    /// Started attempts that count against the job's retries.
    package var attempts: Int
    /// Attempts lost with their worker; they do not count against the job's retries.
    package var lostAttempts: Int
    package var token: DispatchToken?
    /// Whether the execution is claimed: its row was RUNNING before its only request was sent. A claim stays until the
    /// row records that the request was not sent, even if the job's type changes.
    package var isClaimed = false
    package var nextAttemptAt: Timestamp?
    package var actualStartTime: Timestamp?
    package var finishedAt: Timestamp?
    package var httpStatus: Int?
    /// The duration of the last attempt.
    package var durationMicroseconds: Int64?
    /// The actual start of the first attempt minus the scheduled time.
    package var driftMicroseconds: Int64?
    package var response: String?
    package var errorMessage: String?
    package var worker: String?
    /// For a claim: the boot id of the worker process that received the call.
    package var workerBootID: UniqueID?
    /// For a SKIPPED row that covers several due times: their number and the first one (`scheduledTime` is the last).
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

/// One failed HTTP call of an execution: a row of `execution_attempts`.
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
