internal import CarillonCore
internal import Logging

/// Creates the partitions of the coming week, and drops old partitions without open executions. Also deletes expired idempotency keys,
/// and ad-hoc jobs without remaining executions.
struct Maintenance {
    let keeper: SessionKeeper
    let context: StoreContext

    private static let today = Statement("today", "SELECT clock_timestamp()")
    private static let deleteKeys = Statement(
        "delete_keys",
        "DELETE FROM idempotency_keys WHERE expires_at <= clock_timestamp()"
    )
    /// The days that have tables, attached or left from an incomplete detachment.
    private static let listDays = Statement(
        "list_days",
        """
        SELECT c.relname::text, p.relname::text, i.inhdetachpending
        FROM pg_class p
        JOIN pg_class c ON c.relnamespace = p.relnamespace AND c.relkind = 'r' AND c.relname ~ ('^' || p.relname || '_[0-9]{8,}$')
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = p.oid
        WHERE p.oid IN ('job_executions'::regclass, 'execution_attempts'::regclass)
        ORDER BY p.relname DESC, c.relname
        """
    )

    func run(retainFrom: Timestamp?) throws(DatabaseError) {
        guard let now = try run([Step(Self.today)]).first.flatMap({ $0[0].timestamp(0) }) else { return }
        let today = Day(of: now)
        for ahead in -1...7 {
            _ = try run([BatchCommit.makeDayStep(Day(number: today.number + Int64(ahead)))])
        }
        _ = try run([Step(Self.deleteKeys)])
        try warnOfAsynchronousStandbys()
        guard let retainFrom else { return }
        let first = Day(of: min(retainFrom, now))
        try drop(before: first)
        try deleteAdHocJobs(before: first)
    }

    /// Whether a fail-over can lose claims of AT_MOST_ONCE calls. Every role can see the number of standbys.
    private static let asynchronousStandbys = Statement(
        "asynchronous_standbys",
        """
        SELECT EXISTS (SELECT FROM pg_stat_replication)
            AND (current_setting('synchronous_standby_names') = '' OR current_setting('synchronous_commit') IN ('off', 'local'))
            AND EXISTS (SELECT FROM jobs WHERE execution_type = 'AT_MOST_ONCE' AND active AND deleted_at IS NULL)
        """
    )

    private func warnOfAsynchronousStandbys() throws(DatabaseError) {
        guard try run([Step(Self.asynchronousStandbys)]).first?[0].bool(0) == true else { return }
        context.logger.warning(
            "AT_MOST_ONCE jobs with asynchronous standbys: a fail-over can lose claims and repeat calls; set synchronous_standby_names"
        )
    }

    /// An ad-hoc job has only executions after its creation, and its id starts with that time.
    private static let deleteAdHocJobs = Statement(
        "delete_hidden",
        """
        DELETE FROM jobs j WHERE j.hidden AND j.job_id < $1::uuid
            AND NOT EXISTS (SELECT FROM job_executions e WHERE e.job_id = j.job_id)
        """
    )

    private func deleteAdHocJobs(before first: Day) throws(DatabaseError) {
        let parameters = Parameters()
        parameters.add(ExecutionID.first(at: Timestamp(milliseconds: first.number * 86_400_000)).uuid)
        // A trigger turns the first DELETE into a mark, as for a manual DELETE, and permits the second.
        let step = Step(Self.deleteAdHocJobs, parameters)
        _ = try run([step, step])
    }

    /// Drops the partitions of all days before `first`. The executions of a day are dropped first, because attempts without executions
    /// are not shown, but executions without attempts would be misleading.
    private func drop(before first: Day) throws(DatabaseError) {
        guard let result = try run([Step(Self.listDays)]).first else { return }
        let found = result.map { row in (table: row.text() ?? "", parent: row.text() ?? "", isPending: row.bool()) }
        var kept: Set<String> = []
        for (table, parent, isPending) in found {
            let suffix = String(table.dropFirst(parent.count + 1))
            // Names of equal length sort by day.
            guard suffix.count == first.suffix.count, suffix < first.suffix, !kept.contains(suffix) else { continue }
            if parent == "job_executions", try hasOpenRow(table) {
                kept.insert(suffix)
                context.logger.warning(
                    "old partition has open executions; keeping it",
                    metadata: ["partition": "\(table)"]
                )
                continue
            }
            if isPending == false {
                // CONCURRENTLY blocks neither readers nor writers; dropping an attached partition would lock its parent.
                try command("detach_\(table)", "ALTER TABLE \(parent) DETACH PARTITION \(table) CONCURRENTLY")
            } else if isPending == true {
                try command("finalize_\(table)", "ALTER TABLE \(parent) DETACH PARTITION \(table) FINALIZE")
            }
            try command("drop_\(table)", "DROP TABLE \(table)")
            context.logger.info("old partition dropped", metadata: ["partition": "\(table)"])
        }
    }

    private func hasOpenRow(_ table: String) throws(DatabaseError) -> Bool {
        let statement = Statement(
            "open_\(table)",
            "SELECT EXISTS (SELECT FROM \(table) WHERE status IN ('PENDING', 'RUNNING', 'RETRYING'))"
        )
        return try run([Step(statement)]).first?[0].bool(0) ?? true
    }

    /// PostgreSQL truncates statement names to 63 bytes, within which the name must be unique.
    private func command(_ name: String, _ sql: String) throws(DatabaseError) {
        _ = try run([Step(Statement(name, sql))])
    }

    private func run(_ steps: [Step]) throws(DatabaseError) -> [QueryResult] {
        try keeper.run(steps, .progress(context.watch))
    }
}
