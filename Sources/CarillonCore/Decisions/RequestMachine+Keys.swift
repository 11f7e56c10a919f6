/// Idempotency keys: a request is executed at most once per key, and a repeated one gets the first result.
extension RequestMachine {
    /// Looks up the idempotency key first, if the request has one.
    ///
    /// - Parameter answer: the id of the object to create, if it is known now.
    mutating func beginOnce(
        _ requestID: RequestID,
        _ operation: String,
        _ key: String?,
        _ fingerprint: String?,
        answer: UniqueID,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        guard let key else { return try makeOnce(requestID, into: &actions) }
        guard !key.isEmpty, key.utf8.count <= 255 else {
            throw ClientError(
                .invalidArgument,
                "the idempotency key has \(key.utf8.count) bytes; 1 to 255 are allowed",
                errors: [FieldError(field: "idempotency_key", message: "must have 1 to 255 bytes")]
            )
        }
        let record = IdempotencyRecord(
            operation: operation,
            key: key,
            fingerprint: fingerprint ?? "",
            answer: answer,
            expiresAt: now + Self.keyLifetimeMs
        )
        guard keysInUse.insert(KeyName(record)).inserted else {
            throw ClientError(
                .unavailable,
                "a request with this idempotency key is in progress; wait for its answer",
                retryable: true,
                reason: .idempotencyKeyInUse
            )
        }
        openRequests[requestID]?.keyRecord = record
        read(requestID, .idempotencyKey(operation: operation, key: key), .readingKey, into: &actions)
    }

    mutating func keyRead(
        _ requestID: RequestID,
        _ found: IdempotencyRecord?,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        guard let asked = openRequests[requestID] else { return }
        guard let found else { return try makeOnce(requestID, into: &actions) }
        guard found.fingerprint == asked.keyRecord?.fingerprint else {
            throw ClientError(
                .alreadyExists,
                "this idempotency key was used for another request; use a new key for each request",
                reason: .idempotencyKeyReused
            )
        }
        switch asked.request {
        case .createJob:
            read(requestID, .job(JobID(found.answer)), .readingFirstResult, into: &actions)
        case .runJob(let job, _, _):
            read(requestID, .execution(ExecutionID(found.answer), of: job), .readingFirstResult, into: &actions)
        default:
            throw .unexpectedResult
        }
    }

    /// Executes the request: it has no key, or its key was not used before.
    private mutating func makeOnce(_ requestID: RequestID, into actions: inout [RequestAction]) throws(ClientError) {
        guard let asked = openRequests[requestID] else { return }
        switch asked.request {
        case .createJob:
            guard let draft = asked.draft else { throw .unexpectedResult }
            try requireLeading()
            change(requestID, .create(draft, asked.keyRecord), into: &actions)
        case .runJob(let job, _, _):
            try requireLeading()
            change(requestID, .run(job, asked.keyRecord, nonce: asked.nonce), into: &actions)
        default:
            throw .unexpectedResult
        }
    }

    /// Answers with the object that the first request with this key created.
    mutating func firstResultRead(
        _ requestID: RequestID,
        _ result: RequestReadResult,
        into actions: inout [RequestAction]
    ) throws(ClientError) {
        guard let asked = openRequests[requestID] else { return }
        switch (asked.request, result) {
        case (.createJob, .job(let job?)):
            finish(requestID, .job(job), into: &actions)
        case (.createJob, .job(nil)):
            throw ClientError(.notFound, "the job that the first request with this idempotency key created was removed")
        case (.runJob(let job, _, _), .execution(let execution, let failedAttempts)):
            guard let execution else {
                throw ClientError(
                    .notFound,
                    "the execution that the first request with this idempotency key started is older than the kept history of job \(job)"
                )
            }
            let answer = Answer.execution(execution, failedAttempts: failedAttempts, url: nil)
            finish(requestID, .answer(answer), into: &actions)
        default:
            throw .unexpectedResult
        }
    }
}
