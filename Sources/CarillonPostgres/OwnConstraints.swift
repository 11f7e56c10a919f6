internal import CarillonCore

/// The unique constraints, unique indexes and checks of the migrations, which can refuse a row.
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

    /// Whether a constraint belongs to Carillon. The key of a partition has the day in its name: `job_executions_20261120_pkey`.
    static func contain(_ name: String?) -> Bool {
        guard let name else { return false }
        if names.contains(name) { return true }
        let parts = name.split(separator: "_")
        guard parts.count == 4, parts[2].count == 8, parts[2].allSatisfy({ ("0"..."9").contains($0) }) else {
            return false
        }
        return names.contains("\(parts[0])_\(parts[1])_\(parts[3])")
    }

    /// Whether the tables of executions have a trigger, check, generated column or computed index that the migrations did not create.
    /// Each of them can raise a data error for valid data.
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
    /// Whether the migrations define a CHECK for the column: for values that could not be read, and harmful numbers.
    fileprivate var isCheckedByDatabase: Bool {
        switch kind {
        case .word, .seconds: true
        case .integer(let range): range.lowerBound >= 0
        case .text(let limits): isNullable && limits.bytes?.lowerBound == 1
        case .time, .flag, .list, .map: false
        }
    }
}
