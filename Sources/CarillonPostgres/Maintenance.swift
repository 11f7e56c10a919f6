internal import CarillonCore
internal import Logging

/// Keeps the partitions in order: the coming week is made, days that are old enough are dropped whole, never with an open
/// row in them; expired idempotency keys are deleted, and with its history the ad-hoc job of a single call.
struct Maintenance {
    let keeper: SessionKeeper
    let context: StoreContext

    private static let today = Statement("today", "SELECT clock_timestamp()")
    private static let deleteKeys = Statement(
        "delete_keys",
        "DELETE FROM idempotency_keys WHERE expires_at <= clock_timestamp()"
    )
    /// The days whose tables are there, whether attached or left over from a detachment that was not brought to its end.
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

    /// Whether a fail-over can lose the claims of AT_MOST_ONCE calls. The number of standbys is visible to every role.
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
            "AT_MOST_ONCE jobs with asynchronous standbys: a fail-over can lose claims, so that calls are repeated; set synchronous_standby_names"
        )
    }

    /// An ad-hoc job has executions only from when it was made, and its id begins with that time.
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
        // The table's trigger makes of the first DELETE a mark, as of one by hand, and lets the second one through.
        let step = Step(Self.deleteAdHocJobs, parameters)
        _ = try run([step, step])
    }

    /// Drops the partitions of all days before `first`. The executions of a day go first: attempts without their
    /// execution are of no use, an execution without its attempts would tell half the truth.
    private func drop(before first: Day) throws(DatabaseError) {
        guard let result = try run([Step(Self.listDays)]).first else { return }
        let found = result.map { row in (table: row.text() ?? "", parent: row.text() ?? "", isPending: row.bool()) }
        var kept: Set<String> = []
        for (table, parent, isPending) in found {
            let suffix = String(table.dropFirst(parent.count + 1))
            // Names of the same length are ordered as their days are.
            guard suffix.count == first.suffix.count, suffix < first.suffix, !kept.contains(suffix) else { continue }
            if parent == "job_executions", try hasOpenRow(table) {
                kept.insert(suffix)
                context.logger.warning(
                    "an old day has open executions, keeping it",
                    metadata: ["partition": "\(table)"]
                )
                continue
            }
            if isPending == false {
                // Nobody who reads or writes has to wait; a drop of an attached partition would lock its parent.
                try command("detach_\(table)", "ALTER TABLE \(parent) DETACH PARTITION \(table) CONCURRENTLY")
            } else if isPending == true {
                try command("finalize_\(table)", "ALTER TABLE \(parent) DETACH PARTITION \(table) FINALIZE")
            }
            try command("drop_\(table)", "DROP TABLE \(table)")
            context.logger.info("dropped an old day", metadata: ["partition": "\(table)"])
        }
    }

    private func hasOpenRow(_ table: String) throws(DatabaseError) -> Bool {
        let statement = Statement(
            "open_\(table)",
            "SELECT EXISTS (SELECT FROM \(table) WHERE status IN ('PENDING', 'RUNNING', 'RETRYING'))"
        )
        return try run([Step(statement)]).first?[0].bool(0) ?? true
    }

    /// PostgreSQL keeps 63 bytes of a statement's name: it must be told apart by them.
    private func command(_ name: String, _ sql: String) throws(DatabaseError) {
        _ = try run([Step(Statement(name, sql))])
    }

    private func run(_ steps: [Step]) throws(DatabaseError) -> [QueryResult] {
        try keeper.run(steps, .progress(context.watch))
    }
}
