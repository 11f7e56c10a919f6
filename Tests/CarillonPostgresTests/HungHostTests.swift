import CarillonCore
import Foundation
import TestSupport
import Testing

@testable import CarillonPostgres

/// Servers that hang, and servers that are only slow.
@Suite(.serialized) struct HungHostTests {
    private let noon = Sample.noon

    /// A store on two servers; the second server is used when the first one hangs.
    private func makeStore(_ clusters: [PostgresCluster], _ log: LogLines, lost: Collected<String>) throws
        -> PostgresStore
    {
        for cluster in clusters { try cluster.psql("CREATE DATABASE carillon") }
        for cluster in clusters { try Migrator(url: cluster.url(database: "carillon"), logger: log.logger).up() }
        let hosts = clusters.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return PostgresStore(
            configuration: PostgresConfiguration(url: "postgresql://postgres@\(hosts)/carillon"),
            logger: log.logger,
            onLeaseConnectionLost: { lost.add($0) }
        )
    }

    @Test(.timeLimit(.minutes(2)))
    func `every connection leaves a server that hangs, for the next writable server`() async throws {
        let clusters = [try PostgresCluster(), try PostgresCluster()]
        let (log, lost) = (LogLines(), Collected<String>())
        let store = try makeStore(clusters, log, lost: lost)
        defer { store.shutdown() }
        var writer = Writer(store)
        try await writer.lead(leaseMs: 2_000)
        let row = Sample.execution(Sample.jobID(1), at: noon)
        try await writer.write { $0.inserts = [row] }
        _ = try await store.jobs(.loadJobs)
        _ = try await store.answer(to: .maintain(retainFrom: nil))

        try clusters[0].suspend()
        let beganAt = ContinuousClock.now
        let results = store.beginCommit(writer.batch { $0.updates = [Sample.ended(row, .success)] })
        async let renewal = store.answer(to: .renewLease(owner: writer.owner, epoch: writer.epoch, leaseMs: 2_000))
        async let load = store.answer(to: .loadJobs)
        async let upkeep = store.answer(to: .maintain(retainFrom: nil))
        guard case .leaseConnectionLost = try await renewal else { throw Unexpected("the lease was renewed") }
        guard case .failed = try await load, case .failed = try await upkeep else { throw Unexpected("was read") }
        // Two leases, the time of the query, and 3 s for the connection that the host's kernel still accepts.
        #expect(ContinuousClock.now - beganAt < .seconds(10))
        #expect(store.health.problem(limitMs: 2_000) != nil)
        // The other server has no record of this leader, like a server that lost the last epoch.
        #expect(await results.first { _ in true } == .fenced)
        #expect(ContinuousClock.now - beganAt < .seconds(15))
        var next = Writer(store, 2)
        while (try? await next.lead(leaseMs: 2_000)) == nil {}
        #expect(try await store.jobs(.loadJobs).isEmpty)
        #expect(try await next.write { $0.inserts = [row] } == .committed(notPending: []))
        #expect(try clusters[1].psql("SELECT count(*) FROM job_executions", database: "carillon") == "1")
        guard case .maintained = try await store.answer(to: .maintain(retainFrom: nil)) else {
            throw Unexpected("was not kept in order")
        }
        #expect(log.lines.values.contains { $0.contains("does not answer") })
        _ = try await next.renew(leaseMs: 2_000)
        #expect(store.health.problem(limitMs: 2_000) == nil)
        try clusters[0].resume()
        for cluster in clusters { try cluster.stop(.immediate) }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a batch is cancelled on a slow database, and written with a longer limit`() async throws {
        let fixture = try Fixture()
        guard
            case .held(let epoch, _, _, _) = try await fixture.store.lease(
                .acquireLease(owner: fixture.owner, address: "one:7070", leaseMs: 1_000)
            )
        else { throw Unexpected("not held") }
        try fixture.psql(
            """
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2.5); RETURN NULL; END $$;
            CREATE TRIGGER slow AFTER INSERT ON job_executions FOR EACH ROW EXECUTE FUNCTION slow();
            """
        )
        let row = Sample.execution(Sample.jobID(1), at: noon)
        let result = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [row] })
        #expect(result == .committed(notPending: []))
        #expect(try await fixture.store.execution(row.id) == row)
        #expect(fixture.log.lines.values.contains { $0.contains("next_limit_ms") && $0.contains("57014") })
        #expect(fixture.lost.values.isEmpty, "the session of the lease stays")
        #expect(!fixture.log.lines.values.contains { $0.contains("new connection") }, "the server is not abandoned")
    }

    /// A commit cancelled while it waits for its standby is made on this server only, and PostgreSQL reports success.
    @Test(.timeLimit(.minutes(1)))
    func `a batch cancelled while it waits for its standby is not answered before the standby has it`()
        async throws
    {
        let cluster = try PostgresCluster()
        let fixture = try Fixture(cluster: cluster)
        guard
            case .held(let epoch, _, _, _) = try await fixture.store.lease(
                .acquireLease(owner: fixture.owner, address: "one:7070", leaseMs: 1_000)
            )
        else { throw Unexpected("not held") }
        let rows = (1...2).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [rows[0]] })
        for sql in ["ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"] {
            try cluster.psql(sql)
        }
        let results = fixture.store.beginCommit(fixture.batch(2, epoch: epoch) { $0.inserts = [rows[1]] })
        _ = await fixture.log.lines.first { $0.contains("succeeded after it was cancelled") }
        // The commit is visible but not safe: the writer reads it back, which waits for the standby as well.
        _ = try await fixture.awaitSQL(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%commit_sequence%'"
        )
        #expect(results.values.isEmpty)
        for sql in ["ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"] { try cluster.psql(sql) }
        #expect(await results.first { _ in true } == .committed(notPending: []))
        try cluster.stop(.immediate)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a slow read may take longer than the limit`() async throws {
        let fixture = try Fixture()
        guard
            case .held(let epoch, _, _, _) = try await fixture.store.lease(
                .acquireLease(owner: fixture.owner, address: "one:7070", leaseMs: 1_000)
            )
        else { throw Unexpected("not held") }
        let job = Sample.job(1)
        _ = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { $0.changes = [JobChange(job: job, isNew: true)] }
        )
        try fixture.psql(
            """
            ALTER TABLE jobs RENAME TO all_jobs;
            CREATE VIEW jobs AS SELECT * FROM all_jobs WHERE pg_sleep(4) IS NOT NULL;
            """
        )
        #expect(try await fixture.store.jobs(.loadJobs) == [job])
    }

    @Test func `a server's default limits do not end Carillon's sessions`() async throws {
        let fixture = try Fixture()
        let name = fixture.url.split(separator: "/").last ?? ""
        let limits = [
            "idle_session_timeout", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout",
        ]
        for limit in limits {
            try fixture.cluster.psql(
                "ALTER DATABASE \(name) SET \(limit) = \(limit.hasPrefix("idle") ? 300 : 50)"
            )
        }
        let (log, lost) = (LogLines(), Collected<String>())
        let store = PostgresStore(
            configuration: PostgresConfiguration(url: fixture.url),
            logger: log.logger,
            onLeaseConnectionLost: { lost.add($0) }
        )
        defer { store.shutdown() }
        var writer = Writer(store)
        try await writer.lead()
        try await writer.write { $0.inserts = [Sample.execution(Sample.jobID(1), at: noon)] }
        // The server ends another idle session, which proves that its limit is in force.
        let idle = try Blocker(url: fixture.url, holding: "COMMIT")
        while try fixture.cluster.psql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(name)' AND application_name = 'psql'"
        ) != "0" { try await Task.sleep(for: .milliseconds(20)) }
        idle.release()
        try await writer.write { $0.inserts = [Sample.execution(Sample.jobID(2), at: noon)] }
        #expect(try await writer.shard().epoch == writer.epoch)
        #expect(lost.values.isEmpty)
        #expect(!log.lines.values.contains { $0.contains("retrying") })
    }
}
