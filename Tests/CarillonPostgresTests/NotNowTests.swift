import CarillonCore
import Foundation
import TestSupport
import Testing

@testable import CarillonPostgres

/// Errors that the data has not caused: the batch is repeated, and every row is written in the end.
@Suite(.timeLimit(.minutes(2))) struct NotNowTests {
    private let noon = Sample.noon

    /// Makes a trigger fail all writes to a table until the table `allowed` exists.
    private func fail(_ table: String, with raise: String, _ fixture: Fixture) throws {
        try fixture.psql(
            """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF to_regclass('allowed') IS NULL THEN \(raise); END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON \(table) FOR EACH ROW EXECUTE FUNCTION fail();
            """
        )
    }

    @Test(arguments: [
        "XX000", "XX001", "XX002", "P0001", "54000", "53100", "53200", "42P05", "0A000", "25006", "58030", "22012",
        "22P02", "23502", "23503", "23514", "44000", "38000", "HV000", "P0004", "72000", "57014", "ZZ123",
    ])
    func `rows wait until an error that they have not caused is gone, and the log has the database's message`(
        _ code: String
    ) async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let rows = (1...40).map { Sample.execution(Sample.jobID($0), at: noon) }
        try fail("job_executions", with: "RAISE EXCEPTION 'the reason is %', 'here' USING ERRCODE = '\(code)'", fixture)
        let results = fixture.store.beginCommit(fixture.batch(1, epoch: epoch) { $0.inserts = rows })
        if code == "23514" {
            // Without a constraint name a partition may be missing, which is checked first.
            _ = await fixture.log.lines.first { $0.contains("the reason is here") }
        } else {
            let line = await fixture.log.lines.first { $0.contains("the reason is here") }
            #expect(line.contains(code), "\(line)")
            #expect(!line.contains("unreachable"), "\(line)")
        }
        #expect(results.values.isEmpty)
        #expect(fixture.store.health.batch.failure?.state == code)
        try fixture.psql("CREATE TABLE allowed ()")
        let result = await results.first { _ in true }
        #expect(result == .committed(notPending: []))
        #expect(try fixture.psql("SELECT count(*) FROM job_executions") == "40")
        #expect(fixture.store.health.batch.waitedMs == nil)
    }

    @Test func `a check constraint that is not Carillon's delays rows until it is gone`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        try fixture.psql("ALTER TABLE job_executions ADD CONSTRAINT theirs CHECK (status <> 'SUCCESS')")
        let results = fixture.store.beginCommit(
            fixture.batch(1, epoch: epoch) { batch in
                batch.inserts = [row]
                batch.updates = [Sample.ended(row, .success)]
            }
        )
        let line = await fixture.log.lines.first { $0.contains("theirs") }
        #expect(line.contains("23514"))
        #expect(results.values.isEmpty)
        try fixture.psql("ALTER TABLE job_executions DROP CONSTRAINT theirs")
        #expect(await results.first { _ in true } == .committed(notPending: []))
        #expect(try await fixture.store.execution(row.id)?.status == .success)
    }

    @Test func `a check of that kind that cannot be computed delays rows too`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        try fixture.psql("ALTER TABLE job_executions ADD CONSTRAINT theirs CHECK (1 / (attempts - 1) < 5)")
        let results = fixture.store.beginCommit(
            fixture.batch(1, epoch: epoch) { batch in
                batch.inserts = [row]
                batch.updates = [Sample.ended(row, .success)]
            }
        )
        _ = await fixture.log.lines.first { $0.contains("division by zero") }
        #expect(results.values.isEmpty)
        try fixture.psql("ALTER TABLE job_executions DROP CONSTRAINT theirs")
        #expect(await results.first { _ in true } == .committed(notPending: []))
    }

    /// The partition's bounds end before the rows of its day: an error with SQLSTATE 23514, like a check's.
    @Test func `a partition with wrong bounds delays the rows of its day until it accepts them`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        let (first, last) = ("carillon_first_id('2026-11-20 00:00Z')", "carillon_first_id('2026-11-21 00:00Z')")
        func bounds(_ from: String, _ to: String) throws {
            let values = try fixture.psql("SELECT \(from), \(to)").split(separator: "|")
            try fixture.psql(
                "ALTER TABLE job_executions ATTACH PARTITION job_executions_20261120 FOR VALUES FROM ('\(values[0])') TO ('\(values[1])')"
            )
        }
        try fixture.psql("SELECT carillon_make_day('2026-11-20')")
        try fixture.psql("ALTER TABLE job_executions DETACH PARTITION job_executions_20261120")
        try bounds(first, "carillon_first_id('2026-11-20 01:00Z')")
        let results = fixture.store.beginCommit(fixture.batch(1, epoch: epoch) { $0.inserts = [row] })
        let line = await fixture.log.lines.first { $0.contains("partition constraint") }
        #expect(line.contains("23514"))
        #expect(results.values.isEmpty)
        try fixture.psql("ALTER TABLE job_executions DETACH PARTITION job_executions_20261120")
        try bounds(first, last)
        #expect(await results.first { _ in true } == .committed(notPending: []))
        #expect(try await fixture.store.execution(row.id) == row)
    }

    @Test func `rows wait for a damaged index until it is rebuilt`() async throws {
        let cluster = try PostgresCluster()
        let fixture = try Fixture(cluster: cluster)
        let epoch = try await fixture.lead()
        let rows = (1...400).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = Array(rows[..<10]) })
        let path = try fixture.psql("SELECT pg_relation_filepath('job_executions_20261120_pkey')")
        try cluster.stop()
        let file = try #require(FileHandle(forUpdatingAtPath: "\(cluster.data)/\(path)"))
        try file.seek(toOffset: 8_192)
        try file.write(contentsOf: Data(repeating: 0x5A, count: 8_192))
        try file.close()
        try cluster.start()
        let again = try await leadAgain(fixture)
        let results = fixture.store.beginCommit(
            fixture.batch(1, epoch: again) { batch in
                batch.inserts = rows
                batch.updates = rows[..<5].map { Sample.ended($0, .success) }
            }
        )
        _ = await fixture.log.lines.first { $0.contains("XX001") || $0.contains("XX002") }
        #expect(results.values.isEmpty)
        try fixture.psql("REINDEX INDEX job_executions_20261120_pkey")
        guard case .committed = await results.first(where: { _ in true }) else { throw Unexpected("not committed") }
        #expect(try fixture.psql("SELECT count(*), count(DISTINCT execution_id) FROM job_executions") == "400|400")
        try cluster.stop(.immediate)
    }

    private func leadAgain(_ fixture: Fixture) async throws -> Int64 {
        while true {
            if let epoch = try? await fixture.lead() { return epoch }
        }
    }

    @Test func `rows wait for revoked rights, and the log names them`() async throws {
        let fixture = try Fixture()
        let name = "limited_\(fixture.url.split(separator: "_").last ?? "")"
        try fixture.psql(
            """
            CREATE ROLE \(name) LOGIN;
            GRANT ALL ON ALL TABLES IN SCHEMA public TO \(name);
            GRANT ALL ON SCHEMA public TO \(name);
            """
        )
        try fixture.psql("SELECT carillon_make_day('2026-11-20')")
        try fixture.psql("GRANT ALL ON ALL TABLES IN SCHEMA public TO \(name)")
        let log = LogLines()
        let store = PostgresStore(
            configuration: PostgresConfiguration(
                url: fixture.url.replacingOccurrences(of: "postgres@", with: "\(name)@")
            ),
            logger: log.logger,
            onLeaseConnectionLost: { _ in }
        )
        defer { store.shutdown() }
        var writer = Writer(store)
        try await writer.lead()
        try fixture.psql("REVOKE ALL ON job_executions_20261120, jobs, shards FROM \(name)")
        let row = Sample.execution(Sample.jobID(1), at: noon)
        let results = store.beginCommit(writer.batch { $0.inserts = [row] })
        let line = await log.lines.first { $0.contains("permission denied for table shards") }
        #expect(line.contains("database refused") && line.contains("42501"), "\(line)")
        guard case .failed(let text) = try await store.answer(to: .loadJobs) else { throw Unexpected("was read") }
        #expect(text.contains("permission denied for table jobs"))
        _ = await log.lines.first { $0.contains("permission denied for table jobs") }
        #expect(!log.lines.values.contains { $0.contains("unreachable") })
        #expect(store.health.load.failure?.state == "42501")
        try fixture.psql("GRANT ALL ON ALL TABLES IN SCHEMA public TO \(name)")
        #expect(await results.first { _ in true } == .committed(notPending: []))
        // A reason is logged at most once a minute.
        let reasons = log.lines.values.filter { $0.contains("permission denied for table shards") }
        #expect(reasons.count == 1, "\(reasons)")
    }

    @Test(arguments: ["P0001", "22012", "23514", "54000"])
    func `a user's trigger on jobs refuses only the change, with its message`(_ code: String) async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        try fail("jobs", with: "RAISE EXCEPTION 'not on Fridays' USING ERRCODE = '\(code)'", fixture)
        let job = Sample.job(1)
        let change = fixture.batch(1, epoch: epoch) { $0.changes = [JobChange(job: job, isNew: true)] }
        guard case .refused(let message, nil) = try await fixture.store.commit(change) else {
            throw Unexpected("was not refused")
        }
        #expect(message.contains("not on Fridays"))
        let row = Sample.execution(Sample.jobID(1), at: noon)
        let next = fixture.batch(1, epoch: epoch) { $0.inserts = [row] }
        #expect(try await fixture.store.commit(next) == .committed(notPending: []))
    }

    @Test func `a violated constraint and a value out of range refuse the row, with the reason`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [row] })
        var wrong = Sample.ended(row, .success)
        // The first time that PostgreSQL cannot represent.
        wrong.finishedAt = Timestamp(milliseconds: 9_224_318_016_000_000)
        let batch = fixture.batch(2, epoch: epoch) { [wrong] in $0.updates = [wrong] }
        guard case .refused(let message, nil) = try await fixture.store.commit(batch) else {
            throw Unexpected("was not refused")
        }
        #expect(message.contains("timestamp"), "\(message)")
        try fixture.psql(
            """
            ALTER TABLE job_executions DROP CONSTRAINT job_executions_status_check;
            ALTER TABLE job_executions ADD CONSTRAINT job_executions_status_check CHECK (status <> 'SUCCESS');
            """
        )
        let next = fixture.batch(2, epoch: epoch) { $0.updates = [Sample.ended(row, .success)] }
        guard case .refused(_, "job_executions_status_check") = try await fixture.store.commit(next) else {
            throw Unexpected("was not refused")
        }
    }

    @Test func `a locked table shows in the store's health, with the database's message`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [row] })
        let blocker = try Blocker(url: fixture.url, holding: "LOCK TABLE job_executions")
        let results = fixture.store.beginCommit(
            fixture.batch(2, epoch: epoch) { $0.updates = [Sample.ended(row, .success)] }
        )
        var health = StoreHealth()
        while (health.batch.waitedMs ?? 0) <= 1_000 || health.batch.failure == nil {
            // A locked table of executions does not delay the lease.
            _ = try await fixture.store.lease(.renewLease(owner: fixture.owner, epoch: epoch, leaseMs: 5_000))
            health = fixture.store.health
            // On a busy machine this task may run long after the answer, and a waiting lease would be reported first.
            health.lease.waitedMs = 0
        }
        let problem = try #require(health.problem(limitMs: 1_000))
        #expect(problem.hasPrefix("a batch of writes has waited for the database"), "\(problem)")
        #expect(problem.contains("lock timeout") && problem.contains("55P03"), "\(problem)")
        blocker.release()
        #expect(await results.first { _ in true } == .committed(notPending: []))
        #expect(fixture.store.health.batch.waitedMs == nil)
    }
}
