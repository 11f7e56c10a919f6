internal import CarillonCore

/// Reads of single rows.
extension StoreLoader {
    private static let keyStatement = Statement(
        "find_key",
        """
        SELECT operation, key, fingerprint, answer, expires_at FROM idempotency_keys
        WHERE namespace = 'default' AND operation = $1::text AND key = $2::text AND expires_at > clock_timestamp()
        """
    )

    func findKey(
        _ operation: String,
        _ key: String,
        _ keeper: SessionKeeper
    ) throws(DatabaseError) -> IdempotencyRecord? {
        let parameters = Parameters()
        parameters.add(operation)
        parameters.add(key)
        return try read(Step(Self.keyStatement, parameters), keeper)?.map { row in
            IdempotencyRecord(
                operation: row.text() ?? "",
                key: row.text() ?? "",
                fingerprint: row.text() ?? "",
                answer: row.uuid() ?? .zero,
                expiresAt: row.timestamp() ?? .distantPast
            )
        }.first
    }

    private static let executionStatement = Statement(
        "find_execution",
        "SELECT \(Execution.columns) FROM job_executions e WHERE e.execution_id = $1::uuid"
    )

    func findExecution(_ id: ExecutionID, _ keeper: SessionKeeper) throws(DatabaseError) -> Execution? {
        let parameters = Parameters()
        parameters.add(id.uuid)
        return try read(Step(Self.executionStatement, parameters), keeper)?.map { Execution(row: &$0) }.first
    }
}
