internal import CarillonCore
internal import CarillonCron
internal import CarillonPostgres
internal import Logging
internal import Synchronization
internal import TestSupport

/// A separate database with the schema, and a store and a reader on it.
final class Fixture: Sendable {
    let cluster: PostgresCluster
    let url: String
    let store: PostgresStore
    let reader: PostgresReader
    let lost = Collected<String>()
    let commits = Collected<Int>()
    let log: LogLines
    let owner = UniqueID(high: 0xA11C_E000_0000_4000, low: 0x8000_0000_0000_0001)

    init(cluster: PostgresCluster? = nil) throws {
        let cluster = try cluster ?? PostgresCluster.shared
        self.cluster = cluster
        url = try cluster.makeDatabase()
        log = LogLines()
        try Migrator(url: url, logger: log.logger).up()
        store = PostgresStore(
            configuration: PostgresConfiguration(url: url),
            logger: log.logger,
            onLeaseConnectionLost: { [lost] in lost.add($0) },
            onCommit: { [commits] in commits.add($1) }
        )
        reader = PostgresReader(configuration: PostgresConfiguration(url: url, connections: 2), logger: log.logger)
    }

    deinit {
        store.shutdown()
        reader.shutdown()
    }

    @discardableResult
    func psql(_ sql: String) throws -> String {
        try cluster.psql(sql, url: url)
    }

    /// A second scheduler's store on the same database.
    func otherStore(lost: Collected<String> = Collected()) -> PostgresStore {
        PostgresStore(
            configuration: PostgresConfiguration(url: url),
            logger: log.logger,
            onLeaseConnectionLost: { lost.add($0) }
        )
    }

    /// Takes the lease; returns its epoch.
    func lead(_ owner: UniqueID? = nil) async throws -> Int64 {
        let result = try await store.lease(
            .acquireLease(owner: owner ?? self.owner, address: "one:7070", leaseMs: 5_000)
        )
        guard case .held(let epoch, _, _, _) = result else { throw Unexpected("\(result)") }
        return epoch
    }

    func batch(_ sequence: UInt64, epoch: Int64, _ fill: (inout WriteBatch) -> Void = { _ in }) -> WriteBatch {
        var batch = WriteBatch(sequence: sequence, owner: owner, epoch: epoch)
        fill(&batch)
        return batch
    }
}

struct Unexpected: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

extension JobStore {
    /// All answers to a request, up to the last one.
    func answers(to request: StoreRequest) async -> [StoreAnswer] {
        let (answers, continuation) = AsyncStream.makeStream(of: StoreAnswer.self)
        submit(request) { answer in
            continuation.yield(answer)
            switch answer {
            case .jobs(_, isLast: false), .openExecutions(_, isLast: false), .outageRows(_, isLast: false): break
            default: continuation.finish()
            }
        }
        var all: [StoreAnswer] = []
        for await answer in answers { all.append(answer) }
        return all
    }

    func answer(to request: StoreRequest) async throws -> StoreAnswer {
        guard let last = await answers(to: request).last else { throw Unexpected("no answer to \(request)") }
        return last
    }

    func lease(_ request: StoreRequest) async throws -> LeaseResult {
        let answer = try await answer(to: request)
        guard case .lease(let result) = answer else { throw Unexpected("\(answer)") }
        return result
    }

    func commit(_ batch: WriteBatch) async throws -> CommitResult {
        let answer = try await answer(to: .commit(batch))
        guard case .commit(let result) = answer else { throw Unexpected("\(answer)") }
        return result
    }

    func jobs(_ request: StoreRequest) async throws -> [Job] {
        try await answers(to: request).flatMap { answer throws -> [Job] in
            guard case .jobs(let jobs, _) = answer else { throw Unexpected("\(answer)") }
            return jobs
        }
    }

    func openExecutions(since: Timestamp) async throws -> [Execution] {
        try await answers(to: .loadOpenExecutions(since: since)).flatMap { answer throws -> [Execution] in
            guard case .openExecutions(let rows, _) = answer else { throw Unexpected("\(answer)") }
            return rows
        }
    }

    func execution(_ id: ExecutionID) async throws -> Execution? {
        let answer = try await answer(to: .findExecution(id))
        guard case .execution(let execution) = answer else { throw Unexpected("\(answer)") }
        return execution
    }
}

/// Collects values, and waits for them.
final class Collected<Value: Sendable>: Sendable {
    private let state = Mutex(State())

    private struct State {
        var values: [Value] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    var values: [Value] { state.withLock { $0.values } }

    func add(_ value: Value) {
        let waiters = state.withLock { state in
            state.values.append(value)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for this many values.
    func all(_ count: Int) async -> [Value] {
        while values.count < count { await changed(from: values.count, below: count) }
        return values
    }

    private func changed(from known: Int, below count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.values.count > known || state.values.count >= count { return true }
                state.waiters.append(continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Waits for a value that matches.
    func first(where fits: @Sendable (Value) -> Bool) async -> Value {
        while true {
            if let found = values.first(where: fits) { return found }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.values.contains(where: fits) { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }
}

/// A log that tests can read.
final class LogLines: Sendable {
    let lines = Collected<String>()

    var logger: Logger {
        Logger(label: "test") { [lines] _ in Handler(lines: lines) }
    }

    private struct Handler: LogHandler {
        let lines: Collected<String>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.add("\(event.level) \(event.message) \(event.metadata ?? [:])")
        }
    }
}

/// Jobs and executions generated from numbers.
enum Sample {
    /// 2026-11-20T10:00:00Z
    static let noon = Timestamp(milliseconds: 1_795_168_800_000)

    static func jobID(_ number: Int, at time: Timestamp = noon) -> JobID {
        JobID(
            UniqueID(
                high: UInt64(time.milliseconds) << 16 | 0x7000 | UInt64(number >> 20),
                low: 0x8000_0000_0000_0000 | UInt64(number)
            )
        )
    }

    static func job(_ number: Int, at time: Timestamp = noon) -> Job {
        var job = Job(
            id: jobID(number, at: time),
            schedule: "*/2 * * * * *",
            call: HTTPCall(url: "http://localhost:9000/\(number)"),
            effectiveFrom: time,
            createdAt: time,
            updatedAt: time
        )
        job.tags = ["n\(number)"]
        return job
    }

    static func execution(
        _ job: JobID,
        at time: Timestamp,
        _ status: ExecutionStatus = .pending,
        trigger: Trigger = .schedule,
        nonce: [UInt8] = []
    ) -> Execution {
        Execution(
            id: ExecutionID(job: job, scheduledTime: time, trigger: trigger, nonce: nonce),
            jobID: job,
            trigger: trigger,
            scheduledTime: time,
            status: status,
            createdAt: time - 500
        )
    }

    static func start(_ execution: Execution, _ sequence: UInt64 = 1, isClaim: Bool = true) -> ExecutionStart {
        ExecutionStart(
            id: execution.id,
            token: DispatchToken(epoch: 1, sequence: sequence),
            attempts: 1,
            lostAttempts: 0,
            actualStartTime: execution.scheduledTime + 1,
            worker: "w",
            isClaim: isClaim
        )
    }

    static func attempt(_ execution: Execution, _ number: Int = 1) -> Attempt {
        Attempt(
            executionID: execution.id,
            number: number,
            token: DispatchToken(epoch: 1, sequence: UInt64(number)),
            startedAt: execution.scheduledTime,
            finishedAt: execution.scheduledTime + 1,
            durationMicroseconds: 1_000,
            httpStatus: 500,
            response: nil,
            errorMessage: nil,
            worker: "w"
        )
    }

    static func ended(_ execution: Execution, _ status: ExecutionStatus, durationMicroseconds: Int64 = 12_345)
        -> Execution
    {
        var ended = execution
        ended.status = status
        ended.attempts = 1
        ended.token = DispatchToken(epoch: 1, sequence: 7)
        ended.actualStartTime = execution.scheduledTime + 3
        ended.finishedAt = execution.scheduledTime + 15
        ended.httpStatus = status == .success ? 200 : 500
        ended.durationMicroseconds = durationMicroseconds
        ended.driftMicroseconds = 3_210
        ended.response = "ok \u{1F514}"
        ended.worker = "worker-1"
        return ended
    }
}
