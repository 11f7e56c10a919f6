internal import CarillonCore

/// Conversion of failed attempts to and from rows.
extension Attempt {
    /// The selected columns, in the order in which `init(row:)` reads them.
    static let columns = """
        execution_id, attempt, token_epoch, token_sequence, started_at, finished_at, duration_ms, http_status, \
        response, error_message, worker
        """

    init(row: inout RowReader) {
        let id = ExecutionID(row.uuid() ?? .zero)
        let number = Int(row.integer() ?? 0)
        let token = DispatchToken(epoch: row.integer(), sequence: row.integer())
        let started = row.timestamp() ?? id.time
        self.init(
            executionID: id,
            number: number,
            token: token ?? DispatchToken(epoch: 0, sequence: 0),
            startedAt: started,
            finishedAt: row.timestamp() ?? started,
            durationMicroseconds: Execution.microseconds(row.double() ?? 0),
            httpStatus: row.integer().map(Int.init),
            response: row.text(),
            errorMessage: row.text(),
            worker: row.text()
        )
    }

    static func insert(_ day: Day) -> Statement {
        Statement(
            "attempts_\(day.suffix)",
            """
            INSERT INTO execution_attempts_\(day.suffix) (\(columns))
            SELECT * FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::timestamptz[],
                $6::timestamptz[], $7::double precision[], $8::integer[], $9::text[], $10::text[], $11::text[])
            ON CONFLICT DO NOTHING
            """
        )
    }

    static func parameters(_ rows: [Attempt]) -> Parameters {
        let parameters = Parameters(capacity: rows.count * 200 + 256)
        parameters.addArray(uuid: rows) { $0.executionID.uuid }
        parameters.addArray(integer: rows) { $0.number }
        parameters.addArray(bigint: rows) { $0.token.epoch }
        parameters.addArray(bigint: rows) { Int64(bitPattern: $0.token.sequence) }
        parameters.addArray(timestamp: rows) { $0.startedAt }
        parameters.addArray(timestamp: rows) { $0.finishedAt }
        parameters.addArray(double: rows) { Execution.milliseconds($0.durationMicroseconds) }
        parameters.addArray(integer: rows) { $0.httpStatus }
        parameters.addArray(text: rows) { $0.response }
        parameters.addArray(text: rows) { $0.errorMessage }
        parameters.addArray(text: rows) { $0.worker }
        return parameters
    }
}
