internal import CarillonCore

/// Builds a statement from the conditions of a query. The statement's name identifies the combination of conditions, so that each
/// combination is prepared once in a session.
private struct Conditions {
    private(set) var name: String
    private(set) var texts: [String] = []
    let parameters = Parameters()

    init(_ name: String) {
        self.name = name
    }

    /// `$` denotes the parameter that `add` adds.
    mutating func add(_ mark: String, _ text: String, _ add: (Parameters) -> Void = { _ in }) {
        name += "_" + mark
        add(parameters)
        texts.append(
            text.split(separator: "$", omittingEmptySubsequences: false).joined(
                separator: "$\(parameters.byteRanges.count)"
            )
        )
    }

    var next: String { "$\(parameters.byteRanges.count + 1)" }
}

/// A page of jobs, newest first.
enum JobPage {
    static func statement(_ query: JobQuery) -> (Statement, Parameters) {
        var conditions = Conditions("jobs")
        conditions.add("living", "j.deleted_at IS NULL AND NOT j.hidden")
        if let active = query.active {
            conditions.add(active ? "active" : "inactive", active ? "j.active" : "NOT j.active")
        }
        if let name = query.name {
            conditions.add("name", "j.namespace = 'default' AND j.name = $::text") { $0.add(name) }
        }
        if let tag = query.tag { conditions.add("tag", "j.tags @> ARRAY[$::text]") { $0.add(tag) } }
        if let after = query.after { conditions.add("after", "j.job_id < $::uuid") { $0.add(after.uuid) } }
        if let status = query.lastStatus {
            // The last finished execution; for a status that is not final, the last execution.
            let isOver = status.isFinal ? "AND e.status NOT IN ('PENDING', 'RUNNING', 'RETRYING')" : ""
            conditions.add(
                status.isFinal ? "ended" : "last",
                """
                (SELECT e.status FROM job_executions e WHERE e.job_id = j.job_id \(isOver)
                ORDER BY e.execution_id DESC LIMIT 1) = $::text
                """
            ) { $0.add(status.rawValue) }
        }
        let sql = """
            SELECT \(Job.columns) FROM jobs j WHERE \(conditions.texts.joined(separator: " AND "))
            ORDER BY j.job_id DESC LIMIT \(conditions.next)::bigint
            """
        conditions.parameters.add(Int64(query.limit) + 1)
        return (Statement(conditions.name, sql), conditions.parameters)
    }
}

/// A page of executions, newest first.
enum ExecutionPage {
    /// The smallest id for a time, limited to the range of ids.
    static func bound(_ time: Timestamp) -> UniqueID {
        ExecutionID.first(at: Timestamp(milliseconds: min(max(0, time.milliseconds), 0xFFFF_FFFF_FFFF))).uuid
    }

    static func statement(_ query: ExecutionQuery) -> (Statement, Parameters) {
        var conditions = Conditions("executions")
        if let job = query.jobID { conditions.add("job", "e.job_id = $::uuid") { $0.add(job.uuid) } }
        if let from = query.from { conditions.add("from", "e.execution_id >= $::uuid") { $0.add(bound(from)) } }
        if let to = query.to { conditions.add("to", "e.execution_id < $::uuid") { $0.add(bound(to)) } }
        if let after = query.after { conditions.add("after", "e.execution_id < $::uuid") { $0.add(after.uuid) } }
        if !query.statuses.isEmpty {
            conditions.add("status", "e.status = ANY ($::text[])") { $0.addArray(name: query.statuses) { $0.stored } }
        }
        let filter = conditions.texts.isEmpty ? "" : "WHERE " + conditions.texts.joined(separator: " AND ")
        let sql = """
            SELECT \(Execution.columns) FROM job_executions e \(filter)
            ORDER BY e.execution_id DESC LIMIT \(conditions.next)::bigint
            """
        conditions.parameters.add(Int64(query.limit) + 1)
        return (Statement(conditions.name, sql), conditions.parameters)
    }
}

extension ExecutionStats {
    static let statement = Statement(
        "stats",
        """
        SELECT total, successes, failures, duration_avg, duration[1], duration[2], duration[3],
            drift_avg, drift[1], drift[2], drift[3]
        FROM (
            SELECT count(*) AS total,
                count(*) FILTER (WHERE status = 'SUCCESS') AS successes,
                count(*) FILTER (WHERE status IN ('FAILED', 'UNKNOWN')) AS failures,
                avg(duration_ms) AS duration_avg,
                percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms) AS duration,
                avg(drift_ms) AS drift_avg,
                percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY drift_ms) AS drift
            FROM job_executions
            WHERE job_id = $1::uuid AND execution_id >= $2::uuid AND execution_id < $3::uuid
        ) figures
        """
    )

    init(row: inout RowReader) {
        self.init()
        total = row.integer() ?? 0
        successes = row.integer() ?? 0
        failures = row.integer() ?? 0
        duration = Self.summary(&row)
        drift = Self.summary(&row)
    }

    /// Converts milliseconds of the database to microseconds.
    private static func summary(_ row: inout RowReader) -> Summary? {
        let values = (row.double(), row.double(), row.double(), row.double())
        guard let average = values.0, let p50 = values.1, let p95 = values.2, let p99 = values.3 else { return nil }
        return Summary(average: average * 1_000, p50: p50 * 1_000, p95: p95 * 1_000, p99: p99 * 1_000)
    }
}
