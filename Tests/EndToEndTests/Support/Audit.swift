import CarillonCore
import Synchronization
import Testing

/// The result of a scenario: compares the rows with the due times, and with the calls that the target received.
struct Audit: CustomStringConvertible {
    var due = 0
    var executed = 0
    var late = 0
    var worstDriftMs = 0.0
    /// The longest time without a call.
    var longestSilenceMs = 0.0
    /// The time from the loss of the leader to the first call of the new leader.
    var takeOverMs: Double?

    var mostCallsInASecond = 0
    /// The number of rows by status.
    var statuses: [String: Int] = [:]

    var missing: [String] = []
    var doubled: [String] = []
    /// AT_LEAST_ONCE executions that neither succeeded nor used all attempts, and were not skipped or cancelled.
    var givenUp: [String] = []
    var calls = CallAudit(of: [], rows: [:])

    var repeatedCalls: Int { calls.repeatedCalls }

    var description: String {
        "due \(due), executed \(executed), late \(late), worst \(Int(worstDriftMs)) ms, repeated \(repeatedCalls), "
            + "silence \(Int(longestSilenceMs)) ms" + (takeOverMs.map { ", take-over \(Int($0)) ms" } ?? "")
    }

    /// Expects no missing or duplicate rows, no AT_MOST_ONCE call made twice, no call without a row, and no success
    /// without a call.
    func expectWhole(_ location: SourceLocation = #_sourceLocation) {
        #expect(
            missing.isEmpty,
            "missing rows: \(missing.count), such as \(missing.prefix(3))",
            sourceLocation: location
        )
        #expect(doubled.isEmpty, "due times with two rows: \(doubled.prefix(3))", sourceLocation: location)
        calls.expectWhole(location)
        #expect(
            givenUp.isEmpty,
            "AT_LEAST_ONCE executions without retries: \(givenUp.prefix(3))",
            sourceLocation: location
        )
    }

    /// Audits a load that has ended: every whole second between a job's start and its pause is due.
    ///
    /// - Parameter timesCameTwice: the clock was set forward and back; due times that were skipped as missed were due
    ///   again and ran.
    static func of(_ load: Load, timesCameTwice: Bool = false) throws -> Audit {
        var audit = Audit()
        let system = load.system
        struct Row {
            var id: String
            var second: Int
            var from: Int
            var status: String
            var driftMs: Double?
            var attempts: Int
            var lostAttempts: Int
            var isRange: Bool
        }
        let text = try system.psql(
            """
            SELECT execution_id, job_id, round(extract(epoch FROM scheduled_time))::bigint,
                round(extract(epoch FROM coalesce(skipped_from, scheduled_time)))::bigint, status, coalesce(drift_ms::text, ''),
                attempts, lost_attempts, skipped_count IS NOT NULL
            FROM job_executions WHERE trigger = 'SCHEDULE'
            """
        )
        var rows: [String: [Row]] = [:]
        for line in text.split(separator: "\n") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            let row = Row(
                id: cells[0],
                second: Int(cells[2]) ?? 0,
                from: Int(cells[3]) ?? 0,
                status: cells[4],
                driftMs: Double(cells[5]),
                attempts: Int(cells[6]) ?? 0,
                lostAttempts: Int(cells[7]) ?? 0,
                isRange: cells[8] == "t"
            )
            rows[cells[1], default: []].append(row)
            audit.statuses[cells[4], default: 0] += 1
            if let drift = row.driftMs {
                audit.executed += 1
                if drift > 1_000 { audit.late += 1 }
                audit.worstDriftMs = max(audit.worstDriftMs, drift)
            }
        }
        let jobs = try system.psql(
            """
            SELECT job_id, execution_type, ceil(extract(epoch FROM created_at))::bigint,
                floor(extract(epoch FROM updated_at))::bigint, schedule FROM jobs WHERE NOT hidden
            """
        )
        var atMostOnce: Set<String> = []
        for line in jobs.split(separator: "\n") {
            let cells = line.split(separator: "|").map(String.init)
            if cells[1] == "AT_MOST_ONCE" { atMostOnce.insert(cells[0]) }
            var seen: Set<Int> = []
            // Rows for single due times first.
            for row in (rows[cells[0]] ?? []).sorted(by: { !$0.isRange && $1.isRange }) {
                for second in row.from...row.second
                where !seen.insert(second).inserted && !(row.isRange && timesCameTwice) {
                    audit.doubled.append("\(cells[0])@\(second)")
                }
            }
            // Other schedules belong to jobs that a test creates beside the load.
            guard cells[4] == "* * * * * *", let begin = Int(cells[2]), let end = Int(cells[3]), begin < end else {
                continue
            }
            // The first and the last second depend on milliseconds; all seconds between them must have a row.
            for second in (begin + 1)..<end {
                audit.due += 1
                if !seen.contains(second) { audit.missing.append("\(cells[0])@\(second)") }
            }
        }
        audit.givenUp = try system.psql(
            """
            SELECT execution_id || ' ' || status || ' after ' || attempts FROM job_executions e JOIN jobs j USING (job_id)
            WHERE trigger = 'SCHEDULE' AND execution_type = 'AT_LEAST_ONCE' AND NOT (status IN ('SUCCESS', 'SKIPPED', 'CANCELLED')
                OR status = 'FAILED' AND (attempts > max_retries OR reason = 'WORKER_LOST'))
            """
        ).split(separator: "\n").map(String.init)
        let received = system.target.calls
        var called: [String: CallAudit.Row] = [:]
        for (job, rows) in rows {
            for row in rows {
                called[row.id] = CallAudit.Row(
                    jobID: job,
                    second: row.second,
                    status: row.status,
                    attempts: row.attempts,
                    lostAttempts: row.lostAttempts,
                    isAtMostOnce: atMostOnce.contains(job)
                )
            }
        }
        audit.calls = CallAudit(of: received, rows: called)
        let times = received.map(\.receivedAt).sorted()
        var first = 0
        for (index, time) in times.enumerated() {
            while times[first] <= time - 1 { first += 1 }
            audit.mostCallsInASecond = max(audit.mostCallsInASecond, index - first + 1)
        }
        for (earlier, later) in zip(times, times.dropFirst()) {
            audit.longestSilenceMs = max(audit.longestSilenceMs, (later - earlier) * 1_000)
        }
        audit.takeOverMs = try takeOver(of: system)
        if !audit.missing.isEmpty { try printEvidence(of: system, jobs: Set(audit.missing.map { $0.prefix(36) })) }
        return audit
    }

    /// Prints data that helps to find the cause of a missing row.
    private static func printEvidence(of system: TestSystem, jobs: Set<Substring>) throws {
        let names = jobs.prefix(3).map { "'\($0)'" }.joined(separator: ",")
        print(try system.psql("SELECT * FROM jobs WHERE job_id IN (\(names))"))
        print(
            try system.psql(
                """
                SELECT scheduled_time, execution_id, status, reason, created_at, actual_start_time, drift_ms, attempts
                FROM job_executions WHERE job_id IN (\(names)) ORDER BY job_id, scheduled_time
                """
            )
        )
        print(try system.psql("SELECT * FROM shards WHERE shard = 0"))
        for node in system.schedulers { print("--- \(node.name)\n\(node.text.suffix(10_000))") }
    }

    static func takeOver(of system: TestSystem) throws -> Double? {
        guard let lostAt = system.leaderLostAt.withLock({ $0 }) else { return nil }
        let text = try system.psql(
            "SELECT execution_id FROM job_executions WHERE token_epoch = (SELECT max(epoch) FROM shards)"
        )
        let ofTheNewOne = Set(text.split(separator: "\n").map(String.init))
        let first = system.target.calls.filter { $0.receivedAt > lostAt && ofTheNewOne.contains($0.key) }
            .map(\.receivedAt).min()
        return first.map { ($0 - lostAt) * 1_000 }
    }
}
