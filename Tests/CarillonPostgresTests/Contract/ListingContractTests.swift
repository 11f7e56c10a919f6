import CarillonCore
import TestSupport
import Testing

/// Reads of jobs, executions and shards for clients, from the in-memory twin and from PostgreSQL.
@Suite struct ListingContractTests {
    private let noon = Sample.noon

    // MARK: Jobs

    @Test(arguments: StoreKind.allCases)
    func `jobs are listed newest first, in pages that mark their end`(_ kind: StoreKind) async throws {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        try await reader.expect([Job](), for: JobQuery(limit: 1), total: 0)
        // Many ids of one millisecond, ordered only by the rest of the id.
        let jobs = (0..<25).map { Sample.job($0, at: noon + Int64($0 / 10)) }
        try await writer.write { $0.changes = jobs.shuffled().map { JobChange(job: $0, isNew: true) } }
        for limit in [1, 10, 24, 25, 26] {
            try await reader.expect(jobs.reversed(), for: JobQuery(limit: limit), total: 25, "limit \(limit)")
            try await reader.expect(jobs[..<10].reversed(), for: JobQuery(limit: limit, after: jobs[10].id), total: 25)
        }
        try await reader.expect([Job](), for: JobQuery(after: jobs[0].id), total: 25)
        // A page continues after its cursor, even if that job was changed or deleted.
        let page = try await reader.jobs(JobQuery(limit: 5)).jobs
        var gone = try #require(page.last)
        (gone.version, gone.deletedAt) = (2, noon)
        try await writer.write { [gone] in $0.changes = [JobChange(job: gone, isNew: false)] }
        try await reader.expect(jobs[..<20].reversed(), for: JobQuery(limit: 7, after: gone.id), total: 24)
        try await reader.expect(jobs[..<20].reversed(), for: JobQuery(limit: 20, after: gone.id), total: 24)
    }

    @Test(arguments: StoreKind.allCases)
    func `ad-hoc and deleted jobs are not listed, but they and their history can be read`(_ kind: StoreKind)
        async throws
    {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        var jobs = (0..<4).map { Sample.job($0) }
        (jobs[1].isAdHoc, jobs[1].active) = (true, false)
        for index in jobs.indices { jobs[index].name = "name \(index)" }
        let rows = jobs.map { Sample.execution($0.id, at: noon) }
        try await writer.write { [jobs] batch in
            batch.changes = jobs.map { JobChange(job: $0, isNew: true) }
            batch.inserts = rows
        }
        try await writer.write { $0.updates = rows.map { Sample.ended($0, .failed) } }
        try await reader.expect([jobs[3], jobs[2], jobs[0]], for: JobQuery(), total: 3)
        (jobs[2].version, jobs[2].deletedAt) = (2, noon + 5)
        try await writer.write { [jobs] in $0.changes = [JobChange(job: jobs[2], isNew: false)] }
        try await reader.expect([jobs[3], jobs[0]], for: JobQuery(), total: 2)
        try await reader.expect([jobs[3], jobs[0]], for: JobQuery(active: true))
        try await reader.expect([jobs[3], jobs[0]], for: JobQuery(lastStatus: .failed))
        try await reader.expect([Job](), for: JobQuery(active: false))
        for job in jobs[1...2] {
            try await reader.expect([Job](), for: JobQuery(name: job.name))
            try await reader.expect([Job](), for: JobQuery(tag: job.tags[0]))
        }
        for job in jobs {
            #expect(try await reader.job(job.id, includingDeleted: true) == job)
            #expect(try await reader.job(job.id, includingDeleted: false) == (job.deletedAt == nil ? job : nil))
        }
        #expect(try await reader.job(Sample.jobID(77), includingDeleted: true) == nil)
        for row in rows {
            let ended = Sample.ended(row, .failed)
            try await reader.expect([ended], for: ExecutionQuery(jobID: row.jobID))
            #expect(try await reader.execution(row.id, of: row.jobID)?.execution == ended)
            #expect(try await reader.latestExecution(of: row.jobID) == ended)
            #expect(try await reader.stats(of: row.jobID, from: noon, to: noon + 1).failures == 1)
        }
        try await reader.expect(
            rows.sorted { $0.id > $1.id }.map { Sample.ended($0, .failed) },
            for: ExecutionQuery(statuses: [.failed])
        )
        // The name of a deleted job finds the next job with that name.
        var next = Sample.job(9)
        next.name = jobs[2].name
        try await writer.write { [next] in $0.changes = [JobChange(job: next, isNew: true)] }
        try await reader.expect([next], for: JobQuery(name: next.name))
    }

    @Test(arguments: StoreKind.allCases)
    func `a name or a tag is found by its exact text only`(_ kind: StoreKind) async throws {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        // One accented letter, and two code points that Swift considers equal to it.
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        let texts = [composed, "tea, {green}", "tea", "\"\\'", "NULL", "TEA"]
        let jobs = texts.enumerated().map { number, text in
            var job = Sample.job(number)
            (job.name, job.tags) = (text, [text, "all"])
            return job
        }
        var other = Sample.job(texts.count)
        (other.name, other.tags) = (decomposed, [decomposed])
        try await writer.write { [other] batch in
            batch.changes = (jobs + [other]).map { JobChange(job: $0, isNew: true) }
        }
        for (text, job) in zip(texts, jobs) {
            try await reader.expect([job], for: JobQuery(name: text), "\(text)")
            try await reader.expect([job], for: JobQuery(tag: text), "\(text)")
            try await reader.expect([job], for: JobQuery(name: text, tag: "all"), "\(text)")
        }
        try await reader.expect([other], for: JobQuery(name: decomposed))
        try await reader.expect([other], for: JobQuery(tag: decomposed))
        try await reader.expect(jobs.reversed(), for: JobQuery(tag: "all", limit: 4))
        for text in ["te", "tea, ", "", "%", "al", "null", "tea,all"] {
            try await reader.expect([Job](), for: JobQuery(name: text), "\(text)")
            try await reader.expect([Job](), for: JobQuery(tag: text), "\(text)")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `the last status is that of the last finished or the last open execution`(_ kind: StoreKind)
        async throws
    {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        // From the oldest to the newest execution.
        let lives: [[ExecutionStatus]] = [
            [], [.pending], [.failed], [.success, .failed], [.failed, .success], [.failed, .pending],
            [.failed, .running, .pending], [.failed, .retrying], [.success, .skipped], [.failed, .skipped, .running],
            [.success, .unknown], [.unknown, .cancelled, .retrying, .pending], [.running, .failed],
        ]
        let jobs = lives.indices.map { Sample.job($0) }
        let rows = zip(jobs, lives).flatMap { job, life in
            // Spread over days, so that the last execution is in another partition than the one before.
            life.enumerated().map { step, status in
                Archive.Row(Sample.execution(job.id, at: noon + Int64(step) * 50_000_000), becoming: status)
            }
        }
        try await writer.write { batch in
            batch.changes = jobs.map { JobChange(job: $0, isNew: true) }
            batch.inserts = rows.map(\.made)
        }
        try await writer.write { batch in
            batch.starts = rows.compactMap(\.start)
            batch.updates = rows.compactMap(\.update)
        }
        let found: [ExecutionStatus: [Int]] = [
            .pending: [1, 5, 6, 11], .running: [9], .retrying: [7], .success: [4], .failed: [2, 3, 5, 6, 7, 12],
            .cancelled: [11], .unknown: [10], .skipped: [8, 9],
        ]
        for status in ExecutionStatus.allCases {
            let expected = try #require(found[status]).reversed().map { jobs[$0] }
            for limit in [1, expected.count, expected.count + 1] {
                try await reader.expect(expected, for: JobQuery(lastStatus: status, limit: limit), "\(status)")
            }
        }
        // UNKNOWN was replaced by the actual outcome.
        let truth = Sample.ended(rows.filter { $0.made.jobID == jobs[10].id }[1].made, .failed)
        try await writer.write { $0.updates = [truth] }
        try await reader.expect([Job](), for: JobQuery(lastStatus: .unknown))
        #expect(try await reader.jobs(JobQuery(lastStatus: .failed)).jobs.contains(jobs[10]))
    }

    @Test(arguments: StoreKind.allCases, [UInt64.random(in: 0...UInt64.max), 1, 2])
    func `random jobs are listed by every combination of filters`(_ kind: StoreKind, seed: UInt64) async throws {
        let (database, reader) = try kind.makeWithReader()
        var random = SeededGenerator(seed: seed)
        let archive = Archive(using: &random)
        try await archive.write(to: database)
        let total = archive.jobs(JobQuery()).count
        for active in [nil, true, false] {
            for name in [nil] + Archive.names {
                for tag in [nil] + Archive.tags {
                    for lastStatus in [nil] + ExecutionStatus.allCases {
                        var query = JobQuery(active: active, name: name, tag: tag, lastStatus: lastStatus)
                        // The cursor may be any job, listed or not.
                        if random.happens(0.3) { query.after = archive.jobs.randomElement(using: &random)?.id }
                        let expected = archive.jobs(query)
                        query.limit = Archive.limit(expected.count, using: &random)
                        try await reader.expect(
                            expected,
                            for: query,
                            total: query.isUnfiltered ? total : nil,
                            "seed \(seed): \(query)"
                        )
                    }
                }
            }
        }
    }

    // MARK: Executions

    @Test(arguments: StoreKind.allCases)
    func `executions are listed newest first, in pages that mark their end`(_ kind: StoreKind) async throws {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        try await reader.expect([Execution](), for: ExecutionQuery(limit: 1))
        // Many executions of one due time, of several jobs and of one job, and some of the days before and after.
        let (one, others) = (Sample.jobID(0), (1..<20).map { Sample.jobID($0) })
        var rows = ([one] + others).map { Sample.execution($0, at: noon) }
        rows += (0..<10).map { Sample.execution(one, at: noon, trigger: .manual, nonce: [$0]) }
        rows += (-5...5).map { Sample.execution(one, at: noon + 1 + $0 * 40_000_000) }
        rows.sort { $0.id > $1.id }
        try await writer.write { [rows] in $0.inserts = rows.shuffled() }
        let ofOne = rows.filter { $0.jobID == one }
        for (job, rows) in [(nil, rows), (one, ofOne), (others[3], rows.filter { $0.jobID == others[3] })] {
            for limit in [1, 7, rows.count - 1, rows.count, rows.count + 1] where limit > 0 {
                try await reader.expect(rows, for: ExecutionQuery(jobID: job, limit: limit), "limit \(limit)")
            }
        }
        try await reader.expect([Execution](), for: ExecutionQuery(jobID: Sample.jobID(77)))
        // A page continues after its cursor, even if that row was changed or deleted.
        let page = try await reader.executions(ExecutionQuery(limit: 12)).executions
        let gone = try #require(page.last)
        try await writer.write { $0.withdrawals = [gone.id] }
        try await reader.expect(Array(rows[12...]), for: ExecutionQuery(limit: 5, after: gone.id))
        try await reader.expect(Array(rows[12...]), for: ExecutionQuery(limit: rows.count - 12, after: gone.id))
    }

    @Test(arguments: StoreKind.allCases)
    func `a range includes its start, excludes its end, and may exceed all times`(_ kind: StoreKind) async throws {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        let midnight = noon + 50_400_000
        let times = [noon, midnight - 1, midnight, midnight + 1, midnight + 86_400_000]
        let rows = times.flatMap { time in (0..<2).map { Sample.execution(Sample.jobID($0), at: time) } }
            .sorted { $0.id > $1.id }
        try await writer.write { $0.inserts = rows }
        let most = Timestamp(milliseconds: .max / 4)
        let least = Timestamp(milliseconds: .min / 4)
        for from in times + [nil, noon - 1, .distantPast, least, .distantFuture, most] {
            for to in times + [nil, noon - 1, midnight + 2, .distantPast, least, .distantFuture, most] {
                for job in [nil, Sample.jobID(1)] {
                    let expected = rows.filter { row in
                        (job == nil || row.jobID == job) && (from.map { row.scheduledTime >= $0 } ?? true)
                            && (to.map { row.scheduledTime < $0 } ?? true)
                    }
                    let query = ExecutionQuery(jobID: job, from: from, to: to, limit: max(1, expected.count))
                    try await reader.expect(expected, for: query, "\(query)")
                    guard let job, let from, let to else { continue }
                    #expect(try await reader.stats(of: job, from: from, to: to).total == Int64(expected.count))
                }
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `an execution is read with its failed attempts in order, and only through its own job`(_ kind: StoreKind)
        async throws
    {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        let (row, other) = (Sample.execution(Sample.jobID(1), at: noon), Sample.execution(Sample.jobID(2), at: noon))
        try await writer.write { $0.inserts = [row, other] }
        let plain = try #require(try await reader.execution(row.id, of: row.jobID))
        #expect(plain.execution == row && plain.attempts.isEmpty)
        // Two attempts of one number; one of them was lost with a leader.
        let order: [(number: Int, epoch: Int64, sequence: UInt64)] = [
            (1, 1, 900), (2, 1, 901), (2, 2, 5), (2, 2, 6), (3, 2, 4), (10, 2, 1),
        ]
        let attempts = order.map { number, epoch, sequence in
            var attempt = Sample.attempt(row, number)
            attempt.token = DispatchToken(epoch: epoch, sequence: sequence)
            (attempt.response, attempt.errorMessage) = ("ok \u{1F514}", number == 3 ? "timed out" : nil)
            attempt.durationMicroseconds = 1_234_567
            return attempt
        }
        let ended = Sample.ended(row, .failed)
        try await writer.write { $0.attempts = [attempts[4], attempts[1], attempts[3], Sample.attempt(other)] }
        try await writer.write { batch in
            batch.attempts = [attempts[5], attempts[2], attempts[0]]
            batch.updates = [ended]
        }
        let found = try #require(try await reader.execution(row.id, of: row.jobID))
        #expect(found.execution == ended)
        #expect(found.attempts == attempts)
        #expect(try await reader.execution(other.id, of: other.jobID)?.attempts == [Sample.attempt(other)])
        #expect(try await reader.execution(row.id, of: other.jobID) == nil)
        #expect(try await reader.execution(row.id, of: Sample.jobID(77)) == nil)
        #expect(try await reader.execution(Sample.execution(row.jobID, at: noon + 1).id, of: row.jobID) == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `the latest execution is not a future execution`(_ kind: StoreKind) async throws {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        let job = Sample.jobID(1)
        #expect(try await reader.latestExecution(of: job) == nil)
        let future = (0..<3).map { Sample.execution(job, at: Archive.future + Int64($0)) }
        let other = Sample.execution(Sample.jobID(2), at: Archive.past + 9_000)
        try await writer.write { $0.inserts = future + [other] }
        #expect(try await reader.latestExecution(of: job) == nil)
        let past = (0..<3).map { Sample.execution(job, at: Archive.past + Int64($0) * 1_000) }
        try await writer.write { $0.inserts = past }
        // A due execution counts before it has started.
        #expect(try await reader.latestExecution(of: job) == past[2])
        try await writer.write { $0.updates = [Sample.ended(past[0], .failed)] }
        #expect(try await reader.latestExecution(of: job) == past[2])
        // By the database's clock: an execution due a moment ago counts, one due in ten minutes does not.
        guard case .held(_, _, let now, _) = try await writer.renew() else { throw Unexpected("not held") }
        let (due, soon) = (Sample.execution(job, at: now - 1), Sample.execution(job, at: now + 600_000))
        try await writer.write { $0.inserts = [due, soon] }
        #expect(try await reader.latestExecution(of: job) == due)
        // A finished execution counts whatever the clock says.
        let ended = Sample.ended(future[0], .cancelled)
        try await writer.write { $0.updates = [ended] }
        #expect(try await reader.latestExecution(of: job) == ended)
        try await writer.write { $0.starts = [Sample.start(future[1])] }
        #expect(try await reader.latestExecution(of: job)?.id == future[1].id)
    }

    @Test(arguments: StoreKind.allCases, [UInt64.random(in: 0...UInt64.max), 1, 2])
    func `random executions are listed by every combination of filters, and read one by one`(
        _ kind: StoreKind,
        seed: UInt64
    ) async throws {
        let (database, reader) = try kind.makeWithReader()
        var random = SeededGenerator(seed: seed)
        let archive = Archive(using: &random)
        try await archive.write(to: database)
        // Each set of filters several times, with one bit for each filter.
        for filters in (0..<16).flatMap({ Array(repeating: $0, count: 12) }) {
            var query = ExecutionQuery()
            if filters & 1 != 0 { query.jobID = archive.jobs.randomElement(using: &random)?.id }
            if filters & 2 != 0 {
                let count = Int.random(in: 1...3, using: &random)
                query.statuses = Array(ExecutionStatus.allCases.shuffled(using: &random).prefix(count))
            }
            if filters & 4 != 0 { query.from = archive.time(using: &random) }
            if filters & 8 != 0 { query.to = archive.time(using: &random) }
            if random.happens(0.3) { query.after = archive.rows.randomElement(using: &random)?.now.id }
            let expected = archive.executions(query)
            query.limit = Archive.limit(expected.count, using: &random)
            try await reader.expect(expected, for: query, "seed \(seed): \(query)")
        }
        for job in archive.jobs {
            let expected = archive.executions(ExecutionQuery(jobID: job.id)).first {
                $0.status != .pending || $0.scheduledTime < noon
            }
            #expect(try await reader.latestExecution(of: job.id) == expected, "seed \(seed), job \(job.id)")
            let (from, to) = (archive.time(using: &random), archive.time(using: &random))
            let stats = try await reader.stats(of: job.id, from: from, to: to)
            let rows = archive.executions(ExecutionQuery(jobID: job.id, from: from, to: to))
            #expect(stats.isLike(Archive.stats(rows)), "seed \(seed), job \(job.id), from \(from) to \(to): \(stats)")
        }
        for row in archive.rows {
            let found = try #require(try await reader.execution(row.now.id, of: row.now.jobID), "seed \(seed)")
            #expect(found.execution == row.now && found.attempts == row.attempts, "seed \(seed): \(found)")
            let other = try #require(archive.jobs.randomElement(using: &random)).id
            let asOther = try await reader.execution(row.now.id, of: other)
            #expect((asOther == nil) == (other != row.now.jobID), "seed \(seed), \(row.now.id) of \(other)")
        }
    }

    // MARK: Statistics

    @Test(arguments: StoreKind.allCases)
    func `statistics cover the executions with a value, and are absent without any`(_ kind: StoreKind) async throws {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        let job = Sample.jobID(1)
        func stats(_ to: Int64 = 1_000_000) async throws -> ExecutionStats {
            try await reader.stats(of: job, from: noon, to: noon + to)
        }
        #expect(try await stats() == ExecutionStats())
        #expect(try await reader.stats(of: job, from: .distantPast, to: .distantFuture) == ExecutionStats())
        let rows = (0..<9).map { Sample.execution(job, at: noon + Int64($0) * 1_000) }
        let other = Sample.execution(Sample.jobID(2), at: noon)
        try await writer.write { $0.inserts = rows + [other] }
        try await writer.write { $0.updates = [Sample.ended(other, .failed)] }
        // No execution has started.
        var expected = ExecutionStats()
        expected.total = 9
        #expect(try await stats() == expected)
        // An execution that was never called, and one whose first call was late and has no outcome.
        var (cancelled, retrying) = (rows[0], Sample.ended(rows[1], .retrying))
        cancelled.status = .cancelled
        (retrying.nextAttemptAt, retrying.durationMicroseconds) = (noon + 5_000, nil)
        try await writer.write { [cancelled, retrying] in $0.updates = [cancelled, retrying] }
        expected.drift = .init(average: 3_210, p50: 3_210, p95: 3_210, p99: 3_210)
        let begun = try await stats()
        #expect(begun.isLike(expected), "\(begun)")
        // One execution of each final status; a final status other than SUCCESS does not always count as a failure.
        let ends: [ExecutionStatus] = [.success, .failed, .unknown, .skipped, .cancelled]
        for (index, end) in ends.enumerated() {
            var ended = Sample.ended(rows[index + 2], end, durationMicroseconds: 1_500)
            if end == .skipped { (ended.durationMicroseconds, ended.driftMicroseconds) = (nil, nil) }
            try await writer.write { [ended] in $0.updates = [ended] }
            if index == 0 { expected.duration = .init(average: 1_500, p50: 1_500, p95: 1_500, p99: 1_500) }
            expected.successes += end == .success ? 1 : 0
            expected.failures += end == .failed || end == .unknown ? 1 : 0
            let found = try await stats()
            #expect(found.isLike(expected), "\(end): \(found)")
        }
        #expect((expected.total, expected.successes, expected.failures) == (9, 1, 2))
        // The range is one of due times, without its end.
        let (without, with) = (try await stats(3_000), try await stats(3_001))
        #expect((without.total, without.failures, with.total, with.failures) == (3, 0, 4, 1))
    }

    @Test(arguments: StoreKind.allCases)
    func `percentiles are interpolated between two values`(_ kind: StoreKind) async throws {
        let (database, reader) = try kind.makeWithReader()
        var writer = Writer(database.store())
        try await writer.lead()
        let job = Sample.jobID(1)
        let rows = (0..<100).map { Sample.execution(job, at: noon + Int64($0) * 1_000) }
        // 1 ms to 100 ms in random order; drifts may be negative.
        let ended = rows.enumerated().map { index, row in
            let number = Int64(index * 37 % 100)
            var ended = Sample.ended(row, index < 90 ? .success : .failed, durationMicroseconds: (number + 1) * 1_000)
            ended.driftMicroseconds = number * 3 - 150
            return ended
        }
        try await writer.write { $0.inserts = rows }
        try await writer.write { $0.updates = ended }
        var expected = ExecutionStats()
        (expected.total, expected.successes, expected.failures) = (100, 90, 10)
        expected.duration = .init(average: 50_500, p50: 50_500, p95: 95_050, p99: 99_010)
        expected.drift = .init(average: -1.5, p50: -1.5, p95: 132.15, p99: 144.03)
        let all = try await reader.stats(of: job, from: noon, to: noon + 100_000)
        #expect(all.isLike(expected), "\(all)")
        // Two executions, with 1 ms and 38 ms.
        (expected.total, expected.successes, expected.failures) = (2, 2, 0)
        expected.duration = .init(average: 19_500, p50: 19_500, p95: 36_150, p99: 37_630)
        expected.drift = .init(average: -94.5, p50: -94.5, p95: -44.55, p99: -40.11)
        let two = try await reader.stats(of: job, from: noon, to: noon + 2_000)
        #expect(two.isLike(expected), "\(two)")
    }

    // MARK: Shards

    @Test(arguments: StoreKind.allCases)
    func `all shards are listed with their owner`(_ kind: StoreKind) async throws {
        let (database, reader) = try kind.makeWithReader()
        let untouched = try await reader.shards()
        #expect(untouched.map(\.shard) == Array(0..<16))
        #expect(untouched.allSatisfy { $0.owner == nil && $0.address == nil && $0.leaseExpiresAt == nil })
        #expect(untouched.allSatisfy { $0.epoch == 0 && $0.materializedThrough == nil && $0.workers == nil })
        var writer = Writer(database.store())
        let taken = try await writer.lead()
        #expect(try await reader.shards() == taken)
        let outage = Outage(from: noon, to: noon + 3_000)
        try await writer.write { batch in
            (batch.materializedThrough, batch.settledThrough, batch.outage) = (noon + 2_000, noon - 1, .some(outage))
            batch.workers = ["a", "b"]
        }
        let written = try await reader.shards()
        #expect(written.map(\.shard) == Array(0..<16))
        for shard in written {
            #expect(shard.owner == writer.owner && shard.address == writer.address && shard.epoch == writer.epoch)
            #expect(
                shard.materializedThrough == noon + 2_000 && shard.settledThrough == noon - 1 && shard.outage == outage
            )
        }
        #expect(written.map(\.leaseExpiresAt) == taken.map(\.leaseExpiresAt))
        #expect(written[0].workers == ["a", "b"])
        try database.endLeaseSession()
        var next = Writer(database.store(), 2)
        try await next.lead()
        let theirs = try await reader.shards()
        #expect(theirs.allSatisfy { $0.owner == next.owner && $0.address == next.address && $0.epoch == next.epoch })
        #expect(theirs.allSatisfy { $0.materializedThrough == noon + 2_000 && $0.outage == outage })
    }
}

// MARK: -

extension StoreKind {
    fileprivate func makeWithReader() throws -> (any ContractDatabase, any HistoryReader) {
        let database = try make()
        return (database, database.reader())
    }
}

extension HistoryReader {
    fileprivate func expect(
        _ expected: [Job],
        for query: JobQuery,
        total: Int? = nil,
        _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await expectPages(expected, limit: query.limit, comment, sourceLocation) { last in
            var query = query
            if let last { query.after = last.id }
            let page = try await jobs(query)
            try #require(page.total == total.map(Int64.init), comment, sourceLocation: sourceLocation)
            return (page.jobs, page.hasMore)
        }
    }

    fileprivate func expect(
        _ expected: [Execution],
        for query: ExecutionQuery,
        _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await expectPages(expected, limit: query.limit, comment, sourceLocation) { last in
            var query = query
            if let last { query.after = last.id }
            let page = try await executions(query)
            return (page.executions, page.hasMore)
        }
    }

    /// From the query's page on, all pages together must contain these rows in order, and only the last page is marked as the last.
    private func expectPages<Row: Equatable>(
        _ expected: [Row],
        limit: Int,
        _ comment: Comment?,
        _ sourceLocation: SourceLocation,
        page: (Row?) async throws -> ([Row], hasMore: Bool)
    ) async throws {
        var left = expected[...]
        var last: Row?
        repeat {
            let (rows, hasMore) = try await page(last)
            try #require(rows == Array(left.prefix(limit)), comment, sourceLocation: sourceLocation)
            left = left.dropFirst(limit)
            try #require(hasMore == !left.isEmpty, comment, sourceLocation: sourceLocation)
            last = rows.last
        } while !left.isEmpty
    }
}

extension ExecutionStats {
    /// Equal except for the rounding of sums, within a thousandth of a microsecond.
    fileprivate func isLike(_ other: ExecutionStats) -> Bool {
        func areLike(_ left: Summary?, _ right: Summary?) -> Bool {
            guard let left, let right else { return left == nil && right == nil }
            return [\Summary.average, \.p50, \.p95, \.p99].allSatisfy {
                abs(left[keyPath: $0] - right[keyPath: $0]) < 0.001
            }
        }
        return (total, successes, failures) == (other.total, other.successes, other.failures)
            && areLike(duration, other.duration) && areLike(drift, other.drift)
    }
}

/// Jobs and their executions generated from a seed, and a simple model of the expected lists. An independent model beside the twin
/// and the database.
private struct Archive {
    /// Far in the past and far in the future, whenever the tests run.
    static let past = Timestamp(milliseconds: 1_700_000_000_000)
    static let future = Timestamp(milliseconds: 4_000_000_000_000)
    /// The last names belong to no job. The accented names differ for the database, but are equal in Swift.
    static let names = ["report", "Report", "r\u{E9}sum\u{E9}", "nobody"]
    static let tags = ["even", "even more", "caf\u{E9}", "cafe\u{301}", "none"]

    /// An execution as inserted and as finally updated, with its failed attempts in order.
    struct Row: Sendable {
        let made: Execution
        private(set) var now: Execution
        private(set) var start: ExecutionStart?
        private(set) var update: Execution?
        var attempts: [Attempt] = []

        init(_ made: Execution, becoming status: ExecutionStatus, duration: Int64? = 12_345, drift: Int64? = 3_210) {
            self.made = made
            now = made
            switch status {
            case .pending: break
            case .running:
                let start = Sample.start(made)
                (now.status, now.token, now.attempts) = (.running, start.token, start.attempts)
                (now.actualStartTime, now.worker, now.isClaimed) = (start.actualStartTime, start.worker, start.isClaim)
                self.start = start
            default:
                now = Sample.ended(made, status)
                (now.durationMicroseconds, now.driftMicroseconds) = (duration, drift)
                update = now
            }
        }
    }

    private(set) var jobs: [Job] = []
    private(set) var rows: [Row] = []

    init(using random: inout SeededGenerator) {
        var takenNames: Set<String> = []
        for number in 0..<30 {
            var job = Sample.job(number, at: Sample.noon + Int64(number % 3))
            job.active = random.happens(0.6)
            job.isAdHoc = random.happens(0.15)
            job.deletedAt = random.happens(0.15) ? Sample.noon : nil
            job.tags = Self.tags.dropLast().filter { _ in random.happens(0.4) }
            let name = random.happens(0.5) ? Self.names.dropLast().randomElement(using: &random) : nil
            // A deleted job may have the name of an existing one.
            if let name, job.deletedAt != nil || takenNames.insert(name).inserted { job.name = name }
            jobs.append(job)
            for _ in 0..<Int.random(in: 0...7, using: &random) { addRow(of: job, using: &random) }
        }
    }

    private mutating func addRow(of job: Job, using random: inout SeededGenerator) {
        let isManual = random.happens(0.2)
        let made = Sample.execution(
            job.id,
            at: Self.dueTime(using: &random),
            trigger: isManual ? .manual : .schedule,
            nonce: isManual ? [UInt8(rows.count % 256)] : []
        )
        guard !rows.contains(where: { $0.made.id == made.id }) else { return }
        let statuses = ExecutionStatus.allCases
        var row = Row(
            made,
            becoming: statuses[Int.random(in: 0..<statuses.count, using: &random)],
            duration: random.happens(0.7) ? Int64.random(in: 0...90_000_000, using: &random) : nil,
            drift: random.happens(0.7) ? Int64.random(in: -2_000...9_000_000, using: &random) : nil
        )
        var tokens = (0..<Int.random(in: 0...4, using: &random)).map {
            DispatchToken(epoch: 1, sequence: 9 - UInt64($0))
        }
        tokens.shuffle(using: &random)
        row.attempts = tokens.map { token in
            var attempt = Sample.attempt(made, Int.random(in: 1...2, using: &random))
            attempt.token = token
            return attempt
        }
        .sorted { $0.number == $1.number ? $0.token.sequence < $1.token.sequence : $0.number < $1.number }
        rows.append(row)
    }

    /// One of a few times on some days, so that many executions are due at the same time.
    private static func dueTime(using random: inout SeededGenerator) -> Timestamp {
        random.happens(0.3)
            ? future + Int64.random(in: 0..<3, using: &random) * 40_000_000
            : past + Int64.random(in: 0..<6, using: &random) * 40_000_000
    }

    func write(to database: any ContractDatabase) async throws {
        var writer = Writer(database.store())
        try await writer.lead()
        try await writer.write { batch in
            batch.changes = jobs.map { JobChange(job: $0, isNew: true) }
            batch.inserts = rows.map(\.made)
        }
        try await writer.write { batch in
            batch.starts = rows.compactMap(\.start)
            batch.updates = rows.compactMap(\.update)
            // The newest first: an order that no list has.
            batch.attempts = rows.flatMap(\.attempts).reversed()
        }
    }

    // MARK: Queries

    /// A time with a row, near a row, or outside of all rows.
    func time(using random: inout SeededGenerator) -> Timestamp {
        if random.happens(0.1) { return random.happens(0.5) ? .distantPast : .distantFuture }
        return Self.dueTime(using: &random) + Int64.random(in: -1...1, using: &random)
    }

    /// A limit of one row, of exactly all rows, of more than all rows, or a random limit.
    static func limit(_ count: Int, using random: inout SeededGenerator) -> Int {
        max(1, [1, count, count + 1, Int.random(in: 2...9, using: &random)].randomElement(using: &random) ?? count)
    }

    // MARK: Answers

    func jobs(_ query: JobQuery) -> [Job] {
        var found: [Job] = []
        for job in jobs where job.deletedAt == nil && !job.isAdHoc {
            if query.active != nil, query.active != job.active { continue }
            if let name = query.name, Array(name.utf8) != job.name.map({ Array($0.utf8) }) { continue }
            if let tag = query.tag, !job.tags.map({ Array($0.utf8) }).contains(Array(tag.utf8)) { continue }
            if let after = query.after, after <= job.id { continue }
            if let status = query.lastStatus {
                var history = executions(ExecutionQuery(jobID: job.id)).map(\.status)
                let open: [ExecutionStatus] = [.pending, .running, .retrying]
                if !open.contains(status) { history.removeAll { open.contains($0) } }
                if history.first != status { continue }
            }
            found.append(job)
        }
        return found.sorted { $0.id > $1.id }
    }

    func executions(_ query: ExecutionQuery) -> [Execution] {
        var found: [Execution] = []
        for row in rows.map(\.now) {
            if query.jobID != nil, query.jobID != row.jobID { continue }
            if !query.statuses.isEmpty, !query.statuses.contains(row.status) { continue }
            if let from = query.from, from > row.scheduledTime { continue }
            if let to = query.to, to <= row.scheduledTime { continue }
            if let after = query.after, after <= row.id { continue }
            found.append(row)
        }
        return found.sorted { $0.id > $1.id }
    }

    static func stats(_ rows: [Execution]) -> ExecutionStats {
        func summary(_ values: [Int64]) -> ExecutionStats.Summary? {
            let sorted = values.sorted()
            if sorted.isEmpty { return nil }
            // In hundredths of the distance between two values.
            func percentile(_ percent: Int) -> Double {
                let (steps, rest) = ((sorted.count - 1) * percent).quotientAndRemainder(dividingBy: 100)
                if rest == 0 { return Double(sorted[steps]) }
                return (Double(sorted[steps]) * Double(100 - rest) + Double(sorted[steps + 1]) * Double(rest)) / 100
            }
            return ExecutionStats.Summary(
                average: Double(sorted.reduce(0, +)) / Double(sorted.count),
                p50: percentile(50),
                p95: percentile(95),
                p99: percentile(99)
            )
        }
        var stats = ExecutionStats()
        for row in rows {
            stats.total += 1
            if row.status == .success { stats.successes += 1 }
            if [.failed, .unknown].contains(row.status) { stats.failures += 1 }
        }
        stats.duration = summary(rows.compactMap(\.durationMicroseconds))
        stats.drift = summary(rows.compactMap(\.driftMicroseconds))
        return stats
    }
}
