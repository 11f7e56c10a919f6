import CarillonCore
import TestSupport
import Testing

/// The guarantees of a store when servers and networks fail during commits, for the in-memory twin and for PostgreSQL. Serialized,
/// because each test uses several of the server's few sessions.
@Suite(.serialized) struct FaultContractTests {
    private let noon = Sample.noon

    @Test(arguments: StoreKind.allCases, CommitFault.allCases)
    func `a batch with a fault is written once, and answered as without the fault`(
        _ kind: StoreKind,
        _ fault: CommitFault
    ) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let rows = (0...6).map { Sample.execution(Sample.jobID($0), at: noon) }
        try await writer.write { $0.inserts = Array(rows[...3]) }
        try await writer.write { batch in
            batch.updates = [Sample.ended(rows[0], .success)]
            batch.starts = [Sample.start(rows[1])]
        }
        // Every part of a batch; some rows exist already.
        var job = Sample.job(1)
        job.name = "one"
        let key = IdempotencyRecord(
            operation: "create_job",
            key: "k",
            fingerprint: "f",
            answer: job.id.uuid,
            expiresAt: Timestamp(milliseconds: 4_000_000_000_000)
        )
        let manual = Sample.execution(job.id, at: noon + 5, trigger: .manual, nonce: [1])
        let batch = writer.batch { [job] batch in
            batch.changes = [
                JobChange(job: job, isNew: true, withdrawals: [rows[6].id], inserts: [manual], idempotencyKey: key)
            ]
            batch.inserts = [rows[0], rows[1], rows[4], rows[5], rows[6]]
            batch.withdrawals = [rows[3].id]
            batch.starts = [Sample.start(rows[2])]
            batch.updates = [Sample.ended(rows[1], .failed)]
            batch.attempts = [Sample.attempt(rows[1])]
            (batch.materializedThrough, batch.settledThrough) = (noon + 9_000, noon)
            (batch.outage, batch.workers) = (.some(Outage(from: noon - 5_000, to: noon)), ["w"])
        }
        // The waiting batch depends on the rows of the first.
        let behind = [
            writer.batch { $0.starts = [Sample.start(rows[4])] },
            writer.batch { $0.updates = [Sample.ended(rows[4], .success)] },
            writer.batch { $0.inserts = [rows[4], rows[5]] },
        ]
        #expect(try await writer.status(rows[4].id) == nil)
        let results = Collected<CommitResult>()
        let result = try await database.commit(batch, to: writer.store, meeting: fault) { () async throws in
            for batch in behind {
                writer.store.submit(.commit(batch)) { if case .commit(let result) = $0 { results.add(result) } }
            }
            // The batch is written completely or not at all, and reads and leases continue.
            let isMade = fault == .answerLost
            #expect(try await writer.status(rows[4].id) == (isMade ? .pending : nil))
            #expect(try await writer.status(rows[1].id) == (isMade ? .failed : .running))
            #expect(try await writer.status(rows[3].id) == (isMade ? nil : .pending))
            #expect(try await writer.store.jobs(.loadJobs) == (isMade ? [job] : []))
            if fault.endsSession {
                #expect(try await writer.shard().materializedThrough == (isMade ? noon + 9_000 : nil))
            }
            #expect(results.values.isEmpty)
        }
        guard case .committed(let notPending) = result else { throw Unexpected("\(result)") }
        #expect(Set(notPending) == [rows[0].id, rows[1].id] && notPending.count == 2)
        _ = await results.first { $0 != .committed(notPending: []) }
        #expect(
            results.values == [
                .committed(notPending: []), .committed(notPending: []), .committed(notPending: [rows[4].id]),
            ]
        )

        #expect(try await writer.store.jobs(.loadJobs) == [job])
        var found: [ExecutionStatus?] = []
        for row in rows + [manual] { found.append(try await writer.status(row.id)) }
        #expect(found == [.success, .failed, .running, nil, .success, .pending, nil, .pending])
        #expect(try database.attempts() == ["\(rows[1].id)|1"])
        let answer = try await writer.store.answer(to: .findIdempotencyKey(operation: "create_job", key: "k"))
        guard case .idempotencyRecord(key) = answer else { throw Unexpected("\(answer)") }
        let shard = try await writer.shard()
        #expect(shard.materializedThrough == noon + 9_000 && shard.settledThrough == noon)
        #expect(shard.outage == Outage(from: noon - 5_000, to: noon) && shard.workers == ["w"])
        // The abandoned session may still send the batch.
        let again = try await writer.store.commit(batch)
        guard case .committed(let notPending) = again else { throw Unexpected("\(again)") }
        #expect(Set(notPending) == [rows[0].id, rows[1].id, rows[4].id] && notPending.count == 3)
        #expect(try await writer.write { $0.inserts = [rows[3]] } == .committed(notPending: []))
    }

    @Test(arguments: StoreKind.allCases, CommitFault.allCases.filter(\.endsSession))
    func `a batch that is lost with the lease is fenced off, and the next leader reads the written rows`(
        _ kind: StoreKind,
        _ fault: CommitFault
    ) async throws {
        let database = try kind.make()
        var (one, two) = (Writer(database.store(), 1), Writer(database.store(), 2))
        try await one.lead()
        let rows = (0...2).map { Sample.execution(Sample.jobID($0), at: noon) }
        try await one.write { $0.inserts = [rows[0]] }
        // The other scheduler is a standby with its own sessions.
        guard case .heldByOther = try await two.acquire() else { throw Unexpected("not held") }
        #expect(try await two.store.openExecutions(since: noon) == [rows[0]])
        let lost = one.batch { batch in
            batch.inserts = [rows[1]]
            batch.updates = [Sample.ended(rows[0], .success)]
            batch.materializedThrough = noon + 1
        }
        let behind = one.batch { $0.inserts = [rows[2]] }
        let results = Collected<CommitResult>()
        var inherited: [Execution] = []
        let result = try await database.commit(lost, to: one.store, meeting: fault) { () async throws in
            one.store.submit(.commit(behind)) { if case .commit(let result) = $0 { results.add(result) } }
            try database.endLeaseSession()
            try await two.lead()
            inherited = try await two.store.openExecutions(since: noon)
        }
        #expect(result == .fenced)
        #expect(await results.first { _ in true } == .fenced)
        let isMade = fault == .answerLost
        #expect(inherited == (isMade ? [rows[1]] : [rows[0]]))
        // The old leader can write nothing after this read.
        #expect(try await two.store.openExecutions(since: noon) == inherited)
        #expect(try await two.status(rows[0].id) == (isMade ? .success : .pending))
        #expect(try await two.shard().materializedThrough == (isMade ? noon + 1 : nil))
        #expect(try await two.write { $0.inserts = [rows[2]] } == .committed(notPending: []))
    }

    @Test(arguments: StoreKind.allCases)
    func `successive faults do not change the written rows`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let faults = CommitFault.allCases + CommitFault.allCases.reversed()
        let rows = faults.indices.map { Sample.execution(Sample.jobID($0), at: noon + Int64($0)) }
        for (index, fault) in faults.enumerated() {
            let batch = writer.batch { batch in
                batch.inserts = [rows[index]]
                if index > 0 { batch.updates = [Sample.ended(rows[index - 1], .success)] }
                batch.materializedThrough = rows[index].scheduledTime
            }
            let result = try await database.commit(batch, to: writer.store, meeting: fault) {}
            #expect(result == .committed(notPending: []), "\(fault)")
            #expect(try await writer.store.openExecutions(since: noon) == [rows[index]], "\(fault)")
            #expect(try await writer.shard().materializedThrough == rows[index].scheduledTime, "\(fault)")
        }
    }

    @Test(arguments: StoreKind.allCases, CommitFault.allCases)
    func `a batch that is refused or fenced off does not reach its commit, and gets no fault`(
        _ kind: StoreKind,
        _ fault: CommitFault
    ) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let job = Sample.job(1)
        try await writer.write { $0.changes = [JobChange(job: job, isNew: true)] }
        let again = writer.batch { $0.changes = [JobChange(job: job, isNew: true)] }
        let refused = try await database.commit(again, to: writer.store, meeting: fault) { () async throws in
            Issue.record("it came to its commit")
        }
        guard case .refused(_, "jobs_pkey") = refused else { throw Unexpected("\(refused)") }
        var stranger = again
        stranger.owner = .zero
        let fenced = try await database.commit(stranger, to: writer.store, meeting: fault) { () async throws in
            Issue.record("it came to its commit")
        }
        #expect(fenced == .fenced)
        #expect(try await writer.store.jobs(.loadJobs) == [job])
    }
}
