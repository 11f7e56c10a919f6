import CarillonCore
import TestSupport
import Testing

/// The guarantees of a store for the core, for the in-memory twin (which the simulation uses) and for PostgreSQL.
@Suite struct StoreContractTests {
    private let noon = Sample.noon

    private func key(_ key: String, of operation: String = "run_job", answer: UInt64, isExpired: Bool = false)
        -> IdempotencyRecord
    {
        IdempotencyRecord(
            operation: operation,
            key: key,
            fingerprint: "f",
            answer: UniqueID(high: 1, low: answer),
            expiresAt: Timestamp(milliseconds: isExpired ? 1_000 : 4_000_000_000_000)
        )
    }

    // MARK: Materialize

    @Test(arguments: StoreKind.allCases)
    func `materialized rows exist up to the time that the batch declares`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        #expect(try await writer.lead().allSatisfy { $0.materializedThrough == nil && $0.outage == nil })
        let rows = (1...5).map { Sample.execution(Sample.jobID($0), at: noon + Int64($0) * 1_000) }
        let result = try await writer.write { batch in
            batch.inserts = rows.reversed()
            batch.materializedThrough = noon + 5_000
            batch.settledThrough = noon
        }
        #expect(result == .committed(notPending: []))
        #expect(try await writer.store.openExecutions(since: noon) == rows)
        #expect(try await writer.store.openExecutions(since: noon + 3_000) == Array(rows[2...]))
        let shard = try await writer.shard()
        #expect(shard.materializedThrough == noon + 5_000 && shard.settledThrough == noon)
        // A batch without a watermark does not change it.
        try await writer.write { $0.withdrawals = [rows[0].id] }
        #expect(try await writer.shard().materializedThrough == noon + 5_000)
        #expect(try await writer.store.execution(rows[0].id) == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `an insert of existing rows changes nothing, and reports them`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let rows = (1...4).map { Sample.execution(Sample.jobID($0), at: noon) }
        try await writer.write { $0.inserts = Array(rows[..<3]) }
        try await writer.write { batch in
            batch.updates = [Sample.ended(rows[0], .success)]
            batch.starts = [Sample.start(rows[1])]
        }
        let again = try await writer.write { $0.inserts = rows.map { Sample.execution($0.jobID, at: noon) } }
        guard case .committed(let notPending) = again else { throw Unexpected("\(again)") }
        #expect(Set(notPending) == [rows[0].id, rows[1].id])
        #expect(try await writer.store.execution(rows[0].id) == Sample.ended(rows[0], .success))
        #expect(try await writer.status(rows[1].id) == .running)
        // Rows of a change count as well. A SKIPPED row is never armed, so it is not reported.
        let skipped = Sample.execution(rows[0].jobID, at: noon, .skipped)
        let changed = try await writer.write { batch in
            batch.changes = [JobChange(job: nil, isNew: false, inserts: [rows[1]])]
            batch.inserts = [skipped]
        }
        #expect(changed == .committed(notPending: [rows[1].id]))
        #expect(try await writer.status(rows[0].id) == .success)
    }

    @Test(arguments: StoreKind.allCases)
    func `an outage is set, kept and cleared, and its rows lie between its ends`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let job = Sample.jobID(1)
        let rows = (0...4).map { Sample.execution(job, at: noon + Int64($0) * 1_000) }
        var many = Sample.execution(Sample.jobID(2), at: noon + 2_500, .skipped)
        (many.skippedCount, many.skippedFrom, many.reason) = (9, noon - 90_000, .catchUp)
        let manual = Sample.execution(job, at: noon + 1_500, trigger: .manual, nonce: [1])
        let outage = Outage(from: noon, to: noon + 3_000)
        try await writer.write { [many] batch in
            batch.inserts = rows + [many, manual]
            batch.outage = .some(outage)
        }
        try await writer.write { $0.settledThrough = noon }
        #expect(try await writer.shard().outage == outage)
        let answers = await writer.store.answers(to: .loadOutageRows(outage))
        let found = answers.flatMap { answer -> [OutageRow] in
            if case .outageRows(let rows, _) = answer { rows } else { [] }
        }
        var expected = rows[1...3].map { OutageRow(jobID: job, from: $0.scheduledTime, to: $0.scheduledTime) }
        expected.insert(OutageRow(jobID: many.jobID, from: noon - 90_000, to: noon + 2_500), at: 2)
        #expect(found == expected)
        try await writer.write { $0.outage = .some(nil) }
        #expect(try await writer.shard().outage == nil)
    }

    // MARK: State for the next leader

    @Test(arguments: StoreKind.allCases)
    func `a claim remains marked until its outcome is written`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let rows = (1...3).map { Sample.execution(Sample.jobID($0), at: noon + Int64($0)) }
        try await writer.write { $0.inserts = rows }
        func claims() async throws -> [Bool] {
            try await writer.store.openExecutions(since: noon).map(\.isClaimed)
        }
        #expect(try await claims() == [false, false, false])
        try await writer.write {
            $0.starts = [Sample.start(rows[0]), Sample.start(rows[1]), Sample.start(rows[2], isClaim: false)]
        }
        #expect(try await claims() == [true, true, false])
        // Nothing was sent, so the call will be repeated with the job's settings at that time.
        var retrying = rows[0]
        (retrying.status, retrying.attempts, retrying.nextAttemptAt) = (.retrying, 1, noon + 2_000)
        try await writer.write { [retrying] in $0.updates = [retrying] }
        #expect(try await claims() == [false, true, false])
        try await writer.write { $0.starts = [Sample.start(rows[0], 2, isClaim: false), Sample.start(rows[2], 2)] }
        #expect(try await claims() == [false, true, true])
        // A new leader reads the same state.
        try database.endLeaseSession()
        var next = Writer(database.store(), 2)
        try await next.lead()
        #expect(try await next.store.openExecutions(since: noon).map(\.isClaimed) == [false, true, true])
    }

    @Test(arguments: StoreKind.allCases)
    func `the workers that may hold calls are stored for the next leader`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        #expect(try await writer.lead().allSatisfy { $0.workers == nil })
        try await writer.write { $0.workers = ["a", "b, {c}", "ü\""] }
        try await writer.write { $0.settledThrough = noon }
        #expect(try await writer.shard().workers == ["a", "b, {c}", "ü\""])
        try database.endLeaseSession()
        var next = Writer(database.store(), 2)
        #expect(try await next.lead().compactMap(\.workers) == [["a", "b, {c}", "ü\""]])
        let late = writer.batch { $0.workers = ["late"] }
        #expect(try await writer.store.commit(late) == .fenced)
        try await next.write { $0.workers = [] }
        #expect(try await next.shard().workers == [])
    }

    // MARK: Fence

    @Test(arguments: StoreKind.allCases)
    func `a batch of another owner or epoch writes nothing`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        func everything(_ batch: inout WriteBatch) {
            batch.inserts = [row]
            batch.materializedThrough = noon
            batch.changes = [JobChange(job: Sample.job(1), isNew: true, idempotencyKey: key("k", answer: 1))]
        }
        let old = writer.batch(everything)
        try await writer.lead()
        #expect(try await writer.store.commit(old) == .fenced)
        var stranger = writer.batch(everything)
        stranger.owner = .zero
        #expect(try await writer.store.commit(stranger) == .fenced)
        var future = writer.batch(everything)
        future.epoch += 1
        #expect(try await writer.store.commit(future) == .fenced)
        #expect(try await writer.store.openExecutions(since: noon).isEmpty)
        #expect(try await writer.store.jobs(.loadJobs).isEmpty)
        #expect(try await writer.shard().materializedThrough == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `a batch writes nothing where an earlier batch of its epoch is missing`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        try await writer.write { $0.materializedThrough = noon }
        var late = writer.batch { $0.materializedThrough = noon + 1_000 }
        late.committedSequence = late.sequence
        late.sequence += 1
        #expect(try await writer.store.commit(late) == .fenced)
        #expect(try await writer.shard().materializedThrough == noon)
        late.committedSequence = late.sequence - 2
        #expect(try await writer.store.commit(late) == .committed(notPending: []))
        #expect(try await writer.shard().materializedThrough == noon + 1_000)
    }

    @Test(arguments: StoreKind.allCases)
    func `a batch that arrives twice counts once, and numbers restart with an epoch`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let rows = (1...2).map { Sample.execution(Sample.jobID($0), at: noon) }
        let job = Sample.job(1)
        let first = writer.batch { batch in
            batch.inserts = rows
            batch.changes = [JobChange(job: job, isNew: true, idempotencyKey: key("k", answer: 1))]
        }
        #expect(try await writer.store.commit(first) == .committed(notPending: []))
        #expect(try await writer.store.commit(first) == .committed(notPending: []))
        try await writer.write { $0.updates = [Sample.ended(rows[0], .success)] }
        // A later batch does not permit the old one either; the states of its inserted rows are read back.
        #expect(try await writer.store.commit(first) == .committed(notPending: [rows[0].id]))
        #expect(try await writer.store.jobs(.loadJobs) == [job])
        try await writer.lead()
        #expect(try await writer.write { $0.withdrawals = [rows[1].id] } == .committed(notPending: []))
        #expect(try await writer.store.openExecutions(since: noon).isEmpty)
    }

    // MARK: Record

    @Test(arguments: StoreKind.allCases)
    func `an execution goes from claim to retry to outcome`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        try await writer.write { $0.inserts = [row] }
        try await writer.write { $0.starts = [Sample.start(row)] }
        var expected = row
        (expected.status, expected.token, expected.attempts) = (.running, DispatchToken(epoch: 1, sequence: 1), 1)
        (expected.actualStartTime, expected.worker, expected.isClaimed) = (noon + 1, "w", true)
        #expect(try await writer.store.execution(row.id) == expected)
        (expected.status, expected.isClaimed) = (.retrying, false)
        expected.nextAttemptAt = noon + 2_000
        try await writer.write { [expected] batch in
            batch.updates = [expected]
            batch.attempts = [Sample.attempt(row, 1)]
        }
        #expect(try await writer.store.execution(row.id) == expected)
        #expect(try await writer.store.openExecutions(since: noon) == [expected])
        // The next claim clears the time of the retry.
        try await writer.write { $0.starts = [Sample.start(row, 2)] }
        #expect(try await writer.store.execution(row.id)?.nextAttemptAt == nil)
        // Columns that an update never changes are kept, whatever the update contains.
        var ended = Sample.ended(row, .failed)
        ended.createdAt = noon + 99_000
        try await writer.write { [ended] batch in
            batch.updates = [ended]
            batch.attempts = [Sample.attempt(row, 2), Sample.attempt(row, 1)]
        }
        #expect(try await writer.store.execution(row.id) == Sample.ended(row, .failed))
        #expect(try database.attempts() == ["\(row.id)|1", "\(row.id)|2"])
        #expect(try await writer.store.openExecutions(since: noon).isEmpty)
    }

    @Test(arguments: StoreKind.allCases)
    func `a final status stays, but UNKNOWN is replaced by the actual outcome`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let ends: [ExecutionStatus] = [.success, .unknown, .failed, .cancelled, .skipped]
        let rows = ends.indices.map { Sample.execution(Sample.jobID($0), at: noon) }
        try await writer.write { $0.inserts = rows }
        try await writer.write { $0.updates = zip(rows, ends).map { Sample.ended($0, $1) } }
        try await writer.write { batch in
            batch.starts = rows.map { Sample.start($0, 9) }
            // Within one batch, too, the first outcome counts.
            batch.updates = rows.map { Sample.ended($0, .success) } + rows.map { Sample.ended($0, .cancelled) }
            batch.withdrawals = rows.map(\.id)
        }
        var found: [ExecutionStatus?] = []
        for row in rows { found.append(try await writer.status(row.id)) }
        #expect(found == [.success, .success, .failed, .cancelled, .skipped])
        // An update without a row is not an error.
        let nobody = Sample.execution(Sample.jobID(99), at: noon)
        let result = try await writer.write { batch in
            batch.starts = [Sample.start(nobody)]
            batch.updates = [Sample.ended(nobody, .success)]
            batch.withdrawals = [nobody.id]
        }
        #expect(result == .committed(notPending: []))
        #expect(try await writer.store.execution(nobody.id) == nil)
    }

    // MARK: Jobs

    @Test(arguments: StoreKind.allCases)
    func `the job list omits deleted jobs, other reads include them`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        var jobs = (1...4).map { Sample.job($0) }
        jobs[1].isAdHoc = true
        for index in jobs.indices { jobs[index].updatedAt = noon + Int64(index) }
        try await writer.write { [jobs] batch in batch.changes = jobs.map { JobChange(job: $0, isNew: true) } }
        #expect(try await writer.store.jobs(.loadJobs) == [jobs[0], jobs[2], jobs[3]])
        (jobs[2].deletedAt, jobs[2].version, jobs[2].active) = (noon, 2, false)
        try await writer.write { [jobs] in $0.changes = [JobChange(job: jobs[2], isNew: false)] }
        #expect(try await writer.store.jobs(.loadJobs) == [jobs[0], jobs[3]])
        let asked = [jobs[2].id, Sample.jobID(77), jobs[1].id]
        #expect(try await writer.store.jobs(.loadJobsNamed(asked)) == [jobs[1], jobs[2]])
        #expect(try await writer.store.jobs(.loadChangedJobs(since: noon + 2)) == [jobs[2], jobs[3]])
        #expect(try await writer.store.jobs(.loadJobsNamed([])).isEmpty)
    }

    @Test(arguments: StoreKind.allCases)
    func `changes withdraw old rows and insert new rows, in their order`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let job = Sample.job(1)
        var changed = job
        (changed.version, changed.schedule, changed.createdAt) = (2, "*/4 * * * * *", noon + 5)
        let rows = (1...4).map { Sample.execution(job.id, at: noon + Int64($0) * 1_000) }
        let result = try await writer.write { [changed] batch in
            batch.inserts = [rows[0], rows[1]]
            batch.starts = [Sample.start(rows[0])]
            batch.changes = [
                JobChange(job: job, isNew: true, inserts: [rows[2]]),
                JobChange(job: changed, isNew: false, withdrawals: rows[1...2].map(\.id), inserts: [rows[2], rows[3]]),
            ]
        }
        #expect(result == .committed(notPending: []))
        var expected = changed
        expected.createdAt = try #require(try await writer.store.jobs(.loadJobs).first).createdAt
        #expect(try await writer.store.jobs(.loadJobs) == [expected])
        #expect(try await writer.store.openExecutions(since: noon).map(\.id) == [rows[0].id, rows[2].id, rows[3].id])
        // After the deletion, rows that have started are kept.
        (changed.version, changed.deletedAt) = (3, noon)
        try await writer.write { [changed] batch in
            batch.changes = [JobChange(job: changed, isNew: false, withdrawals: rows.map(\.id))]
        }
        #expect(try await writer.store.openExecutions(since: noon).map(\.status) == [.running])
        #expect(try await writer.store.jobs(.loadJobs).isEmpty)
        // A change of a missing job does not create it, and an existing job is not created again.
        try await writer.write { $0.changes = [JobChange(job: Sample.job(8), isNew: false)] }
        #expect(try await writer.store.jobs(.loadJobsNamed([Sample.jobID(8)])).isEmpty)
        let again = try await writer.write { $0.changes = [JobChange(job: job, isNew: true)] }
        guard case .refused(_, "jobs_pkey") = again else { throw Unexpected("\(again)") }
    }

    @Test(arguments: StoreKind.allCases)
    func `a name belongs to one existing job, and a refused batch writes nothing`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        var (one, two) = (Sample.job(1), Sample.job(2))
        (one.name, two.name) = ("same", "same")
        try await writer.write { [one] in $0.changes = [JobChange(job: one, isNew: true)] }
        let row = Sample.execution(two.id, at: noon)
        let result = try await writer.write { [two] batch in
            batch.changes = [JobChange(job: two, isNew: true, inserts: [row], idempotencyKey: key("k", answer: 1))]
            batch.materializedThrough = noon
        }
        guard case .refused(_, "jobs_name_living") = result else { throw Unexpected("\(result)") }
        #expect(try await writer.store.jobs(.loadJobs) == [one])
        #expect(try await writer.store.execution(row.id) == nil)
        #expect(try await writer.shard().materializedThrough == nil)
        // The name is free after the deletion of its job, even in the same batch.
        (one.version, one.deletedAt) = (2, noon)
        let next = try await writer.write { [one, two] batch in
            batch.changes = [
                JobChange(job: one, isNew: false),
                JobChange(job: two, isNew: true, idempotencyKey: key("k", answer: 2)),
            ]
        }
        #expect(next == .committed(notPending: []))
        #expect(try await writer.store.jobs(.loadJobs) == [two])
        (two.version, two.name) = (2, nil)
        try await writer.write { [two] in $0.changes = [JobChange(job: two, isNew: false)] }
        #expect(try await writer.store.jobs(.loadJobs).map(\.name) == [nil])
    }

    @Test(arguments: StoreKind.allCases)
    func `a key is used once until it expires`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        func use(_ keys: IdempotencyRecord...) async throws -> CommitResult {
            try await writer.write { batch in
                batch.changes = keys.map { JobChange(job: nil, isNew: false, idempotencyKey: $0) }
            }
        }
        func found(_ operation: String) async throws -> UInt64? {
            let answer = try await writer.store.answer(to: .findIdempotencyKey(operation: operation, key: "k"))
            guard case .idempotencyRecord(let record) = answer else { throw Unexpected("\(answer)") }
            return record?.answer.low
        }
        #expect(try await use(key("k", answer: 1, isExpired: true)) == .committed(notPending: []))
        #expect(try await found("run_job") == nil)
        #expect(try await use(key("k", answer: 2)) == .committed(notPending: []))
        #expect(try await use(key("k", of: "create_job", answer: 3)) == .committed(notPending: []))
        guard case .refused(_, "idempotency_keys_pkey") = try await use(key("k", answer: 4)) else {
            throw Unexpected("a key was used twice")
        }
        guard case .refused(_, "idempotency_keys_pkey") = try await use(key("l", answer: 5), key("l", answer: 6)) else {
            throw Unexpected("a key was used twice in one batch")
        }
        #expect(try await found("run_job") == 2)
        #expect(try await found("create_job") == 3)
    }

    // MARK: Maintenance

    @Test(arguments: StoreKind.allCases)
    func `old days are dropped completely, never with an open row`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let rows = (0..<4).map {
            Sample.execution(Sample.jobID(1), at: Timestamp(milliseconds: 1_600_000_000_000 + $0 * 86_400_000))
        }
        try await writer.write { $0.inserts = rows }
        try await writer.write { batch in
            batch.updates = [rows[0], rows[2], rows[3]].map { Sample.ended($0, .failed) }
            batch.attempts = rows.map { Sample.attempt($0, 1) }
        }
        guard case .maintained = try await writer.store.answer(to: .maintain(retainFrom: nil)) else {
            throw Unexpected("not maintained")
        }
        #expect(try database.attempts().count == 4)
        guard case .maintained = try await writer.store.answer(to: .maintain(retainFrom: rows[3].scheduledTime)) else {
            throw Unexpected("not maintained")
        }
        var left: [Bool] = []
        for row in rows { left.append(try await writer.store.execution(row.id) != nil) }
        #expect(left == [false, true, false, true])
        #expect(try database.attempts() == [rows[1], rows[3]].map { "\($0.id)|1" })
        // A row of a dropped day can be written again, for example when it is late.
        #expect(try await writer.write { $0.inserts = [rows[0]] } == .committed(notPending: []))
        #expect(try await writer.store.execution(rows[0].id) == rows[0])
    }

    @Test(arguments: StoreKind.allCases)
    func `the ad-hoc job of a single call is deleted with its history`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let old = Timestamp(milliseconds: 1_600_000_000_000)
        let (gone, open, seen, recent) = (0, 1, 2, 3)
        let jobs = (gone...recent).map { number in
            var job = Sample.job(number, at: number == recent ? old + 86_400_000 : old)
            job.isAdHoc = number != seen
            return job
        }
        let row = Sample.execution(jobs[open].id, at: old)
        try await writer.write { batch in
            batch.changes = jobs.map { JobChange(job: $0, isNew: true) }
            batch.inserts = [row]
        }
        func left(after day: Timestamp) async throws -> [JobID] {
            guard case .maintained = try await writer.store.answer(to: .maintain(retainFrom: day)) else {
                throw Unexpected("not maintained")
            }
            return try await writer.store.jobs(.loadJobsNamed(jobs.map(\.id))).map(\.id).sorted()
        }
        #expect(try await left(after: old + 86_400_000) == [open, seen, recent].map { jobs[$0].id }.sorted())
        try await writer.write { $0.updates = [Sample.ended(row, .success)] }
        #expect(try await left(after: old + 86_400_000) == [seen, recent].map { jobs[$0].id }.sorted())
    }

    // MARK: Leases

    @Test(arguments: StoreKind.allCases)
    func `one scheduler holds the lease until it releases it`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var (one, two) = (Writer(database.store(), 1), Writer(database.store(), 2))
        let shards = try await one.lead()
        let first = one.epoch
        #expect(shards.map(\.shard) == Array(0..<16))
        #expect(shards.allSatisfy { $0.owner == one.owner && $0.epoch == first && $0.address == one.address })
        guard case .heldByOther(leader: "scheduler-1", _) = try await two.acquire() else { throw Unexpected("held") }
        guard case .held(first, _, _, _) = try await one.renew() else { throw Unexpected("not kept") }
        // When its owner takes the lease again, it gets a new epoch, and the old epoch is void.
        let before = one
        try await one.lead()
        #expect(one.epoch > first)
        let retaken = one.epoch
        guard case .heldByOther(leader: "scheduler-1", _) = try await before.renew() else { throw Unexpected("kept") }
        guard case .released = try await one.store.answer(to: .releaseLease(owner: one.owner, epoch: retaken)) else {
            throw Unexpected("not given back")
        }
        // A released lease cannot be renewed, because another scheduler may hold it.
        let renewal = try await one.store.answer(to: .renewLease(owner: one.owner, epoch: retaken, leaseMs: 600_000))
        if case .lease(.held) = renewal { Issue.record("a lease without its lock: \(renewal)") }
        try await two.lead()
        #expect(two.epoch > retaken)
        database.shutdown(two.store)
    }

    @Test(arguments: StoreKind.allCases)
    func `the lease ends with its session, and its holder is notified`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        let lost = Collected<String>()
        var (one, two) = (Writer(database.store(lost: lost), 1), Writer(database.store(), 2))
        try await one.lead()
        try database.endLeaseSession()
        _ = await lost.first { _ in true }
        let renewal = try await one.store.answer(to: .renewLease(owner: one.owner, epoch: one.epoch, leaseMs: 600_000))
        guard case .leaseConnectionLost = renewal else { throw Unexpected("\(renewal)") }
        try await two.lead()
        #expect(two.epoch > one.epoch)
        guard case .heldByOther(leader: "scheduler-2", _) = try await one.acquire() else { throw Unexpected("twice") }
        #expect(try await one.write { $0.materializedThrough = noon } == .fenced)
        #expect(try await two.shard().materializedThrough == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `a scheduler that holds the lock beyond its lease loses it`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        let lost = Collected<String>()
        var (one, two) = (Writer(database.store(lost: lost), 1), Writer(database.store(), 2))
        try await one.lead(leaseMs: 1)
        var result = try await two.acquire()
        while case .heldByOther = result { result = try await two.acquire() }
        guard case .held(_, let shards, _, _) = result else { throw Unexpected("\(result)") }
        #expect(shards.allSatisfy { $0.owner == two.owner })
        _ = await lost.first { _ in true }
        #expect(try await one.write { $0.materializedThrough = noon } == .fenced)
    }

    @Test(arguments: StoreKind.allCases)
    func `a scheduler that shuts down releases the lease`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var (one, two) = (Writer(database.store(), 1), Writer(database.store(), 2))
        try await one.lead()
        database.shutdown(one.store)
        var result = try await two.acquire()
        while case .heldByOther = result { result = try await two.acquire() }
        guard case .held(let epoch, _, _, _) = result else { throw Unexpected("\(result)") }
        #expect(epoch > one.epoch)
        try await two.lead()
        #expect(two.epoch > epoch)
    }

    // MARK: Manual changes

    @Test(arguments: StoreKind.allCases)
    func `a manual edit is a change, and restarts a schedule that it changes`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        for (number, edit) in HandEdit.allCases.enumerated() {
            var job = Sample.job(number)
            job.version = 5
            let made = job
            try await writer.write { $0.changes = [JobChange(job: made, isNew: true)] }
            try database.edit(job.id, edit)
            let jobs = try await writer.store.jobs(.loadChangedJobs(since: noon))
            let found = try #require(jobs.first { $0.id == job.id })
            edit.apply(to: &job)
            #expect(found.updatedAt > noon, "\(edit)")
            (job.version, job.updatedAt) = (6, found.updatedAt)
            if edit == .deleted { job.active = false }
            if edit.startsOver {
                #expect(0...1_000 ~= found.effectiveFrom - found.updatedAt, "\(edit)")
                job.effectiveFrom = found.effectiveFrom
            }
            #expect(found == job, "\(edit)")
        }
    }

    // MARK: Concurrency

    @Test(arguments: StoreKind.allCases)
    func `of two schedulers that write at the same time, only the leader succeeds`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var (one, two) = (Writer(database.store(), 1), Writer(database.store(), 2))
        try await one.lead()
        var late: [WriteBatch] = []
        for number in 1...40 {
            late.append(one.batch { $0.inserts = [Sample.execution(Sample.jobID(number), at: noon)] })
        }
        let batches = late
        let store = one.store
        async let results = withThrowingTaskGroup(of: (Int, CommitResult).self) { group in
            for (index, batch) in batches.enumerated() {
                group.addTask { (index, try await store.commit(batch)) }
                // Submitted in order, and written by one thread.
                if index == 9 { _ = try await group.next() }
            }
            return try await group.reduce(into: [Int: CommitResult]()) { $0[$1.0] = $1.1 }
        }
        try database.endLeaseSession()
        var taken = try await two.acquire()
        while case .heldByOther = taken { taken = try await two.acquire() }
        let atTakeOver = try await two.store.openExecutions(since: noon)
        try await two.lead()
        for number in 101...120 {
            try await two.write { $0.inserts = [Sample.execution(Sample.jobID(number), at: noon + 1)] }
        }
        _ = try await results
        // The old leader can write nothing after this read.
        let after = try await two.store.openExecutions(since: noon)
        #expect(after.filter { $0.scheduledTime == noon } == atTakeOver)
        #expect(after.filter { $0.scheduledTime != noon }.count == 20)
        #expect(try await one.write { $0.materializedThrough = noon } == .fenced)
    }

    @Test(arguments: StoreKind.allCases)
    func `batches submitted together are written in their order`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let row = Sample.execution(Sample.jobID(1), at: noon)
        let answers = Collected<CommitResult>()
        let batches = [
            writer.batch { $0.inserts = [row] }, writer.batch { $0.withdrawals = [row.id] },
            writer.batch { $0.inserts = [row] }, writer.batch { $0.starts = [Sample.start(row)] },
            writer.batch { $0.updates = [Sample.ended(row, .success)] }, writer.batch { $0.inserts = [row] },
        ]
        for batch in batches {
            writer.store.submit(.commit(batch)) { if case .commit(let result) = $0 { answers.add(result) } }
        }
        _ = await answers.first { $0 != .committed(notPending: []) }
        #expect(
            answers.values == Array(repeating: .committed(notPending: []), count: 5) + [
                .committed(notPending: [row.id])
            ]
        )
        #expect(try await writer.status(row.id) == .success)
    }
}
