import CarillonCore
import TestSupport
import Testing

/// Random batches on both stores, some with a fault: after each batch both stores must have given the same answer and hold the
/// same rows.
@Suite struct TwinTests {
    @Test(arguments: [UInt64.random(in: 0...UInt64.max), 1, 2, 3])
    func `the twin and PostgreSQL behave the same`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let (memory, postgres) = (try StoreKind.memory.make(), try StoreKind.postgres.make())
        var (one, other) = (Writer(memory.store()), Writer(postgres.store()))
        try await one.lead()
        try await other.lead()
        var books = Books()
        for step in 0..<80 {
            if random.happens(0.05) {
                try await one.lead()
                try await other.lead()
            }
            let model = books.batch(using: &random)
            func fill(_ batch: inout WriteBatch) {
                let empty = batch
                batch = model
                (batch.sequence, batch.owner, batch.epoch) = (empty.sequence, empty.owner, empty.epoch)
            }
            let fault = random.happens(0.08) ? CommitFault.allCases.randomElement(using: &random) : nil
            let expected = try await one.write(to: memory, meeting: fault, fill)
            let found = try await other.write(to: postgres, meeting: fault, fill)
            let story = "seed \(seed), step \(step), fault \(String(describing: fault))"
            try #require(expected.isLike(found), "\(story): \(expected), \(found), \(model)")
            try await compare(one, other, "seed \(seed), step \(step): \(model)")
        }
        #expect(try memory.attempts() == postgres.attempts(), "seed \(seed)")
        for id in books.ids {
            let (expected, found) = (try await one.store.execution(id), try await other.store.execution(id))
            #expect(expected == found, "seed \(seed)")
        }
    }

    private func compare(_ one: Writer, _ other: Writer, _ comment: Comment) async throws {
        let since = Timestamp(milliseconds: 0)
        let (open, openThere) = (
            try await one.store.openExecutions(since: since), try await other.store.openExecutions(since: since)
        )
        try #require(open == openThere, comment)
        let (jobs, jobsThere) = (
            try await one.store.jobs(.loadChangedJobs(since: since)),
            try await other.store.jobs(.loadChangedJobs(since: since))
        )
        try #require(jobs == jobsThere, comment)
        var (shard, shardThere) = (try await one.shard(), try await other.shard())
        // Each store has its own clock, randomness and secret.
        (shard.epoch, shardThere.epoch) = (0, 0)
        (shard.incarnation, shardThere.incarnation) = (0, 0)
        (shard.clusterSecret, shardThere.clusterSecret) = (nil, nil)
        (shard.leaseExpiresAt, shardThere.leaseExpiresAt) = (nil, nil)
        try #require(shard == shardThere, comment)
    }
}

extension CommitResult {
    /// Equal except for the text of a refusal and the order.
    fileprivate func isLike(_ other: CommitResult) -> Bool {
        switch (self, other) {
        case (.committed(let left), .committed(let right)): Set(left) == Set(right)
        case (.fenced, .fenced): true
        case (.refused(_, let left), .refused(_, let right)): left == right
        default: false
        }
    }
}

/// Creates batches over a few jobs and times, so that they conflict.
private struct Books {
    private var versions: [Int: Int64] = [:]
    private var clock: Int64 = 0
    private(set) var ids: Set<ExecutionID> = []

    private mutating func row(using random: inout SeededGenerator) -> Execution {
        let job = Sample.jobID(Int.random(in: 1...4, using: &random))
        let time = Sample.noon + Int64.random(in: 0..<8, using: &random) * 18_000_000
        let row = Sample.execution(job, at: time)
        ids.insert(row.id)
        return row
    }

    private mutating func rows(using random: inout SeededGenerator) -> [Execution] {
        var rows: [ExecutionID: Execution] = [:]
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let row = row(using: &random)
            rows[row.id] = row
        }
        return rows.values.sorted { $0.id < $1.id }
    }

    mutating func batch(using random: inout SeededGenerator) -> WriteBatch {
        var batch = WriteBatch(sequence: 0, owner: .zero, epoch: 0)
        clock += 1
        if random.happens(0.3) { batch.materializedThrough = Sample.noon + clock }
        if random.happens(0.3) { batch.settledThrough = Sample.noon + clock }
        if random.happens(0.2) {
            batch.outage = .some(random.happens(0.5) ? nil : Outage(from: Sample.noon, to: Sample.noon + clock))
        }
        batch.withdrawals = rows(using: &random).map(\.id)
        // A batch does not start or finish rows that it inserts.
        batch.inserts = rows(using: &random)
        if random.happens(0.4) { batch.changes = [change(using: &random)] }
        let made = Set((batch.inserts + batch.changes.flatMap(\.inserts)).map(\.id))
        let touched = Set(made).union(batch.withdrawals).union(batch.changes.flatMap(\.withdrawals))
        let number = UInt64(clock)
        batch.starts = rows(using: &random).filter { !touched.contains($0.id) }.map {
            ExecutionStart(
                id: $0.id,
                token: DispatchToken(epoch: 1, sequence: number),
                attempts: Int(clock),
                lostAttempts: 0,
                actualStartTime: nil,
                worker: nil,
                isClaim: random.happens(0.5)
            )
        }
        let ends: [ExecutionStatus] = [.success, .failed, .unknown, .cancelled, .retrying, .skipped]
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let row = row(using: &random)
            guard !touched.contains(row.id) else { continue }
            let status = ends[Int.random(in: 0..<ends.count, using: &random)]
            var ended = Sample.ended(row, status)
            ended.durationMicroseconds = clock * 1_000
            batch.updates.append(ended)
            batch.attempts.append(
                Attempt(
                    executionID: row.id,
                    number: Int(clock),
                    token: DispatchToken(epoch: 1, sequence: UInt64.random(in: 1...3, using: &random)),
                    startedAt: Sample.noon,
                    finishedAt: Sample.noon,
                    durationMicroseconds: 0,
                    httpStatus: nil,
                    response: nil,
                    errorMessage: nil,
                    worker: nil
                )
            )
        }
        return batch
    }

    private mutating func change(using random: inout SeededGenerator) -> JobChange {
        let number = Int.random(in: 1...4, using: &random)
        var job = Sample.job(number)
        job.version = (versions[number] ?? 0) + 1
        versions[number] = job.version
        job.updatedAt = Sample.noon + clock
        job.name = ["a", "b", nil, nil][Int.random(in: 0..<4, using: &random)]
        if random.happens(0.2) { job.deletedAt = Sample.noon }
        if random.happens(0.2) { job.isAdHoc = true }
        let key = IdempotencyRecord(
            operation: "create_job",
            key: "\(Int.random(in: 0...5, using: &random))",
            fingerprint: "",
            answer: job.id.uuid,
            expiresAt: Timestamp(milliseconds: random.happens(0.5) ? 1_000 : 4_000_000_000_000)
        )
        return JobChange(
            job: random.happens(0.8) ? job : nil,
            isNew: random.happens(0.4),
            withdrawals: rows(using: &random).map(\.id),
            inserts: rows(using: &random),
            idempotencyKey: random.happens(0.3) ? key : nil
        )
    }
}
