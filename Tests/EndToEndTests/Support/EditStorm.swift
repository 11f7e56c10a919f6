import CarillonClient
import CarillonCore
import CarillonCron
import CarillonJSON
import CarillonRPC
import Synchronization
import TestSupport
import Testing

/// Jobs whose schedules are changed, paused and resumed continuously, with a record of when each definition was in
/// force. Jobs have both execution types, and some call a failing target, as in `Load`.
final class EditStorm: Sendable {
    /// A definition: the seconds of a minute that are due from its effective time on.
    private struct Definition {
        var from: Int64
        var seconds: Set<Int64>
    }

    /// Every n-th second, starting at an offset.
    private struct Rhythm: Hashable {
        var every: Int64
        var offset: Int64

        var schedule: String { "\(offset)-59/\(every) * * * * *" }
        var seconds: Set<Int64> { Set(stride(from: offset, to: 60, by: Int64.Stride(every))) }

        static let all = (1...2).flatMap { every in (0..<Int64(every)).map { Rhythm(every: Int64(every), offset: $0) } }
    }

    private struct Book {
        var id: String
        var isAtMostOnce: Bool
        var fails: Bool
        var version: Int64
        var rhythm: Rhythm
        var active = true
        var definitions: [Definition]
    }

    private let system: TestSystem
    private let seed: UInt64
    private let books: Mutex<[Book]>
    private let edits = Mutex(0)

    private init(_ system: TestSystem, _ books: [Book], seed: UInt64) {
        self.system = system
        self.seed = seed
        self.books = Mutex(books)
    }

    static func begin(_ system: TestSystem, jobs count: Int, seed: UInt64) async throws -> EditStorm {
        var books: [Book] = []
        let rhythm = Rhythm(every: 1, offset: 0)
        for number in 0..<count {
            let (isAtMostOnce, path) = (Load.isAtMostOnce(number), Load.mixed(number))
            let job = try await system.client.call(
                "create_job",
                [
                    "schedule": .string(rhythm.schedule), "api_url": .string(system.target.url(path)),
                    "execution_type": isAtMostOnce ? "AT_MOST_ONCE" : "AT_LEAST_ONCE", "max_retries": 1,
                    "retry_initial_delay_seconds": 1, "timeout_seconds": 5,
                ]
            )
            books.append(
                Book(
                    id: job["job_id"]?.string ?? "",
                    isAtMostOnce: isAtMostOnce,
                    fails: path == "/fail",
                    version: 1,
                    rhythm: rhythm,
                    definitions: [Definition(from: try effective(job), seconds: rhythm.seconds)]
                )
            )
        }
        return EditStorm(system, books, seed: seed)
    }

    private static func effective(_ job: JSONValue) throws -> Int64 {
        guard let text = job["updated_at"]?.string, let time = RFC3339.parse(text) else {
            throw TestSystem.Failure(description: "a job without updated_at: \(job)")
        }
        return time
    }

    /// Edits every job repeatedly, each job by its own client.
    func rage(until end: Double) async throws {
        let books = books.withLock { $0 }
        let edited = try await withThrowingTaskGroup(of: (Int, Book).self) { group in
            for (index, book) in books.enumerated() {
                group.addTask { [self] in
                    var (book, random) = (book, SeededGenerator(seed: seed &+ UInt64(index)))
                    while Stopwatch.now < end {
                        try await Task.sleep(for: .milliseconds(Int.random(in: 20...900, using: &random)))
                        try await edit(&book, using: &random)
                    }
                    return (index, book)
                }
            }
            return try await group.reduce(into: books) { $0[$1.0] = $1.1 }
        }
        self.books.withLock { $0 = edited }
    }

    private func edit(_ book: inout Book, using random: inout SeededGenerator) async throws {
        var next = book
        switch Int.random(in: 0..<4, using: &random) {
        case _ where !book.active: next.active = true
        case 0: next.active = false
        default:
            while next.rhythm == book.rhythm { next.rhythm = Rhythm.all.randomElement(using: &random) ?? book.rhythm }
            if random.happens(0.1) { next.active = false }
        }
        try await put(&book, next, byWord: next.rhythm == book.rhythm && random.happens(0.5))
    }

    /// Makes the change and determines when it came into force, even if the response was lost.
    private func put(_ book: inout Book, _ next: Book, byWord: Bool) async throws {
        let (id, expected) = (book.id, book.version)
        let job = try await Load.persistently { [client = system.client] () async throws -> JSONValue in
            if byWord {
                return try await client.call(next.active ? "resume_job" : "pause_job", ["job_id": .string(id)])
            }
            do throws(ClientError) {
                return try await client.call(
                    "update_job",
                    [
                        "job_id": .string(id), "schedule": .string(next.rhythm.schedule), "active": .bool(next.active),
                        "if_version": [.integer(expected)],
                    ]
                )
            } catch {
                guard error.reason == .versionMismatch else { throw error }
                // Only this client edits the job, so the change was committed and its response lost.
                return try await client.call("get_job", ["job_id": .string(id)])
            }
        }
        guard job["version"]?.integer == expected + 1 else {
            throw TestSystem.Failure(description: "version \(expected) became \(job), seed \(seed)")
        }
        (book.rhythm, book.active, book.version) = (next.rhythm, next.active, expected + 1)
        book.definitions.append(
            Definition(from: try Self.effective(job), seconds: next.active ? next.rhythm.seconds : [])
        )
        edits.withLock { $0 += 1 }
    }

    /// Pauses all jobs, waits until no execution is open, and compares the rows with the recorded definitions.
    func end() async throws -> EditAudit {
        var ended = books.withLock { $0 }
        for index in ended.indices where ended[index].active {
            var next = ended[index]
            next.active = false
            try await put(&ended[index], next, byWord: true)
        }
        try await Load.untilSettled(system, timeoutSeconds: 5)
        return try audit(ended)
    }

    private func audit(_ books: [Book]) throws -> EditAudit {
        var audit = EditAudit()
        (audit.seed, audit.edits) = (seed, edits.withLock { $0 })
        audit.takeOverMs = try Audit.takeOver(of: system)
        let rows = try system.psql(
            """
            SELECT job_id, round(extract(epoch FROM scheduled_time))::bigint, execution_id, status, attempts, coalesce(reason, '-')
            FROM job_executions WHERE trigger = 'SCHEDULE'
            """
        )
        let kinds = Dictionary(uniqueKeysWithValues: books.map { ($0.id, $0) })
        var found: [String: Set<Int64>] = [:]
        var called: [String: CallAudit.Row] = [:]
        for line in rows.split(separator: "\n") {
            let cells = line.split(separator: "|").map(String.init)
            guard let book = kinds[cells[0]], let second = Int(cells[1]), let attempts = Int(cells[4]) else {
                audit.old.append("a row of no job: \(line)")
                continue
            }
            found[book.id, default: []].insert(Int64(second))
            called[cells[2]] = CallAudit.Row(
                jobID: book.id,
                second: second,
                status: cells[3],
                attempts: attempts,
                isAtMostOnce: book.isAtMostOnce
            )
            audit.statuses[cells[3], default: 0] += 1
            let mayBe = outcomes(of: book, attempts: attempts, throughTakeOver: audit.takeOverMs != nil)
            // A pause skips executions that wait for their first attempt.
            let isPaused = cells[3] == "SKIPPED" && attempts == 0 && cells[5] == "JOB_PAUSED"
            if !mayBe.contains(cells[3]), !isPaused { audit.untoward.append(line.description) }
        }
        audit.calls = CallAudit(of: system.target.calls, rows: called)
        for book in books {
            let rows = found[book.id, default: []]
            var expected: Set<Int64> = []
            for (definition, next) in zip(book.definitions, book.definitions.dropFirst()) {
                // (from, to]: due times up to the change belong to the old definition.
                var second = definition.from / 1_000 + 1
                while second * 1_000 <= next.from {
                    if definition.seconds.contains(second % 60) { expected.insert(second) }
                    second += 1
                }
            }
            audit.due += expected.count
            for second in expected.subtracting(rows) { audit.missing.append("\(book.id)@\(second)") }
            for second in rows.subtracting(expected) { audit.old.append("\(book.id)@\(second)") }
        }
        return audit
    }

    /// The possible outcomes of a job's row after this number of attempts.
    private func outcomes(of book: Book, attempts: Int, throughTakeOver: Bool) -> Set<String> {
        // If a leader claimed a call and ended before sending it, the outcome of the call is unknown.
        let unknown: Set<String> = book.isAtMostOnce && throughTakeOver ? ["RUNNING", "UNKNOWN"] : []
        guard book.fails else { return unknown.union(["SUCCESS"]) }
        if book.isAtMostOnce { return unknown.union(["FAILED"]) }
        // A pause cancels executions that wait for their second attempt.
        return attempts > 1 ? ["FAILED"] : ["CANCELLED"]
    }
}

/// The result of an edit storm.
struct EditAudit: CustomStringConvertible {
    var seed: UInt64 = 0
    var edits = 0
    var due = 0
    var takeOverMs: Double?
    /// Due times of the definition in force that have no row.
    var missing: [String] = []
    /// Rows that do not belong to the definition in force.
    var old: [String] = []
    /// Rows with an impossible outcome: only schedulers were affected by faults.
    var untoward: [String] = []
    /// The number of rows by status.
    var statuses: [String: Int] = [:]
    var calls = CallAudit(of: [], rows: [:])

    var description: String {
        "edits \(edits), due \(due), missing \(missing.count), of an old definition \(old.count), repeated \(calls.repeatedCalls), "
            + statuses.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
            + (takeOverMs.map { ", take-over \(Int($0)) ms" } ?? "") + ", seed \(seed)"
    }

    func expectWhole() {
        #expect(missing.isEmpty, "missing rows: \(missing.prefix(3)), seed \(seed)")
        #expect(old.isEmpty, "of an old definition: \(old.prefix(3)), seed \(seed)")
        #expect(untoward.isEmpty, "\(untoward.prefix(3)), seed \(seed)")
        calls.expectWhole()
        // Without a crash no call is sent twice, and the row counts every call.
        if takeOverMs == nil {
            #expect(calls.repeatedCalls == 0, "seed \(seed)")
            #expect(calls.miscounted.isEmpty, "\(calls.miscounted.prefix(3)), seed \(seed)")
        }
        for status in ["SUCCESS", "FAILED", "CANCELLED"] { #expect(statuses[status, default: 0] > 0, "seed \(seed)") }
    }
}
