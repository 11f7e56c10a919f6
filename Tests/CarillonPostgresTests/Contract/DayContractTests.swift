import CarillonCore
import TestSupport
import Testing

/// Rows are stored by days, which writers and readers do not notice; for the in-memory twin and for PostgreSQL.
@Suite struct DayContractTests {
    private static let dayMs: Int64 = 86_400_000

    private func maintain(_ writer: Writer, retainFrom: Timestamp?) async throws {
        guard case .maintained = try await writer.store.answer(to: .maintain(retainFrom: retainFrom)) else {
            throw Unexpected("not maintained")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `a batch may write to any days, and reads return rows in the order of time`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let job = Sample.jobID(1)
        // 2020-03-01T00:00:00Z, after a leap day, and a millisecond earlier; also years before and after.
        let midnight = Timestamp(milliseconds: 1_583_020_800_000)
        let times = [
            Timestamp(milliseconds: 1_000_000_000_000), midnight - Self.dayMs, midnight - 1, midnight, midnight + 1,
            midnight + Self.dayMs, Sample.noon, Timestamp(milliseconds: 4_070_908_800_000),
        ]
        let rows = times.map { Sample.execution(job, at: $0) }
        try await writer.write { $0.inserts = rows.reversed() }
        for index in rows.indices {
            #expect(try await writer.store.execution(rows[index].id) == rows[index])
            #expect(try await writer.store.openExecutions(since: times[index]) == Array(rows[index...]))
            #expect(try await writer.store.openExecutions(since: times[index] + 1) == Array(rows[(index + 1)...]))
        }
        let outage = Outage(from: midnight - Self.dayMs, to: midnight + Self.dayMs)
        let answers = await writer.store.answers(to: .loadOutageRows(outage))
        let found = answers.flatMap { answer -> [OutageRow] in
            if case .outageRows(let rows, _) = answer { rows } else { [] }
        }
        #expect(found == times[2...5].map { OutageRow(jobID: job, from: $0, to: $0) })
        // Claims, outcomes and attempts of different days in one batch. A missing row is not an error, on any day.
        let never = Sample.execution(job, at: midnight - 50 * Self.dayMs)
        let result = try await writer.write { batch in
            batch.starts = (rows[...1] + [never]).map { Sample.start($0) }
            batch.updates = (rows[2...4] + [never]).map { Sample.ended($0, .failed) }
            batch.attempts = rows[2...4].map { Sample.attempt($0) }
            batch.withdrawals = ([rows[0], rows[2], rows[5], rows[7], never]).map(\.id)
        }
        #expect(result == .committed(notPending: []))
        var statuses: [ExecutionStatus?] = []
        for row in rows { statuses.append(try await writer.status(row.id)) }
        // A withdrawal precedes a claim: the first row was PENDING when it was withdrawn.
        #expect(statuses == [nil, .running, nil, .failed, .failed, nil, .pending, nil])
        #expect(try database.attempts().count == 3)
        let again = try await writer.write { $0.inserts = rows }
        guard case .committed(let notPending) = again else { throw Unexpected("\(again)") }
        #expect(Set(notPending) == Set([rows[1], rows[3], rows[4]].map(\.id)))
        #expect(
            try await writer.store.openExecutions(since: times[0]).map(\.id)
                == [rows[0], rows[1], rows[2], rows[5], rows[6], rows[7]].map(\.id)
        )
    }

    @Test(arguments: StoreKind.allCases)
    func `a day is dropped with all its rows, or kept with all its rows`(_ kind: StoreKind)
        async throws
    {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        let job = Sample.jobID(1)
        let first = Timestamp(milliseconds: 1_583_020_800_000)
        func row(_ day: Int64, _ offset: Int64) -> Execution {
            Sample.execution(job, at: first + day * Self.dayMs + offset)
        }
        // One day for each status, with a finished row at either end of the day.
        let statuses: [ExecutionStatus] = [
            .pending, .running, .retrying, .success, .failed, .unknown, .cancelled, .skipped,
        ]
        let middle = statuses.indices.map { row(Int64($0), 1_000) }
        let ends = statuses.indices.flatMap { [row(Int64($0), 0), row(Int64($0), Self.dayMs - 1)] }
        let (last, kept) = (Int64(statuses.count), [row(Int64(statuses.count), 0), row(Int64(statuses.count), 5_000)])
        try await writer.write { $0.inserts = middle + ends + kept }
        try await writer.write { batch in
            batch.updates = (ends + kept).map { Sample.ended($0, .success) }
            for (status, row) in zip(statuses, middle) where status != .pending {
                var ended = Sample.ended(row, status)
                if status == .retrying { ended.nextAttemptAt = row.scheduledTime + 1 }
                if status == .running { continue }
                batch.updates.append(ended)
            }
            batch.starts = [Sample.start(middle[1])]
            batch.attempts = (middle + ends + kept).map { Sample.attempt($0) }
        }
        func left() async throws -> Set<ExecutionID> {
            var left: Set<ExecutionID> = []
            for row in middle + ends + kept where try await writer.status(row.id) != nil { left.insert(row.id) }
            return left
        }
        // The day of `retainFrom` is kept completely, including earlier rows.
        try await maintain(writer, retainFrom: first + last * Self.dayMs + 1_000)
        let open = Set((middle[...2] + ends[...5] + kept).map(\.id))
        #expect(try await left() == open)
        #expect(try database.attempts() == open.map { "\($0)|1" }.sorted())
        try await maintain(writer, retainFrom: nil)
        #expect(try await left() == open)
        // Without open rows, a day can be dropped.
        try await writer.write { $0.updates = [Sample.ended(middle[1], .unknown)] }
        try await maintain(writer, retainFrom: first + last * Self.dayMs)
        #expect(try await left() == open.subtracting([middle[1], ends[2], ends[3]].map(\.id)))
        #expect(try await writer.store.openExecutions(since: first).map(\.id) == [middle[0].id, middle[2].id])
    }

    @Test(arguments: StoreKind.allCases)
    func `a day is never dropped before it has ended`(_ kind: StoreKind) async throws {
        let database = try kind.make()
        var writer = Writer(database.store())
        try await writer.lead()
        guard case .held(_, _, let now, _) = try await writer.renew() else { throw Unexpected("not held") }
        let rows = [-1, 1].map { Sample.execution(Sample.jobID(1), at: now + $0 * Self.dayMs) }
        try await writer.write { $0.inserts = rows }
        try await writer.write { $0.updates = rows.map { Sample.ended($0, .cancelled) } }
        try await maintain(writer, retainFrom: now + 9 * Self.dayMs)
        #expect(try await writer.status(rows[0].id) == nil)
        #expect(try await writer.status(rows[1].id) == .cancelled)
    }
}
