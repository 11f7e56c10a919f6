import CarillonCore
import CarillonPostgres
import TestSupport
import Testing

/// Batches and leases when sessions and servers are lost.
@Suite struct FaultTests {
    private let noon = Sample.noon

    @Test func `a batch of an old epoch or of another owner is fenced off`() async throws {
        let fixture = try Fixture()
        let first = try await fixture.lead()
        let second = try await fixture.lead()
        #expect(second > first)
        let row = Sample.execution(Sample.jobID(1), at: noon)
        #expect(try await fixture.store.commit(fixture.batch(1, epoch: first) { $0.inserts = [row] }) == .fenced)
        var stranger = fixture.batch(1, epoch: second) { $0.inserts = [row] }
        stranger.owner = .zero
        #expect(try await fixture.store.commit(stranger) == .fenced)
        try fixture.psql("UPDATE shards SET epoch = epoch + 1 WHERE shard = 5")
        #expect(try await fixture.store.commit(fixture.batch(1, epoch: second) { $0.inserts = [row] }) == .fenced)
        #expect(try fixture.psql("SELECT count(*) FROM job_executions") == "0")
    }

    /// Terminates the writer's session while its batch waits for a lock in the middle of its transaction.
    private func interrupt(
        _ fixture: Fixture,
        during batch: WriteBatch,
        locking lock: String,
        before release: () throws -> Void = {}
    ) async throws -> CommitResult {
        let blocker = try Blocker(url: fixture.url, holding: lock)
        async let result = fixture.store.commit(batch)
        let pid = try await fixture.awaitSQL(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%job_executions%'"
        )
        try fixture.psql("SELECT pg_terminate_backend(\(pid))")
        try release()
        blocker.release()
        return try await result
    }

    @Test func `a batch whose session is terminated in the middle is written once`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let rows = (1...3).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [rows[0]] })
        let result = try await interrupt(
            fixture,
            during: fixture.batch(2, epoch: epoch) { batch in
                batch.inserts = rows
                batch.updates = [Sample.ended(rows[0], .success)]
            },
            locking: "SELECT 1 FROM job_executions WHERE execution_id = '\(rows[0].id)' FOR UPDATE"
        )
        #expect(result == .committed(notPending: [rows[0].id]))
        #expect(
            try fixture.psql("SELECT status, count(*) FROM job_executions GROUP BY 1 ORDER BY 1")
                == "PENDING|2\nSUCCESS|1"
        )
        #expect(try fixture.psql("SELECT commit_sequence FROM shards WHERE shard = 0") == "2")
        #expect(fixture.log.lines.values.contains { $0.contains("ambiguous commit resolved: it was not committed") })
    }

    @Test func `a batch that was committed although its answer was lost is not written again`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let rows = (1...2).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = rows })
        // The test writes the batch of the lost session, while the new session waits.
        let batch = fixture.batch(2, epoch: epoch) { batch in
            batch.inserts = rows
            batch.updates = [Sample.ended(rows[0], .success)]
        }
        let result = try await interrupt(
            fixture,
            during: batch,
            locking: "SELECT 1 FROM job_executions WHERE execution_id = '\(rows[0].id)' FOR UPDATE"
        ) {
            try fixture.psql(
                """
                UPDATE shards SET commit_owner = '\(fixture.owner)', commit_sequence = 2 WHERE shard = 0;
                """
            )
        }
        #expect(result == .committed(notPending: []))
        #expect(
            try fixture.psql("SELECT DISTINCT status FROM job_executions") == "PENDING",
            "the batch was not repeated"
        )
    }

    /// The server waits for a standby that does not exist. A session that is terminated during this wait has committed, and sends no
    /// answer.
    @Test func `a commit whose answer is lost with the session is resolved as committed`() async throws {
        let cluster = try PostgresCluster()
        let fixture = try Fixture(cluster: cluster)
        let epoch = try await fixture.lead()
        let rows = (1...2).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [rows[0]] })
        for sql in ["ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"] {
            _ = try cluster.psql(sql)
        }
        let batch = fixture.batch(2, epoch: epoch) { batch in
            batch.inserts = [rows[1]]
            batch.updates = [Sample.ended(rows[0], .success)]
            batch.materializedThrough = noon
        }
        async let result = fixture.store.commit(batch)
        let pid = try await fixture.awaitSQL(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
        )
        try fixture.psql("SELECT pg_terminate_backend(\(pid))")
        for sql in ["ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"] {
            _ = try cluster.psql(sql)
        }
        #expect(try await result == .committed(notPending: []))
        #expect(
            try fixture.psql("SELECT status, count(*) FROM job_executions GROUP BY 1 ORDER BY 1")
                == "PENDING|1\nSUCCESS|1"
        )
        #expect(fixture.log.lines.values.contains { $0.contains("ambiguous commit resolved: it was committed") })
    }

    @Test(arguments: ["40001", "40P01"])
    func `a batch that is rolled back by a conflict is written again in its order`(code: String) async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let rows = (1...3).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [rows[0]] })
        try fixture.psql(
            """
            CREATE SEQUENCE failures;
            CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('failures') <= 2 THEN RAISE EXCEPTION 'taken back' USING ERRCODE = '\(code)'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER fail BEFORE INSERT ON job_executions FOR EACH ROW EXECUTE FUNCTION fail_twice();
            """
        )
        let second = fixture.batch(2, epoch: epoch) { $0.inserts = [rows[1]] }
        #expect(try await fixture.store.commit(second) == .committed(notPending: []))
        let third = fixture.batch(3, epoch: epoch) { batch in
            batch.inserts = [rows[2]]
            batch.updates = [Sample.ended(rows[1], .success)]
        }
        #expect(try await fixture.store.commit(third) == .committed(notPending: []))
        #expect(try fixture.psql("SELECT last_value >= 4 FROM failures") == "t", "the batch was rolled back twice")
        #expect(try fixture.psql("SELECT count(*) FROM job_executions") == "3")
        #expect(try fixture.psql("SELECT commit_sequence FROM shards WHERE shard = 0") == "3")
    }

    @Test func `a batch whose session was ended, and whose lease was lost meanwhile, is fenced off`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [row] })
        let result = try await interrupt(
            fixture,
            during: fixture.batch(2, epoch: epoch) { $0.updates = [Sample.ended(row, .success)] },
            locking: "SELECT 1 FROM job_executions FOR UPDATE"
        ) {
            try fixture.psql("UPDATE shards SET epoch = epoch + 1, owner = gen_random_uuid()")
        }
        #expect(result == .fenced)
        #expect(try await fixture.store.execution(row.id)?.status == .pending)
    }

    @Test func `a batch that arrives again from an abandoned session is refused`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        _ = try await fixture.store.commit(fixture.batch(4, epoch: epoch))
        let error = #expect(throws: ChildProgram.Failure.self) {
            try fixture.psql("SELECT carillon_fence('\(fixture.owner)', \(epoch), 4, NULL, NULL, false, NULL, NULL)")
        }
        #expect(error?.description.contains("batch 4 was committed before") == true)
    }

    @Test func `a change of a locked job is refused, and all other writes continue`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let job = Sample.job(1)
        _ = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { $0.changes = [JobChange(job: job, isNew: true)] }
        )
        let blocker = try Blocker(url: fixture.url, holding: "SELECT 1 FROM jobs FOR UPDATE")
        var changed = job
        changed.version = 2
        let result = try await fixture.store.commit(
            fixture.batch(2, epoch: epoch) { [changed] in $0.changes = [JobChange(job: changed, isNew: false)] }
        )
        guard case .refused(let message, nil) = result else { throw Unexpected("\(result)") }
        #expect(message.contains("locked"))
        blocker.release()
    }

    @Test func `the store waits for a restart of the server, with one warning and one notice`() async throws {
        let fixture = try Fixture(cluster: PostgresCluster())
        let epoch = try await fixture.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [row] })
        _ = try await fixture.reader.latestExecution(of: row.jobID)
        for (sequence, mode) in [(UInt64(2), PostgresCluster.StopMode.fast), (3, .immediate)] {
            let epoch = try await fixture.lead()
            try fixture.cluster.stop(mode)
            _ = await fixture.lost.first { _ in true }
            let answer = try await fixture.store.answer(
                to: .renewLease(owner: fixture.owner, epoch: epoch, leaseMs: 5_000)
            )
            guard case .leaseConnectionLost = answer else { throw Unexpected("\(answer)") }
            await #expect(throws: ReadError.self) { try await fixture.reader.latestExecution(of: row.jobID) }
            // Submitted while the server is down; answered once it is up.
            async let result = fixture.store.commit(
                fixture.batch(sequence, epoch: epoch) { $0.updates = [Sample.ended(row, .success)] }
            )
            _ = await fixture.log.lines.first { $0.contains("database unreachable") }
            #expect(!fixture.store.isConnected)
            try fixture.cluster.start()
            #expect(try await result == .committed(notPending: []))
            #expect(fixture.store.isConnected)
        }
        #expect(try await fixture.reader.latestExecution(of: row.jobID)?.status == .success)
        #expect(fixture.lost.values.count >= 2)
        _ = await fixture.log.lines.first { $0.contains("database available again") }
        try fixture.cluster.stop(.immediate)
    }

    @Test func `a killed server has all answered batches after its restart`() async throws {
        let fixture = try Fixture(cluster: PostgresCluster())
        let epoch = try await fixture.lead()
        let rows = (1...100).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = rows })
        try fixture.cluster.kill()
        async let result = fixture.store.commit(
            fixture.batch(2, epoch: epoch) { $0.updates = rows.map { Sample.ended($0, .failed) } }
        )
        try fixture.cluster.start()
        #expect(try await result == .committed(notPending: []))
        #expect(try fixture.psql("SELECT count(*) FROM job_executions WHERE status = 'FAILED'") == "100")
        try fixture.cluster.stop(.immediate)
    }

    @Test func `a store may be created before the server is up`() async throws {
        let cluster = try PostgresCluster()
        let url = try cluster.makeDatabase()
        try Migrator(url: url, logger: LogLines().logger).up()
        try cluster.stop()
        let log = LogLines()
        let store = PostgresStore(
            configuration: PostgresConfiguration(url: url),
            logger: log.logger,
            onLeaseConnectionLost: { _ in }
        )
        let answer = try await store.answer(to: .acquireLease(owner: .zero, address: "a", leaseMs: 1_000))
        guard case .leaseConnectionLost = answer else { throw Unexpected("\(answer)") }
        _ = await log.lines.first { $0.contains("database unreachable") }
        try cluster.start()
        var result: LeaseResult?
        while result == nil {
            if case .lease(let lease) = try await store.answer(
                to: .acquireLease(owner: .zero, address: "a", leaseMs: 1_000)
            ) {
                result = lease
            }
        }
        guard case .held? = result else { throw Unexpected("\(String(describing: result))") }
        _ = await log.lines.first { $0.contains("database available again") }
        store.shutdown()
        try cluster.stop(.immediate)
    }

    @Test func `of several hosts, the host that answers and accepts writes is used`() async throws {
        let cluster = try PostgresCluster.shared
        let url = try cluster.makeDatabase()
        let hosts = url.split(separator: "@")[1]
        let several = "postgresql://postgres@127.0.0.1:1,\(hosts)"
        try Migrator(url: several, logger: LogLines().logger).up()
        let store = PostgresStore(
            configuration: PostgresConfiguration(url: several),
            logger: LogLines().logger,
            onLeaseConnectionLost: { _ in }
        )
        guard case .held = try await store.lease(.acquireLease(owner: .zero, address: "a", leaseMs: 1_000)) else {
            throw Unexpected("not held")
        }
        // A leader cannot use a database that is set to read only.
        let database = url.split(separator: "/").last ?? ""
        try cluster.psql("ALTER DATABASE \(database) SET default_transaction_read_only = on")
        let log = LogLines()
        let other = PostgresStore(
            configuration: PostgresConfiguration(url: several),
            logger: log.logger,
            onLeaseConnectionLost: { _ in }
        )
        let line = await log.lines.first { $0.contains("database unreachable") }
        #expect(line.contains("read-only"), "\(line)")
        store.shutdown()
        other.shutdown()
    }
}

extension Fixture {
    /// Repeats the query until the result is not empty. Yields in between, because there are only as many threads as cores.
    func awaitSQL(_ sql: String) async throws -> String {
        while true {
            let text = try psql(sql)
            if !text.isEmpty { return String(text.split(separator: "\n")[0]) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
