import CarillonCore
import CarillonPostgres
import TestSupport
import Testing

@Suite struct ReaderTests {
    private let noon = Sample.noon

    @Test func `jobs are listed newest first, in pages, and filtered`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let jobs = (0..<25).map { number in
            var job = Sample.job(number, at: noon + Int64(number))
            job.name = "job \(number)"
            job.active = number % 5 != 0
            job.tags = number % 2 == 0 ? ["even", "all"] : ["all"]
            return job
        }
        var hidden = Sample.job(99, at: noon + 99)
        hidden.hidden = true
        _ = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { [hidden] batch in
                batch.changes = (jobs + [hidden]).map { JobChange(job: $0, isNew: true) }
            }
        )
        var seen: [Job] = []
        var query = JobQuery(limit: 10)
        repeat {
            let page = try await fixture.reader.jobs(query)
            #expect(page.total == 25)
            #expect(page.hasMore == (seen.count + page.jobs.count < 25))
            seen += page.jobs
            query.after = page.jobs.last?.id
            if !page.hasMore { break }
        } while true
        #expect(seen == jobs.reversed())
        #expect(try await fixture.reader.jobs(JobQuery(active: false)).jobs.count == 5)
        #expect(try await fixture.reader.jobs(JobQuery(active: true, tag: "even")).jobs.count == 10)
        #expect(try await fixture.reader.jobs(JobQuery(name: "job 7")).jobs == [jobs[7]])
        #expect(try await fixture.reader.jobs(JobQuery(name: "job 7")).total == nil)
        #expect(try await fixture.reader.jobs(JobQuery(tag: "none")).jobs.isEmpty)
        #expect(try await fixture.reader.job(hidden.id, includingDeleted: false)?.hidden == true)

        // By their last execution that is over, or by what the last one does.
        let old = jobs.prefix(3).map { Sample.execution($0.id, at: noon - 90_000_000) }
        let new = jobs.prefix(2).map { Sample.execution($0.id, at: noon) }
        _ = try await fixture.store.commit(fixture.batch(2, epoch: epoch) { $0.inserts = old + new })
        _ = try await fixture.store.commit(
            fixture.batch(3, epoch: epoch) { batch in
                batch.updates = old.map { Sample.ended($0, .failed) } + [Sample.ended(new[0], .success)]
            }
        )
        #expect(
            try await fixture.reader.jobs(JobQuery(lastStatus: .failed)).jobs.map(\.id) == [jobs[2].id, jobs[1].id]
        )
        #expect(try await fixture.reader.jobs(JobQuery(lastStatus: .success)).jobs.map(\.id) == [jobs[0].id])
        #expect(try await fixture.reader.jobs(JobQuery(lastStatus: .pending)).jobs.map(\.id) == [jobs[1].id])
        #expect(try await fixture.reader.jobs(JobQuery(lastStatus: .unknown)).jobs.isEmpty)

        // A deleted job is found only where that is asked for.
        var deleted = jobs[3]
        (deleted.version, deleted.deletedAt) = (2, noon + 5)
        _ = try await fixture.store.commit(
            fixture.batch(4, epoch: epoch) { [deleted] in $0.changes = [JobChange(job: deleted, isNew: false)] }
        )
        #expect(try await fixture.reader.job(deleted.id, includingDeleted: false) == nil)
        #expect(try await fixture.reader.job(deleted.id, includingDeleted: true) == deleted)
        #expect(try await fixture.reader.jobs(JobQuery()).total == 24)
        #expect(try await fixture.store.jobs(.loadJobs).count == 24)
        #expect(try await fixture.store.jobs(.loadJobsNamed([deleted.id, hidden.id])).count == 2)
    }

    @Test func `jobs that are asked for at the same time come to those who asked`() async throws {
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

    @Test func `executions are listed newest first, in pages, and filtered`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let ids = [Sample.jobID(1), Sample.jobID(2)]
        // Every two hours over four days.
        let rows = (0..<48).flatMap { step in ids.map { Sample.execution($0, at: noon + Int64(step) * 7_200_000) } }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = rows })
        let failed = rows.enumerated().filter { $0.offset % 10 == 3 }.map { Sample.ended($0.element, .failed) }
        _ = try await fixture.store.commit(fixture.batch(2, epoch: epoch) { $0.updates = failed })
        let expected = rows.sorted { $0.id > $1.id }.map(\.id)

        for job in [nil, ids[0]] {
            var seen: [ExecutionID] = []
            var query = ExecutionQuery(jobID: job, limit: 7)
            while true {
                let page = try await fixture.reader.executions(query)
                seen += page.executions.map(\.id)
                query.after = page.executions.last?.id
                if !page.hasMore { break }
            }
            let those = rows.filter { job == nil || $0.jobID == job }.map(\.id)
            #expect(seen == expected.filter { those.contains($0) })
        }
        let range = ExecutionQuery(from: noon + 7_200_000, to: noon + 14_400_000)
        #expect(
            try await fixture.reader.executions(range).executions.map(\.scheduledTime) == [
                noon + 7_200_000, noon + 7_200_000,
            ]
        )
        let found = try await fixture.reader.executions(ExecutionQuery(statuses: [.failed, .unknown])).executions
        #expect(found == failed.sorted { $0.id > $1.id })
        let wide = ExecutionQuery(jobID: ids[1], from: .distantPast, to: Timestamp(milliseconds: .max / 4), limit: 1)
        #expect(
            try await fixture.reader.executions(wide).executions.first?.id
                == expected.first { id in rows.contains { $0.id == id && $0.jobID == ids[1] } }
        )
        #expect(try await fixture.reader.execution(rows[0].id, of: ids[1]) == nil)
        #expect(try await fixture.reader.execution(rows[0].id, of: ids[0])?.attempts == [])
        // A page touches the days of its range and no others.
        let plan = try fixture.psql(
            "EXPLAIN SELECT * FROM job_executions WHERE execution_id >= carillon_first_id('2026-11-20') AND execution_id < carillon_first_id('2026-11-21') ORDER BY execution_id DESC LIMIT 10"
        )
        #expect(
            plan.contains("job_executions_20261120") && !plan.contains("20261121") && !plan.contains("Sort"),
            "\(plan)"
        )
    }

    @Test func `the latest execution is not one that is still to come`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let job = Sample.jobID(1)
        #expect(try await fixture.reader.latestExecution(of: job) == nil)
        let past = Sample.execution(job, at: Timestamp(milliseconds: 1_700_000_000_000))
        let future = Sample.execution(job, at: Timestamp(milliseconds: 4_000_000_000_000))
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = [past, future] })
        #expect(try await fixture.reader.latestExecution(of: job) == past)
    }

    @Test func `stats are what the rows say`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let job = Sample.jobID(1)
        #expect(try await fixture.reader.stats(of: job, from: .distantPast, to: .distantFuture) == ExecutionStats())
        let rows = (0..<100).map { Sample.execution(job, at: noon + Int64($0) * 1_000) }
        let other = Sample.execution(Sample.jobID(2), at: noon)
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = rows + [other] })
        let ended = rows.enumerated().map { index, row in
            Sample.ended(
                row,
                index < 90 ? .success : index < 95 ? .failed : .unknown,
                durationMicroseconds: Int64(index + 1) * 1_000
            )
        }
        _ = try await fixture.store.commit(fixture.batch(2, epoch: epoch) { $0.updates = ended })
        let stats = try await fixture.reader.stats(of: job, from: noon, to: noon + 100_000)
        #expect((stats.total, stats.successes, stats.failures) == (100, 90, 10))
        let drift = try #require(stats.drift)
        #expect(abs(drift.average - 3_210) < 0.01)
        #expect([drift.p50, drift.p95, drift.p99] == [3_210, 3_210, 3_210])
        let duration = try #require(stats.duration)
        #expect(abs(duration.average - 50_500) < 0.01 && abs(duration.p50 - 50_500) < 0.01)
        #expect(abs(duration.p95 - 95_050) < 0.01 && abs(duration.p99 - 99_010) < 0.01)
        let half = try await fixture.reader.stats(of: job, from: noon, to: noon + 50_000)
        #expect(half.total == 50)
    }

    @Test func `a replica gets the history, the primary the jobs`() async throws {
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

    @Test func `many reads at once share the connections`() async throws {
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

    @Test func `a query that takes too long is given up, and the reader goes on`() async throws {
        let fixture = try Fixture()
        let blocker = try Blocker(url: fixture.url, holding: "LOCK TABLE shards IN ACCESS EXCLUSIVE MODE")
        let error = await #expect(throws: ReadError.self) { try await fixture.reader.shards() }
        #expect(error?.message.contains("lock") == true, "\(String(describing: error))")
        blocker.release()
        #expect(try await fixture.reader.shards().count == 16)
    }
}
