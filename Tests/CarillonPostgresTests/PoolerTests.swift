import CarillonCore
import Foundation
import TestSupport
import Testing

@testable import CarillonPostgres

/// Connection poolers in front of the database: an unusable one is refused at the start, with the necessary configuration.
@Suite(.serialized, .timeLimit(.minutes(2))) struct PoolerTests {
    private let log = LogLines()

    /// A database without a schema, behind a pooler.
    private func make(
        _ mode: PgBouncer.Mode,
        poolSize: Int = 20,
        settings: [String] = []
    ) throws -> (bouncer: PgBouncer, direct: String, pooled: String) {
        let cluster = try PostgresCluster.shared
        let direct = try cluster.makeDatabase()
        let bouncer = try PgBouncer(mode, before: cluster, poolSize: poolSize, settings: settings)
        return (bouncer, direct, bouncer.url(of: direct))
    }

    private func refusal(_ url: String, sessions: Int = 8) -> String? {
        do throws(MigrationError) {
            try Migrator(url: url, logger: log.logger, sessions: sessions).up(waits: true)
            return nil
        } catch {
            return error.message
        }
    }

    @Test(arguments: [PgBouncer.Mode.transaction, .statement], [1, 2, 20])
    func `sessions that are shared are refused before anything is migrated`(_ mode: PgBouncer.Mode, _ size: Int) throws
    {
        let (bouncer, direct, pooled) = try make(mode, poolSize: size)
        let text = refusal(pooled) ?? "nothing"
        #expect(text.contains("pools by \(mode.rawValue)"), "\(text)")
        #expect(text.contains("pool_mode = session") && text.contains("8 connections"), "\(text)")
        let count = try PostgresCluster.shared.psql("SELECT count(*) FROM pg_class WHERE relname = 'jobs'", url: direct)
        #expect(count == "0")
        withExtendedLifetime(bouncer) {}
    }

    @Test func `sessions that rotate among several connections are refused`() throws {
        let (bouncer, _, pooled) = try make(.transaction, settings: ["server_round_robin = 1", "min_pool_size = 6"])
        let text = refusal(pooled) ?? "nothing"
        #expect(text.contains("pools by transaction"), "\(text)")
        withExtendedLifetime(bouncer) {}
    }

    @Test(.timeLimit(.minutes(1)))
    func `a pool that is too small is refused instead of waiting without a message`() throws {
        let (bouncer, _, pooled) = try make(.session, poolSize: 3)
        let text = refusal(pooled) ?? "nothing"
        #expect(text.contains("gave this process 3 of the 8 connections"), "\(text)")
        #expect(text.contains("default_pool_size"), "\(text)")
        withExtendedLifetime(bouncer) {}
    }

    @Test func `a session pool is used, and nothing of one session remains in the next`() async throws {
        // The pooler does not reset a session after a client.
        let (bouncer, direct, pooled) = try make(
            .session,
            poolSize: 8,
            settings: ["server_reset_query =", "server_reset_query_always = 0"]
        )
        #expect(refusal(pooled) == nil)
        for round in 1...3 {
            let store = PostgresStore(
                configuration: PostgresConfiguration(url: pooled),
                logger: log.logger,
                onLeaseConnectionLost: { _ in }
            )
            var writer = Writer(store, UInt64(round))
            while (try? await writer.lead(leaseMs: 1_000)) == nil {}
            let row = Sample.execution(Sample.jobID(round), at: Sample.noon)
            #expect(try await writer.write { $0.inserts = [row] } == .committed(notPending: []))
            #expect(try await store.openExecutions(since: Sample.noon).count == round)
            guard case .maintained = try await store.answer(to: .maintain(retainFrom: nil)) else {
                throw Unexpected("was not kept in order")
            }
            store.shutdown()
        }
        let settings = try ConnectionSettings(url: pooled, role: .migration)
        let session = try Connection(settings, logger: log.logger)
        #expect(session.isPooled)
        for (name, value) in [("enable_seqscan", "on"), ("plan_cache_mode", "auto"), ("jit", "on")] {
            #expect(try session.texts("SELECT current_setting('\(name)')") == [[value]])
        }
        #expect(try session.texts("SELECT count(*)::text FROM pg_prepared_statements WHERE name = 'fence'") == [["0"]])
        let plain = try Connection(ConnectionSettings(url: direct, role: .migration), logger: log.logger)
        #expect(!plain.isPooled)
        withExtendedLifetime(bouncer) {}
    }

    @Test func `two processes that migrate at the same time migrate once`() async throws {
        let url = try PostgresCluster.shared.makeDatabase()
        let holder = try Blocker(url: url, holding: "SELECT pg_advisory_xact_lock(1128354377, 2)")
        // On separate threads, because both block while they wait.
        let applied = Collected<Int>()
        for _ in 0..<2 {
            Thread.detachNewThread { [log] in
                applied.add((try? Migrator(url: url, logger: log.logger).up().count) ?? -1)
            }
        }
        _ = await log.lines.first { $0.contains("another process migrates") }
        holder.release()
        _ = await applied.all(2)
        #expect(applied.values.sorted() == [0, Migration.all.count] || applied.values == [1, 1])
    }
}
