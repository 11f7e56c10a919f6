import CarillonCore
import TestSupport
import Testing

@testable import CarillonPostgres

/// The warning about AT_MOST_ONCE jobs whose claims a fail-over can lose (G3).
@Suite(.timeLimit(.minutes(1))) struct StandbyTests {
    private static let warning = "AT_MOST_ONCE jobs with asynchronous standbys"

    /// Runs the maintenance, and returns how often the log has the warning.
    private func warnings(_ fixture: Fixture) async throws -> Int {
        guard case .maintained = try await fixture.store.answer(to: .maintain(retainFrom: nil)) else {
            throw Unexpected("the upkeep failed")
        }
        return fixture.log.lines.values.count { $0.contains(Self.warning) }
    }

    @Test func `AT_MOST_ONCE jobs cause a warning with an asynchronous standby, not with a synchronous one`()
        async throws
    {
        let primary = try PostgresCluster()
        let fixture = try Fixture(cluster: primary)
        let epoch = try await fixture.lead()
        var job = Sample.job(1)
        job.executionType = .atMostOnce
        _ = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { $0.changes = [JobChange(job: job, isNew: true)] }
        )
        #expect(try await warnings(fixture) == 0, "there is no standby yet")
        let standby = try PostgresCluster(standbyOf: primary)
        #expect(try standby.psql("SELECT pg_is_in_recovery()") == "t")
        #expect(try await warnings(fixture) == 1)

        try primary.psql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try primary.psql("SELECT pg_reload_conf()")
        while try primary.psql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1" {}
        #expect(try await warnings(fixture) == 1)
    }
}
