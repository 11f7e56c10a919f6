/// One dispatched attempt, with everything that the worker needs to make the call.
package struct DispatchedCall: Sendable, Hashable {
    package var token: DispatchToken
    /// The scheduler's authentication code of the token. The worker repeats it in every report of the call.
    package var code: AuthenticationCode
    package var shard: UInt8
    package var executionID: ExecutionID
    package var jobID: JobID
    /// From 1.
    package var attempt: Int
    package var scheduledTime: Timestamp
    /// How long the worker waits after the receipt before it sends the request.
    package var startAfterMicroseconds: UInt64
    /// The call must start before the worker's monotonic clock reaches this value, in microseconds.
    package var startBeforeClockMicroseconds: UInt64?
    package var kind: CallKind
    package var timeoutMs: Int
    package var connectTimeoutMs: Int
    package var atMostOnce: Bool
    /// How many bytes of the response body are kept.
    package var responseLimit: Int

    package init(
        token: DispatchToken,
        code: AuthenticationCode = .zero,
        shard: UInt8,
        executionID: ExecutionID,
        jobID: JobID,
        attempt: Int,
        scheduledTime: Timestamp,
        startAfterMicroseconds: UInt64 = 0,
        startBeforeClockMicroseconds: UInt64? = nil,
        kind: CallKind,
        timeoutMs: Int,
        connectTimeoutMs: Int,
        atMostOnce: Bool,
        responseLimit: Int
    ) {
        self.token = token
        self.code = code
        self.shard = shard
        self.executionID = executionID
        self.jobID = jobID
        self.attempt = attempt
        self.scheduledTime = scheduledTime
        self.startAfterMicroseconds = startAfterMicroseconds
        self.startBeforeClockMicroseconds = startBeforeClockMicroseconds
        self.kind = kind
        self.timeoutMs = timeoutMs
        self.connectTimeoutMs = connectTimeoutMs
        self.atMostOnce = atMostOnce
        self.responseLimit = responseLimit
    }
}

/// How an attempt ended.
package enum OutcomeKind: Sendable, Hashable, CaseIterable {
    /// An HTTP response arrived, with any status.
    case answered
    /// No response; the request may have been sent.
    case failed
    /// No response, and no byte of the request was sent.
    case notSent
    /// The call never started; it costs no attempt.
    case notStarted
    /// A Cancel message stopped the call.
    case cancelled
    /// The worker started this attempt earlier under another token and does not know the outcome.
    case unknown
}

/// A worker's report of one attempt.
package struct CallOutcome: Sendable, Hashable {
    package var token: DispatchToken
    /// The code from the dispatch.
    package var code: AuthenticationCode
    /// The shard of the dispatch.
    package var shard: UInt8
    package var executionID: ExecutionID
    package var jobID: JobID
    package var attempt: Int
    package var kind: OutcomeKind
    /// Microseconds from the receipt of the dispatch to the hand-over of the request to the HTTP client.
    package var startedAfterMicroseconds: UInt64
    package var durationMicroseconds: UInt64
    package var httpStatus: Int?
    package var response: String?
    package var errorMessage: String?
    package var retryAfterMs: UInt64?
    /// The cluster time of the dispatch. With `startedAfterMicroseconds` it gives the start time of the call.
    package var dispatchTime: Timestamp?
    /// The worker's monotonic clock when the request was handed to the HTTP client, in microseconds.
    package var startedClockMicroseconds: UInt64?

    package init(
        token: DispatchToken,
        code: AuthenticationCode = .zero,
        shard: UInt8,
        executionID: ExecutionID,
        jobID: JobID,
        attempt: Int,
        kind: OutcomeKind,
        startedAfterMicroseconds: UInt64 = 0,
        durationMicroseconds: UInt64 = 0,
        httpStatus: Int? = nil,
        response: String? = nil,
        errorMessage: String? = nil,
        retryAfterMs: UInt64? = nil,
        dispatchTime: Timestamp? = nil,
        startedClockMicroseconds: UInt64? = nil
    ) {
        self.token = token
        self.code = code
        self.shard = shard
        self.executionID = executionID
        self.jobID = jobID
        self.attempt = attempt
        self.kind = kind
        self.startedAfterMicroseconds = startedAfterMicroseconds
        self.durationMicroseconds = durationMicroseconds
        self.httpStatus = httpStatus
        self.response = response
        self.errorMessage = errorMessage
        self.retryAfterMs = retryAfterMs
        self.dispatchTime = dispatchTime
        self.startedClockMicroseconds = startedClockMicroseconds
    }
}

/// A call that a worker is running, as it reports to a new leader.
package struct HeldCall: Sendable, Hashable {
    package var token: DispatchToken
    /// The code from the dispatch.
    package var code: AuthenticationCode
    /// The shard of the dispatch.
    package var shard: UInt8
    package var executionID: ExecutionID
    package var jobID: JobID
    package var attempt: Int

    package init(
        token: DispatchToken,
        code: AuthenticationCode = .zero,
        shard: UInt8,
        executionID: ExecutionID,
        jobID: JobID,
        attempt: Int
    ) {
        self.token = token
        self.code = code
        self.shard = shard
        self.executionID = executionID
        self.jobID = jobID
        self.attempt = attempt
    }
}
