import CarillonCore
import CarillonPostgres
import TestSupport
import Testing

/// PostgreSQL's part of reading; ListingContractTests tests the results.
@Suite struct ReaderTests {
    private let noon = Sample.noon

    @Test func `jobs requested at the same time reach their requesters`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let jobs = (0..<50).map { Sample.job($0) }
        _ = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { $0.changes = jobs.map { JobChange(job: $0, isNew: true) } }
        )
        let reader = fixture.reader
        let missing = Sample.job(1_000).id
        let asked = (0..<1_000).map { index in index % 10 == 0 ? missing : jobs[index % jobs.count].id }
        let found = try await withThrowingTaskGroup(of: (JobID, Job?).self) { group in
            for id in asked { group.addTask { (id, try await reader.job(id, includingDeleted: true)) } }
            return try await group.reduce(into: [(JobID, Job?)]()) { $0.append($1) }
        }
        let byID = Dictionary(uniqueKeysWithValues: jobs.map { ($0.id, $0) })
        #expect(found.count == asked.count)
        #expect(found.allSatisfy { $0.1 == byID[$0.0] })
    }

    @Test func `a page reads only the partitions of its range`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        // Every two hours over four days.
        let rows = (0..<48).map { Sample.execution(Sample.jobID(1), at: noon + Int64($0) * 7_200_000) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = rows })
        let plan = try fixture.psql(
            "EXPLAIN SELECT * FROM job_executions WHERE execution_id >= carillon_first_id('2026-11-20') AND execution_id < carillon_first_id('2026-11-21') ORDER BY execution_id DESC LIMIT 10"
        )
        #expect(
            plan.contains("job_executions_20261120") && !plan.contains("20261121") && !plan.contains("Sort"),
            "\(plan)"
        )
    }

    @Test func `history is read from the replica, jobs from the primary`() async throws {
        let fixture = try Fixture()
        _ = try await fixture.lead()
        let replica = try fixture.cluster.makeDatabase()
        try Migrator(url: replica, logger: fixture.log.logger).up()
        let other = Sample.jobID(5)
        try fixture.cluster.psql(
            "INSERT INTO jobs (job_id, schedule, api_url) VALUES ('\(other)', '@daily', 'http://x')",
            url: replica
        )
        let row = Sample.execution(other, at: noon)
        try fixture.cluster.psql("SELECT carillon_make_day('2026-11-20')", url: replica)
        try fixture.cluster.psql(
            "INSERT INTO job_executions (execution_id, job_id, shard, scheduled_time) VALUES ('\(row.id)', '\(other)', 0, '2026-11-20T10:00:00Z')",
            url: replica
        )
        let reader = PostgresReader(
            configuration: PostgresConfiguration(url: fixture.url, readURL: replica, connections: 1),
            logger: fixture.log.logger
        )
        #expect(try await reader.job(other, includingDeleted: true) == nil)
        #expect(try await reader.executions(ExecutionQuery()).executions.map(\.id) == [row.id])
        #expect(try await reader.shards().first?.owner == fixture.owner)
        reader.shutdown()
        await #expect(throws: ReadError.self) { try await reader.shards() }
    }

    @Test func `many concurrent reads share the connections`() async throws {
        let fixture = try Fixture()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<200 { group.addTask { try await fixture.reader.shards().count } }
            for try await count in group { #expect(count == 16) }
        }
        let sessions = try fixture.psql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'carillon-scheduler' AND query LIKE '%shards%'"
        )
        #expect(sessions == "2")
    }

    @Test func `a query that takes too long is cancelled, and the reader continues`() async throws {
        let fixture = try Fixture()
        let blocker = try Blocker(url: fixture.url, holding: "LOCK TABLE shards IN ACCESS EXCLUSIVE MODE")
        let error = await #expect(throws: ReadError.self) { try await fixture.reader.shards() }
        #expect(error?.message.contains("lock") == true, "\(String(describing: error))")
        blocker.release()
        #expect(try await fixture.reader.shards().count == 16)
    }
}
