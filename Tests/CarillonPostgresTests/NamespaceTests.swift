import CarillonCore
import CarillonPostgres
import TestSupport
import Testing

/// Names and keys are unique within a namespace.
@Suite struct NamespaceTests {
    @Test func `a name may be used in two namespaces, and once in each`() throws {
        let fixture = try Fixture()
        let insert = "INSERT INTO jobs (namespace, name, schedule, api_url) VALUES"
        try fixture.psql("\(insert) ('default', 'n', '@daily', 'http://x'), ('blue', 'n', '@daily', 'http://x')")
        #expect(throws: (any Error).self) { try fixture.psql("\(insert) ('blue', 'n', '@daily', 'http://x')") }
        #expect(throws: (any Error).self) { try fixture.psql("\(insert) ('', 'm', '@daily', 'http://x')") }
    }

    @Test func `equal keys of different namespaces are different keys`() async throws {
        let fixture = try Fixture()
        let id = UniqueID(high: 7, low: 8)
        try fixture.psql(
            """
            INSERT INTO idempotency_keys (namespace, operation, key, fingerprint, answer, expires_at)
            VALUES ('blue', 'run_job', 'k', 'f', '\(id)', now() + interval '1 hour')
            """
        )
        let answers = await fixture.store.answers(to: .findIdempotencyKey(operation: "run_job", key: "k"))
        guard case .idempotencyRecord(nil)? = answers.first else { throw Unexpected("\(answers)") }
    }

    /// The migrations from 006 on keep the data of an older schema.
    @Test func `a database with an older schema is migrated`() throws {
        let fixture = try Fixture()
        _ = try Migrator(url: fixture.url, logger: fixture.log.logger).down(to: 5)
        try fixture.psql(
            """
            INSERT INTO jobs (name, schedule, api_url) VALUES ('n', '@daily', 'http://x');
            INSERT INTO idempotency_keys VALUES ('create_job', 'k', 'f', gen_random_uuid(), now(), now() + interval '1 hour')
            """
        )
        try Migrator(url: fixture.url, logger: fixture.log.logger).up()
        #expect(try fixture.psql("SELECT namespace, name, start_deadline_ms FROM jobs") == "default|n|0")
        #expect(try fixture.psql("SELECT namespace, operation, key FROM idempotency_keys") == "default|create_job|k")
    }
}
