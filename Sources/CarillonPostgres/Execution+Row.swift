internal import CarillonCore

/// Conversion of executions to and from rows.
extension Execution {
    /// The selected columns, in the order in which `init(row:)` reads them. `e` is the table.
    static let columns = """
        e.execution_id, e.job_id, e.trigger, e.scheduled_time, e.status, e.reason, e.attempts, e.lost_attempts, \
        e.token_epoch, e.token_sequence, e.next_attempt_at, e.actual_start_time, e.finished_at, e.http_status, \
        e.duration_ms, e.drift_ms, e.response, e.error_message, e.worker, e.skipped_count, e.skipped_from, e.created_at, \
        e.claimed, e.token_incarnation, e.worker_boot_id
        """

    init(row: inout RowReader) {
        let id = ExecutionID(row.uuid() ?? .zero)
        let jobID = JobID(row.uuid() ?? .zero)
        let trigger = row.text().flatMap(Trigger.init(rawValue:)) ?? .schedule
        let scheduledTime = row.timestamp() ?? id.time
        let status = row.text().flatMap(ExecutionStatus.init(rawValue:)) ?? .unknown
        let reason = row.text().flatMap(Reason.init(rawValue:))
        let attempts = Int(row.integer() ?? 0)
        let lostAttempts = Int(row.integer() ?? 0)
        let token = DispatchToken(epoch: row.integer(), sequence: row.integer())
        self.init(
            id: id,
            jobID: jobID,
            trigger: trigger,
            scheduledTime: scheduledTime,
            status: status,
            reason: reason,
            attempts: attempts,
            lostAttempts: lostAttempts,
            token: token,
            createdAt: scheduledTime
        )
        nextAttemptAt = row.timestamp()
        actualStartTime = row.timestamp()
        finishedAt = row.timestamp()
        httpStatus = row.integer().map(Int.init)
        durationMicroseconds = row.double().map(Self.microseconds)
        driftMicroseconds = row.double().map(Self.microseconds)
        response = row.text()
        errorMessage = row.text()
        worker = row.text()
        skippedCount = row.integer()
        skippedFrom = row.timestamp()
        createdAt = row.timestamp() ?? scheduledTime
        isClaimed = row.bool() ?? false
        self.token?.incarnation = UInt64(bitPattern: row.integer() ?? 0)
        workerBootID = row.uuid()
    }

    static func microseconds(_ milliseconds: Double) -> Int64 {
        Int64(exactly: (milliseconds * 1_000).rounded()) ?? 0
    }

    static func milliseconds(_ microseconds: Int64?) -> Double? {
        microseconds.map { Double($0) / 1_000 }
    }

    /// Inserts PENDING rows of schedules, the most frequent case: nearly all columns have their default.
    static func insertPending(_ day: Day) -> Statement {
        Statement(
            "insert_pending_\(day.suffix)",
            """
            INSERT INTO job_executions_\(day.suffix) (execution_id, job_id, shard, scheduled_time, created_at)
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::timestamptz[], $5::timestamptz[])
            ON CONFLICT DO NOTHING
            """
        )
    }

    static func pendingParameters(_ rows: [Execution]) -> Parameters {
        let parameters = Parameters(capacity: rows.count * 76 + 128)
        parameters.addArray(uuid: rows) { $0.id.uuid }
        parameters.addArray(uuid: rows) { $0.jobID.uuid }
        parameters.addArray(smallint: rows) { Int16($0.jobID.shard) }
        parameters.addArray(timestamp: rows) { $0.scheduledTime }
        parameters.addArray(timestamp: rows) { $0.createdAt }
        return parameters
    }

    var isPlainPending: Bool {
        status == .pending && trigger == .schedule && reason == nil && attempts == 0 && token == nil
    }

    /// Inserts any other row.
    static func insert(_ day: Day) -> Statement {
        Statement(
            "insert_\(day.suffix)",
            """
            INSERT INTO job_executions_\(day.suffix) (
                execution_id, job_id, shard, trigger, scheduled_time, created_at, skipped_count, skipped_from,
                status, reason, attempts, lost_attempts, token_epoch, token_sequence, next_attempt_at,
                actual_start_time, finished_at, http_status, duration_ms, drift_ms, response, error_message, worker,
                token_incarnation)
            SELECT * FROM unnest(
                $1::uuid[], $2::uuid[], $3::smallint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                $7::bigint[], $8::timestamptz[], $9::text[], $10::text[], $11::integer[], $12::integer[],
                $13::bigint[], $14::bigint[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[],
                $18::integer[], $19::double precision[], $20::double precision[], $21::text[], $22::text[],
                $23::text[], $24::bigint[])
            ON CONFLICT DO NOTHING
            """
        )
    }

    static func insertParameters(_ rows: [Execution]) -> Parameters {
        let parameters = Parameters(capacity: rows.count * 320 + 512)
        parameters.addArray(uuid: rows) { $0.id.uuid }
        parameters.addArray(uuid: rows) { $0.jobID.uuid }
        parameters.addArray(smallint: rows) { Int16($0.jobID.shard) }
        parameters.addArray(name: rows) { $0.trigger.stored }
        parameters.addArray(timestamp: rows) { $0.scheduledTime }
        parameters.addArray(timestamp: rows) { $0.createdAt }
        parameters.addArray(bigint: rows) { $0.skippedCount }
        parameters.addArray(timestamp: rows) { $0.skippedFrom }
        addMutable(rows, to: parameters)
        return parameters
    }

    /// Updates rows and clears their claims. Only rows that are not final change, and UNKNOWN rows.
    static func update(_ day: Day) -> Statement {
        Statement(
            "update_\(day.suffix)",
            """
            UPDATE job_executions_\(day.suffix) e SET
                skipped_count = u.skipped_count, skipped_from = u.skipped_from, status = u.status, reason = u.reason,
                attempts = u.attempts, lost_attempts = u.lost_attempts, token_epoch = u.token_epoch,
                token_sequence = u.token_sequence, next_attempt_at = u.next_attempt_at,
                actual_start_time = u.actual_start_time, finished_at = u.finished_at, http_status = u.http_status,
                duration_ms = u.duration_ms, drift_ms = u.drift_ms, response = u.response,
                error_message = u.error_message, worker = u.worker, token_incarnation = u.token_incarnation,
                worker_boot_id = NULL, claimed = false
            FROM unnest(
                $1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::integer[], $7::integer[],
                $8::bigint[], $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[],
                $13::integer[], $14::double precision[], $15::double precision[], $16::text[], $17::text[],
                $18::text[], $19::bigint[])
                AS u(execution_id, skipped_count, skipped_from, status, reason, attempts, lost_attempts, token_epoch,
                    token_sequence, next_attempt_at, actual_start_time, finished_at, http_status, duration_ms,
                    drift_ms, response, error_message, worker, token_incarnation)
            WHERE e.execution_id = u.execution_id
                AND e.status IN ('PENDING', 'RUNNING', 'RETRYING', 'UNKNOWN')
            """
        )
    }

    static func updateParameters(_ rows: [Execution]) -> Parameters {
        let parameters = Parameters(capacity: rows.count * 256 + 512)
        parameters.addArray(uuid: rows) { $0.id.uuid }
        parameters.addArray(bigint: rows) { $0.skippedCount }
        parameters.addArray(timestamp: rows) { $0.skippedFrom }
        addMutable(rows, to: parameters)
        return parameters
    }

    /// The columns from status to token_incarnation.
    private static func addMutable(_ rows: [Execution], to parameters: Parameters) {
        parameters.addArray(name: rows) { $0.status.stored }
        parameters.addArray(text: rows) { $0.reason?.rawValue }
        parameters.addArray(integer: rows) { $0.attempts }
        parameters.addArray(integer: rows) { $0.lostAttempts }
        parameters.addArray(bigint: rows) { $0.token?.epoch }
        parameters.addArray(bigint: rows) { $0.token.map { Int64(bitPattern: $0.sequence) } }
        parameters.addArray(timestamp: rows) { $0.nextAttemptAt }
        parameters.addArray(timestamp: rows) { $0.actualStartTime }
        parameters.addArray(timestamp: rows) { $0.finishedAt }
        parameters.addArray(integer: rows) { $0.httpStatus }
        parameters.addArray(double: rows) { milliseconds($0.durationMicroseconds) }
        parameters.addArray(double: rows) { milliseconds($0.driftMicroseconds) }
        parameters.addArray(text: rows) { $0.response }
        parameters.addArray(text: rows) { $0.errorMessage }
        parameters.addArray(text: rows) { $0.worker }
        parameters.addArray(bigint: rows) { $0.token.map { Int64(bitPattern: $0.incarnation) } }
    }

    /// Deletes rows that are still PENDING.
    static func withdraw(_ day: Day) -> Statement {
        Statement(
            "withdraw_\(day.suffix)",
            """
            DELETE FROM job_executions_\(day.suffix) e USING unnest($1::uuid[]) AS u(execution_id)
            WHERE e.execution_id = u.execution_id AND e.status = 'PENDING'
            """
        )
    }
}

extension DispatchToken {
    /// `nil` unless both values are present.
    init?(epoch: Int64?, sequence: Int64?) {
        guard let epoch, let sequence else { return nil }
        self.init(epoch: epoch, sequence: UInt64(bitPattern: sequence))
    }
}

extension ExecutionStart {
    static func statement(_ day: Day) -> Statement {
        Statement(
            "start_\(day.suffix)",
            """
            UPDATE job_executions_\(day.suffix) e SET
                status = 'RUNNING', token_epoch = u.token_epoch, token_sequence = u.token_sequence,
                attempts = u.attempts, lost_attempts = u.lost_attempts, actual_start_time = u.actual_start_time,
                worker = u.worker, claimed = u.claimed, next_attempt_at = NULL,
                token_incarnation = u.token_incarnation, worker_boot_id = u.worker_boot_id
            FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[], $6::timestamptz[],
                $7::text[], $8::boolean[], $9::bigint[], $10::uuid[]) AS u(execution_id, token_epoch, token_sequence,
                attempts, lost_attempts, actual_start_time, worker, claimed, token_incarnation, worker_boot_id)
            WHERE e.execution_id = u.execution_id AND e.status IN ('PENDING', 'RUNNING', 'RETRYING')
            """
        )
    }

    static func parameters(_ rows: [ExecutionStart]) -> Parameters {
        let parameters = Parameters(capacity: rows.count * 120 + 256)
        parameters.addArray(uuid: rows) { $0.id.uuid }
        parameters.addArray(bigint: rows) { $0.token.epoch }
        parameters.addArray(bigint: rows) { Int64(bitPattern: $0.token.sequence) }
        parameters.addArray(integer: rows) { $0.attempts }
        parameters.addArray(integer: rows) { $0.lostAttempts }
        parameters.addArray(timestamp: rows) { $0.actualStartTime }
        parameters.addArray(text: rows) { $0.worker }
        parameters.addArray(bool: rows) { $0.isClaim }
        parameters.addArray(bigint: rows) { Int64(bitPattern: $0.token.incarnation) }
        parameters.addArray(optionalUUID: rows) { $0.workerBootID }
        return parameters
    }
}
