import CarillonCore
import CarillonPostgres
import TestSupport
import Testing

/// Changes made manually with psql.
@Suite struct HandMadeTests {
    @Test func `an inserted job needs a schedule and a URL, and gets defaults for the rest`() async throws {
        let fixture = try Fixture()
        let id = try fixture.psql(
            "INSERT INTO jobs (schedule, api_url) VALUES ('@hourly', 'http://localhost/x') RETURNING job_id"
        )
        let job = try #require(try await fixture.store.jobs(.loadJobs).first)
        #expect(job.id == JobID(try #require(UniqueID(id))))
        #expect(
            job.version == 1 && job.active && job.timeZone == "UTC" && job.call.method == "POST" && job.maxRetries == 3
        )
        #expect(job.id.uuid[6] >> 4 == 7, "a UUIDv7")
        #expect(abs(job.createdAt - ExecutionID(job.id.uuid).time) < 1_000)
        #expect(try await fixture.reader.jobs(JobQuery()).total == 1)
        #expect(try await fixture.store.jobs(.loadChangedJobs(since: job.updatedAt)) == [job])
    }

    @Test func `the database computes the same shard as schedulers`() throws {
        let fixture = try Fixture()
        let rows = try fixture.psql(
            "INSERT INTO jobs (job_id, schedule, api_url) SELECT gen_random_uuid(), '@daily', 'http://x' FROM generate_series(1, 500) RETURNING job_id, shard"
        )
        for row in rows.split(separator: "\n") {
            let parts = row.split(separator: "|")
            #expect(UniqueID(parts[0]).map { String(JobID($0).shard) } == String(parts[1]))
        }
        #expect(rows.split(separator: "\n").count == 500)
    }

    @Test func `an UPDATE counts as a change, a DELETE as a deletion`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let job = Sample.job(1)
        _ = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { $0.changes = [JobChange(job: job, isNew: true)] }
        )
        try fixture.psql("UPDATE jobs SET schedule = '@daily', headers = '{\"X-A: b\"}', tags = '{x,y}'")
        var found = try #require(try await fixture.store.jobs(.loadJobs).first)
        #expect(found.version == 2 && found.schedule == "@daily" && found.updatedAt != job.updatedAt)
        #expect(found.effectiveFrom == found.updatedAt || found.effectiveFrom > job.effectiveFrom)
        #expect(found.call.headers == [HTTPHeader(name: "X-A", value: "b")] && found.tags == ["x", "y"])
        let effective = found.effectiveFrom
        try fixture.psql("UPDATE jobs SET priority = 5")
        found = try #require(try await fixture.store.jobs(.loadJobs).first)
        #expect(found.version == 3 && found.effectiveFrom == effective, "the schedule continues")
        // A scheduler's own change of the version is kept.
        found.version = 4
        let mine = found
        _ = try await fixture.store.commit(
            fixture.batch(2, epoch: epoch) { $0.changes = [JobChange(job: mine, isNew: false)] }
        )
        #expect(try await fixture.store.jobs(.loadJobs) == [mine])

        try fixture.psql("DELETE FROM jobs")
        #expect(try await fixture.store.jobs(.loadJobs).isEmpty)
        let gone = try #require(try await fixture.store.jobs(.loadChangedJobs(since: mine.updatedAt)).first)
        #expect(gone.deletedAt != nil && !gone.active && gone.version == 5)
        #expect(try await fixture.reader.jobs(JobQuery()).total == 0)
        try fixture.psql("DELETE FROM jobs")
        #expect(try fixture.psql("SELECT count(*) FROM jobs") == "0", "what is deleted already may be purged")
    }

    @Test func `the table refuses invalid values`() throws {
        let fixture = try Fixture()
        for change in ["overlap_policy = 'MAYBE'", "timeout_ms = 0", "name = ''", "job_id = gen_random_uuid()"] {
            try fixture.psql("INSERT INTO jobs (schedule, api_url) VALUES ('@daily', 'http://x')")
            #expect(throws: ChildProgram.Failure.self, "\(change)") { try fixture.psql("UPDATE jobs SET \(change)") }
        }
    }

    @Test func `the count of jobs follows every change, without blocking other sessions`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        try fixture.psql("INSERT INTO jobs (schedule, api_url) SELECT '@daily', 'http://x' FROM generate_series(1, 10)")
        let blocker = try Blocker(
            url: fixture.url,
            holding: "INSERT INTO jobs (schedule, api_url) VALUES ('@daily', 'http://x')"
        )
        let result = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { $0.changes = [JobChange(job: Sample.job(1), isNew: true)] }
        )
        #expect(result == .committed(notPending: []))
        #expect(try await fixture.reader.jobs(JobQuery()).total == 11)
        blocker.release()
        try fixture.psql("UPDATE jobs SET hidden = true WHERE job_id IN (SELECT job_id FROM jobs LIMIT 3)")
        #expect(try await fixture.reader.jobs(JobQuery()).total == 8)
        try fixture.psql("TRUNCATE jobs")
        #expect(try await fixture.reader.jobs(JobQuery()).total == 0)
    }

    @Test func `changes are read in pages, even if many were made at once`() async throws {
        let fixture = try Fixture()
        try fixture.psql(
            "INSERT INTO jobs (schedule, api_url) SELECT '@daily', 'http://x' FROM generate_series(1, 25000)"
        )
        try fixture.psql("UPDATE jobs SET updated_at = '2026-11-20T10:00:00.5Z', version = version + 1")
        #expect(Set(try await fixture.store.jobs(.loadChangedJobs(since: Sample.noon)).map(\.id)).count == 25_000)
        #expect(try await fixture.store.jobs(.loadChangedJobs(since: Sample.noon + 501)).isEmpty)
        #expect(try await fixture.store.jobs(.loadJobs).count == 25_000)
    }

    @Test func `several sessions create the same day at the same time`() async throws {
        let fixture = try Fixture()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try fixture.psql("SELECT carillon_make_day('2031-05-06')") } }
            try await group.waitForAll()
        }
        let found = try fixture.psql(
            "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname IN ('job_executions_20310506', 'execution_attempts_20310506')"
        )
        #expect(found.split(separator: "\n").count == 2)
        #expect(found.contains("01c28eb7-e400-0000-0000-000000000000") || found.contains("FOR VALUES FROM"))
    }
}
