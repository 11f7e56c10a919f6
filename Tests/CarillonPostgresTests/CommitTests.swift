import CarillonCore
import CarillonCron
import CarillonPostgres
import TestSupport
import Testing

@Suite struct CommitTests {
    private let noon = Sample.noon

    @Test func `every part of a batch is stored and read back unchanged`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        var job = Sample.job(1)
        job.name = "nightly \"report\", näch\\ste"
        job.description = "line one\nline two"
        job.timeZone = "Europe/Vienna"
        job.daylightPolicy = .both
        job.call.method = "PUT"
        job.call.headers = [HTTPHeader(name: "X-A", value: "1, \"2\""), HTTPHeader(name: "X-A", value: " two: 3 ")]
        job.call.body = "{\"a\": \"\u{0}b\"}"
        job.executionType = .atMostOnce
        (job.timeoutMs, job.maxRetries, job.retryInitialDelayMs, job.retryMaxDelayMs) = (1, 0, 2, 3)
        (job.catchUpPolicy, job.catchUpWindowMs, job.overlapPolicy, job.priority) = (.all, 2_000_000_000, .skip, -7)
        (job.startsAt, job.endsAt, job.tags) = (noon, noon + 86_400_001, ["a", "b,c", "{}", "ü\"\\"])
        var pending = Sample.execution(job.id, at: noon + 2_000)
        var skipped = Sample.execution(job.id, at: noon + 4_000, .skipped)
        (skipped.reason, skipped.skippedCount, skipped.skippedFrom) = (.catchUp, 17, noon - 60_000)
        skipped.finishedAt = noon
        let manual = Sample.execution(job.id, at: noon + 2_500, trigger: .manual, nonce: [1])
        let key = IdempotencyRecord(
            operation: "create_job",
            key: "k1",
            fingerprint: "f",
            answer: job.id.uuid,
            expiresAt: Timestamp(milliseconds: 4_000_000_000_000)
        )
        let first = fixture.batch(1, epoch: epoch) { [job, pending] batch in
            batch.changes = [JobChange(job: job, isNew: true, inserts: [manual], idempotencyKey: key)]
            batch.inserts = [pending, skipped]
            batch.materializedThrough = noon + 4_000
            batch.outage = .some(Outage(from: noon - 60_000, to: noon))
        }
        #expect(try await fixture.store.commit(first) == .committed(notPending: []))

        job.call.body = "{\"a\": \"b\"}"
        #expect(try await fixture.store.jobs(.loadJobs) == [job])
        #expect(try await fixture.reader.job(job.id, includingDeleted: false) == job)
        #expect(try await fixture.store.openExecutions(since: noon) == [pending, manual].sorted { $0.id < $1.id })
        #expect(try await fixture.store.execution(skipped.id) == skipped)
        guard
            case .idempotencyRecord(let found) = try await fixture.store.answer(
                to: .findIdempotencyKey(operation: "create_job", key: "k1")
            )
        else { throw Unexpected("no key") }
        #expect(found == key)
        var shards = try await fixture.reader.shards()
        #expect(
            shards.allSatisfy {
                $0.materializedThrough == noon + 4_000 && $0.outage == Outage(from: noon - 60_000, to: noon)
            }
        )
        guard
            case .outageRows(let rows, isLast: true) = try await fixture.store.answer(
                to: .loadOutageRows(Outage(from: noon, to: noon + 4_000))
            )
        else { throw Unexpected("no outage rows") }
        #expect(
            rows == [
                OutageRow(jobID: job.id, from: noon + 2_000, to: noon + 2_000),
                OutageRow(jobID: job.id, from: noon - 60_000, to: noon + 4_000),
            ]
        )

        // The claim, a failed attempt with its retry, and the outcome.
        let token = DispatchToken(epoch: epoch, sequence: .max)
        let start = ExecutionStart(
            id: manual.id,
            token: token,
            attempts: 1,
            lostAttempts: 2,
            actualStartTime: noon + 2_501,
            worker: "w",
            isClaim: true
        )
        pending.status = .retrying
        pending.attempts = 1
        pending.nextAttemptAt = noon + 9_000
        pending.errorMessage = "connection refused"
        let attempt = Attempt(
            executionID: pending.id,
            number: 1,
            token: DispatchToken(epoch: epoch, sequence: 3),
            startedAt: noon + 2_001,
            finishedAt: noon + 2_003,
            durationMicroseconds: 1_234,
            httpStatus: nil,
            response: nil,
            errorMessage: "connection refused",
            worker: "w"
        )
        let second = fixture.batch(2, epoch: epoch) { [pending] batch in
            batch.starts = [start]
            batch.updates = [pending]
            batch.attempts = [attempt]
            batch.settledThrough = noon
            batch.outage = .some(nil)
        }
        #expect(try await fixture.store.commit(second) == .committed(notPending: []))
        shards = try await fixture.reader.shards()
        #expect(
            shards.allSatisfy {
                $0.settledThrough == noon && $0.outage == nil && $0.materializedThrough == noon + 4_000
            }
        )
        var claimed = manual
        (claimed.status, claimed.token, claimed.attempts, claimed.lostAttempts) = (.running, token, 1, 2)
        (claimed.actualStartTime, claimed.worker, claimed.isClaimed) = (noon + 2_501, "w", true)
        #expect(try await fixture.store.execution(manual.id) == claimed)
        let read = try await fixture.reader.execution(pending.id, of: job.id)
        #expect(read?.execution == pending)
        #expect(read?.attempts == [attempt])

        let ended = Sample.ended(pending, .success)
        #expect(
            try await fixture.store.commit(fixture.batch(3, epoch: epoch) { $0.updates = [ended] })
                == .committed(notPending: [])
        )
        #expect(try await fixture.store.execution(pending.id) == ended)
        #expect(fixture.commits.values == [5, 3, 1])
        #expect(fixture.store.isConnected)
        #expect(fixture.lost.values.isEmpty)
    }

    @Test func `a final status stays, but UNKNOWN is replaced by the actual outcome`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let rows = (1...3).map { Sample.execution(Sample.jobID($0), at: noon) }
        let ends: [ExecutionStatus] = [.success, .unknown, .failed]
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = rows })
        _ = try await fixture.store.commit(
            fixture.batch(2, epoch: epoch) { $0.updates = zip(rows, ends).map { Sample.ended($0, $1) } }
        )
        // Within one batch, too, the first outcome counts.
        _ = try await fixture.store.commit(
            fixture.batch(3, epoch: epoch) { batch in
                batch.updates = rows.map { Sample.ended($0, .success) } + rows.map { Sample.ended($0, .cancelled) }
                batch.starts = rows.map {
                    ExecutionStart(
                        id: $0.id,
                        token: DispatchToken(epoch: 1, sequence: 1),
                        attempts: 9,
                        lostAttempts: 0,
                        actualStartTime: nil,
                        worker: nil,
                        isClaim: true
                    )
                }
            }
        )
        var found: [ExecutionStatus?] = []
        for row in rows { found.append(try await fixture.store.execution(row.id)?.status) }
        #expect(found == [.success, .success, .failed])
    }

    @Test func `an insert of existing rows reports those that must not be armed`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let rows = (1...4).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = Array(rows[..<3]) })
        _ = try await fixture.store.commit(
            fixture.batch(2, epoch: epoch) { $0.updates = [Sample.ended(rows[1], .success)] }
        )
        let result = try await fixture.store.commit(fixture.batch(3, epoch: epoch) { $0.inserts = rows })
        #expect(result == .committed(notPending: [rows[1].id]))
        #expect(try await fixture.store.openExecutions(since: noon).count == 3)
    }

    @Test func `changes of one job in one batch apply in their order`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        var job = Sample.job(1)
        job.name = "a"
        let (early, late) = (Sample.execution(job.id, at: noon + 2_000), Sample.execution(job.id, at: noon + 4_000))
        var second = job
        (second.version, second.schedule) = (2, "*/4 * * * * *")
        var other = Sample.job(2)
        other.name = "b"
        let batch = fixture.batch(1, epoch: epoch) { batch in
            batch.inserts = [late]
            batch.changes = [
                JobChange(job: job, isNew: true, inserts: [early]),
                JobChange(job: second, isNew: false, withdrawals: [early.id, late.id], inserts: [late]),
                JobChange(job: other, isNew: true),
            ]
        }
        #expect(try await fixture.store.commit(batch) == .committed(notPending: []))
        #expect(try await fixture.store.jobs(.loadJobs) == [second, other])
        #expect(try await fixture.store.openExecutions(since: noon) == [late])
        // A name is freed and taken in the same batch; a withdrawal does not delete rows that have started.
        (second.version, second.name, other.version, other.name) = (3, "c", 2, "a")
        var third = Sample.job(3)
        third.name = "b"
        let next = fixture.batch(2, epoch: epoch) { batch in
            batch.starts = [
                ExecutionStart(
                    id: late.id,
                    token: DispatchToken(epoch: 1, sequence: 1),
                    attempts: 1,
                    lostAttempts: 0,
                    actualStartTime: nil,
                    worker: nil,
                    isClaim: true
                )
            ]
            batch.changes = [JobChange(job: second, isNew: false), JobChange(job: third, isNew: true)]
            batch.changes.insert(JobChange(job: other, isNew: false), at: 1)
        }
        let result = try await fixture.store.commit(next)
        if case .refused = result {
            // Within one statement, names may conflict that do not conflict when the changes are applied one by one.
            for (index, change) in next.changes.enumerated() {
                let alone = fixture.batch(UInt64(3 + index), epoch: epoch) { $0.changes = [change] }
                #expect(try await fixture.store.commit(alone) == .committed(notPending: []))
            }
        } else {
            #expect(result == .committed(notPending: []))
        }
        #expect(try await fixture.store.jobs(.loadJobs).map(\.name) == ["c", "a", "b"])
        let withdrawn = fixture.batch(9, epoch: epoch) { $0.withdrawals = [late.id] }
        #expect(try await fixture.store.commit(withdrawn) == .committed(notPending: []))
    }

    @Test func `a withdrawal deletes only PENDING rows`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let rows = (1...2).map { Sample.execution(Sample.jobID($0), at: noon) }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = rows })
        _ = try await fixture.store.commit(
            fixture.batch(2, epoch: epoch) { batch in
                batch.updates = [Sample.ended(rows[0], .failed)]
            }
        )
        _ = try await fixture.store.commit(fixture.batch(3, epoch: epoch) { $0.withdrawals = rows.map(\.id) })
        #expect(try await fixture.store.execution(rows[0].id)?.status == .failed)
        #expect(try await fixture.store.execution(rows[1].id) == nil)
    }

    @Test func `a duplicate name is refused with the name of its constraint, and nothing is written`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        var (one, two) = (Sample.job(1), Sample.job(2))
        one.name = "same"
        two.name = "same"
        _ = try await fixture.store.commit(
            fixture.batch(1, epoch: epoch) { [one] in $0.changes = [JobChange(job: one, isNew: true)] }
        )
        let result = try await fixture.store.commit(
            fixture.batch(2, epoch: epoch) { [two] batch in
                batch.changes = [JobChange(job: two, isNew: true, inserts: [Sample.execution(two.id, at: noon)])]
            }
        )
        guard case .refused(_, let constraint) = result else { throw Unexpected("\(result)") }
        #expect(constraint == "jobs_name_living")
        #expect(try await fixture.store.openExecutions(since: noon).isEmpty)
        // Once the first job is deleted, its name is free. The refused batch did not use up its sequence number.
        one.version = 2
        one.deletedAt = noon
        let after = fixture.batch(2, epoch: epoch) { [one, two] batch in
            batch.changes = [JobChange(job: one, isNew: false), JobChange(job: two, isNew: true)]
        }
        #expect(try await fixture.store.commit(after) == .committed(notPending: []))
        #expect(try await fixture.reader.jobs(JobQuery()).total == 1)
    }

    @Test func `a key in use is refused, and an expired key is replaced`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        func record(_ expiry: Int64, _ answer: UInt64) -> IdempotencyRecord {
            IdempotencyRecord(
                operation: "run_job",
                key: "k",
                fingerprint: "f",
                answer: UniqueID(high: 1, low: answer),
                expiresAt: Timestamp(milliseconds: expiry)
            )
        }
        func commit(_ sequence: UInt64, _ record: IdempotencyRecord) async throws -> CommitResult {
            try await fixture.store.commit(
                fixture.batch(sequence, epoch: epoch) { batch in
                    batch.changes = [JobChange(job: nil, isNew: false, idempotencyKey: record)]
                }
            )
        }
        #expect(try await commit(1, record(1_000, 1)) == .committed(notPending: []))
        #expect(try await commit(2, record(4_000_000_000_000, 2)) == .committed(notPending: []))
        guard case .refused(_, "idempotency_keys_pkey") = try await commit(3, record(4_000_000_000_000, 3)) else {
            throw Unexpected("was not refused")
        }
        #expect(try fixture.psql("SELECT answer FROM idempotency_keys") == "\(UniqueID(high: 1, low: 2))")
    }

    @Test func `partitions are created on demand, also for the distant past, and each day has its own`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let days: [Int64] = [
            0, 951_782_400_000, 1_709_164_800_000, 1_795_219_199_999, 1_795_219_200_000, 4_102_444_800_000,
        ]
        let rows = days.map { Sample.execution(Sample.jobID(1), at: Timestamp(milliseconds: $0)) }
        #expect(
            try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = rows })
                == .committed(notPending: [])
        )
        let tables = try fixture.psql("SELECT tableoid::regclass FROM job_executions ORDER BY execution_id")
        #expect(
            tables.split(separator: "\n").map { $0.suffix(8) } == [
                "19700101", "20000229", "20240229", "20261120", "20261121", "21000101",
            ]
        )
        let attempt = Attempt(
            executionID: rows[1].id,
            number: 1,
            token: DispatchToken(epoch: 1, sequence: 1),
            startedAt: noon,
            finishedAt: noon,
            durationMicroseconds: 1,
            httpStatus: 503,
            response: "no",
            errorMessage: nil,
            worker: nil
        )
        let batch = fixture.batch(2, epoch: epoch) { batch in
            batch.updates = rows.map { Sample.ended($0, .failed) }
            batch.attempts = [attempt]
        }
        #expect(try await fixture.store.commit(batch) == .committed(notPending: []))
        #expect(try await fixture.store.openExecutions(since: Timestamp(milliseconds: 0)).isEmpty)
        // A partition that was dropped without the writer's knowledge is created again.
        try fixture.psql("DROP TABLE job_executions_20000229, execution_attempts_20000229")
        let again = fixture.batch(3, epoch: epoch) { $0.inserts = [rows[1]] }
        #expect(try await fixture.store.commit(again) == .committed(notPending: []))
        #expect(try await fixture.store.execution(rows[1].id) == rows[1])
    }

    @Test func `maintenance creates the partitions of the week, and drops old ones without open rows`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let old = (0..<4).map {
            Sample.execution(Sample.jobID(1), at: Timestamp(milliseconds: 1_600_000_000_000 + $0 * 86_400_000))
        }
        _ = try await fixture.store.commit(fixture.batch(1, epoch: epoch) { $0.inserts = old })
        _ = try await fixture.store.commit(
            fixture.batch(2, epoch: epoch) { $0.updates = [old[0], old[2], old[3]].map { Sample.ended($0, .success) } }
        )
        let before = try fixture.psql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'job_executions'::regclass")
        #expect(before == "13" || before == "12", "\(before)")
        // The end of the third day is not before the limit.
        let answer = try await fixture.store.answer(to: .maintain(retainFrom: old[3].scheduledTime))
        guard case .maintained = answer else { throw Unexpected("\(answer)") }
        var left: [Bool] = []
        for row in old { left.append(try await fixture.store.execution(row.id) != nil) }
        #expect(left == [false, true, false, true])
        #expect(try fixture.psql("SELECT to_regclass('execution_attempts_20200913') IS NULL") == "t")
        #expect(try fixture.psql("SELECT to_regclass('execution_attempts_20200914') IS NULL") == "f")
        // The writer does not know yet that the day was dropped.
        #expect(
            try await fixture.store.commit(fixture.batch(3, epoch: epoch) { $0.inserts = [old[0]] })
                == .committed(notPending: [])
        )
        #expect(try await fixture.store.execution(old[0].id) == old[0])
    }

    @Test func `texts that PostgreSQL cannot store are converted`() async throws {
        let fixture = try Fixture()
        let epoch = try await fixture.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        var ended = Sample.ended(row, .failed)
        ended.response = "a\u{0}b" + String(repeating: "x", count: 100_000)
        ended.errorMessage = "\u{0}"
        let batch = fixture.batch(1, epoch: epoch) { [ended] batch in
            batch.inserts = [row]
            batch.updates = [ended]
        }
        #expect(try await fixture.store.commit(batch) == .committed(notPending: []))
        let found = try await fixture.store.execution(row.id)
        #expect(found?.response == "ab" + String(repeating: "x", count: 100_000))
        #expect(found?.errorMessage == "")
    }
}
