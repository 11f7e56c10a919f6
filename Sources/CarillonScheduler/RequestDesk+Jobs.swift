internal import CarillonCore
internal import CarillonSystem
internal import CarillonWire
internal import Synchronization

/// Requests that make and change jobs.
extension RequestDesk {
    /// How long an idempotency key is remembered.
    private var keyLifetimeMs: Int64 { 86_400_000 }

    func create(_ settings: JobSettings, key: String?, fingerprint: String?) async throws(ClientError) -> Answer {
        try requireLeading()
        let planned = try rules.make(settings, id: newID())
        return try await once("create_job", key, fingerprint, answer: planned.job.id.uuid) {
            record throws(ClientError) in
            guard case .job(let job) = try await change(.create(planned, record)) else { throw unexpected() }
            return .job(view(job))
        } again: { answer throws(ClientError) in
            let id = JobID(answer)
            guard let job = try await find(id) else { throw noSuchJob(id) }
            return .job(view(job))
        }
    }

    func update(_ id: JobID, _ settings: JobSettings, ifVersion: [Int64]) async throws(ClientError) -> Answer {
        // Nothing is asked for: nothing changes, and the version of others stays good.
        if settings == JobSettings(), ifVersion.isEmpty { return .job(view(try await job(id))) }
        return try await changing(id, ifVersion: ifVersion) { job throws(ClientError) in
            let (planned, restarts) = try rules.change(job, by: settings)
            return .update(planned, scheduleChanged: restarts)
        }
    }

    func setActive(_ id: JobID, _ isActive: Bool) async throws(ClientError) -> Answer {
        try requireLeading()
        let job = try await job(id)
        if job.active == isActive { return .job(view(job)) }
        return try await changing(id, ifVersion: []) { job throws(ClientError) in
            var changed = job
            changed.version += 1
            return isActive ? .resume(rules.planned(changed)) : .pause(changed)
        }
    }

    func delete(_ id: JobID, ifVersion: [Int64]) async throws(ClientError) -> Answer {
        try await changing(id, ifVersion: ifVersion) { job throws(ClientError) in
            var changed = job
            changed.version += 1
            return .delete(changed)
        }
    }

    /// Reads a job, makes a change of it, and does so again when somebody else was quicker.
    private func changing(
        _ id: JobID,
        ifVersion: [Int64],
        _ make: (Job) throws(ClientError) -> ChangeRequest
    ) async throws(ClientError) -> Answer {
        for attempt in 0..<50 {
            try requireLeading()
            let job = try await job(id)
            if !ifVersion.isEmpty, !ifVersion.contains(job.version) {
                let named = ifVersion.prefix(10).map(String.init).joined(separator: " or ")
                throw ClientError(
                    .failedPrecondition,
                    "the job has version \(job.version), not \(named): somebody changed it; read it again",
                    reason: .versionMismatch
                )
            }
            switch try await change(make(job)) {
            case .job(let job): return .job(view(job))
            case .deleted(let id): return .deleted(id)
            case .stale: await settle(job, attempt)
            default: throw unexpected()
            }
        }
        throw ClientError(.unavailable, "the job is being changed by others all the time; try again")
    }

    /// The row is not what the dispatcher has in memory: somebody else was quicker, or changed it by hand in SQL. It is told
    /// of what was read, and the change is made anew in a moment.
    private func settle(_ job: Job, _ attempt: Int) async {
        pump.post(.jobsRefreshed([rules.planned(job)]))
        try? await Task.sleep(for: .milliseconds(2 + attempt))
    }

    func run(_ id: JobID, key: String?, fingerprint: String?) async throws(ClientError) -> Answer {
        try requireLeading()
        return try await once("run_job", key, fingerprint, answer: .zero) { record throws(ClientError) in
            for attempt in 0..<50 {
                let job = try await job(id)
                switch try await change(.run(job, record, nonce: newNonce())) {
                case .execution(let execution): return .execution(execution, failedAttempts: [], url: nil)
                case .stale: await settle(job, attempt)
                default: throw unexpected()
                }
            }
            throw noSuchJob(id)
        } again: { answer throws(ClientError) in
            try await execution(ExecutionID(answer), of: id)
        }
    }

    func executeNow(_ settings: JobSettings, wait: Bool) async throws(ClientError) -> Answer {
        try requireLeading()
        var settings = settings
        // Whoever waits wants the target's answer, not that of its fourth attempt.
        if wait, settings.maxRetries == nil { settings.maxRetries = 0 }
        let planned = try rules.makeHidden(settings, id: newID())
        let request = ChangeRequest.executeNow(planned, wait: wait, nonce: newNonce())
        guard case .execution(let execution) = try await change(request) else { throw unexpected() }
        return .execution(execution, failedAttempts: [], url: planned.job.call.url)
    }

    func refresh() async throws(ClientError) -> Answer {
        try requireLeading()
        guard await refresher.refreshNow() else {
            throw ClientError(.unavailable, "the database could not be read; try again")
        }
        return .scheduleRefreshed(status: "SCHEDULE_REFRESHED", jobs: Int64(status.current.jobs))
    }

    private func unexpected() -> ClientError {
        ClientError(.internal, "the scheduler answered something that does not fit the request")
    }

    /// Does a request at most once for each idempotency key; a repeated one gets the answer of the first.
    private func once(
        _ operation: String,
        _ key: String?,
        _ fingerprint: String?,
        answer: UniqueID,
        do first: (IdempotencyRecord?) async throws(ClientError) -> Answer,
        again: (UniqueID) async throws(ClientError) -> Answer
    ) async throws(ClientError) -> Answer {
        guard let key else { return try await first(nil) }
        guard !key.isEmpty, key.utf8.count <= 255 else {
            throw ClientError(
                .invalidArgument,
                "the idempotency key has \(key.utf8.count) bytes; 1 to 255 are allowed",
                errors: [FieldError(field: "idempotency_key", message: "must have 1 to 255 bytes")]
            )
        }
        let name = "\(operation):\(key)"
        guard keysInUse.withLock({ $0.insert(name).inserted }) else {
            throw ClientError(
                .unavailable,
                "a request with this idempotency key is being done; wait for its answer",
                retryable: true,
                reason: .idempotencyKeyInUse
            )
        }
        defer { _ = keysInUse.withLock { $0.remove(name) } }
        let fingerprint = fingerprint ?? ""
        if let record = try await idempotencyRecord(operation, key) {
            guard record.fingerprint == fingerprint else {
                throw ClientError(
                    .alreadyExists,
                    "this idempotency key was used for another request; use a new key for a new request",
                    reason: .idempotencyKeyReused
                )
            }
            return try await again(record.answer)
        }
        return try await first(
            IdempotencyRecord(
                operation: operation,
                key: key,
                fingerprint: fingerprint,
                answer: answer,
                expiresAt: status.clusterTime() + keyLifetimeMs
            )
        )
    }

    private func idempotencyRecord(_ operation: String, _ key: String) async throws(ClientError) -> IdempotencyRecord? {
        let answer = await withCheckedContinuation { continuation in
            store.submit(.findIdempotencyKey(operation: operation, key: key)) { continuation.resume(returning: $0) }
        }
        guard case .idempotencyRecord(let record) = answer else {
            throw ClientError(.unavailable, "the database could not be asked for the idempotency key; try again")
        }
        return record
    }
}
