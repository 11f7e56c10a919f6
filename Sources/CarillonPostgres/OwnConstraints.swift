internal import CarillonCore

/// The constraints and unique indexes of our migrations that can refuse a row: unique ones and checks.
enum OwnConstraints {
    static let names: Set<String> = others.union(
        JobField.all.filter(\.isCheckedByDatabase).map { "jobs_\($0.column)_check" }
    )

    private static let others: Set<String> = [
        "jobs_pkey", "jobs_name_living", "jobs_namespace_check", "idempotency_keys_namespace_check",
        "job_executions_pkey", "job_executions_trigger_check",
        "job_executions_status_check", "execution_attempts_pkey", "idempotency_keys_pkey", "shards_pkey",
        "shards_shard_check", "shards_cluster_key_check", "standbys_pkey", "standbys_usable_workers_check",
    ]

    /// Whether a constraint is one of ours. A partition's key has the day in its name: `job_executions_20261120_pkey`.
    static func contain(_ name: String?) -> Bool {
        guard let name else { return false }
        if names.contains(name) { return true }
        let parts = name.split(separator: "_")
        guard parts.count == 4, parts[2].count == 8, parts[2].allSatisfy({ ("0"..."9").contains($0) }) else {
            return false
        }
        return names.contains("\(parts[0])_\(parts[1])_\(parts[3])")
    }

    /// Whether the tables of executions have a trigger, check, computed column or computed index that is not of our
    /// migrations. Any of those can raise an error of data for data that is in order.
    static let foreignRules = Statement(
        "foreign_rules",
        """
        WITH tables AS (
            SELECT c.oid FROM pg_class c
            JOIN pg_class p ON p.oid IN (
                to_regclass('shards'), to_regclass('job_executions'), to_regclass('execution_attempts'))
            WHERE c.oid = p.oid OR c.relnamespace = p.relnamespace AND c.relname ~ ('^' || p.relname || '_[0-9]{8}$')
        )
        SELECT EXISTS (
                SELECT FROM pg_trigger g JOIN tables t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal AND g.tgenabled <> 'D')
            OR EXISTS (
                SELECT FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
                WHERE k.contype = 'c' AND k.conname <> ALL ($1::text[]))
            OR EXISTS (
                SELECT FROM pg_index i JOIN tables t ON t.oid = i.indrelid
                WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
            OR EXISTS (
                SELECT FROM pg_attribute a JOIN tables t ON t.oid = a.attrelid WHERE a.attgenerated <> '')
        """
    )

    static var foreignRulesStep: Step {
        let parameters = Parameters()
        parameters.addArray(text: names.sorted()) { $0 }
        return Step(foreignRules, parameters)
    }
}

extension JobField {
    /// Whether the column has a CHECK in the migrations: what could not be read otherwise, and numbers that would do harm.
    fileprivate var isCheckedByDatabase: Bool {
        switch kind {
        case .word, .seconds: true
        case .integer(let range): range.lowerBound >= 0
        case .text(let limits): isNullable && limits.bytes?.lowerBound == 1
        case .time, .flag, .list, .map: false
        }
    }
}
