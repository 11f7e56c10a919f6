internal import CarillonCore
internal import CarillonRuntime
internal import DequeModule
internal import Logging
internal import Synchronization

/// Reads on several connections, each with a thread that takes the next waiting request.
final class ReaderPool: Sendable {
    private struct Request: Sendable {
        var enteredAt: Int64
        /// Receives the session, or the reason why the read is not performed.
        var work: @Sendable (Result<SessionKeeper, ReadError>) -> Void
    }

    private struct State {
        var waiting: Deque<Request> = []
        var isClosed = false
    }

    private let url: String
    private let role: ConnectionRole
    private let connections: Int
    private let logger: Logger
    private let outage: OutageLog
    private let state = Mutex(State())
    /// Counts the waiting requests; each thread sleeps until it gets one.
    private let semaphore = WakeSignal(.counting)

    /// The limit of waiting requests.
    private var limit: Int { 1_000 }
    /// The limits of a request's wait and of a query's run time, in milliseconds.
    private var patienceMs: Int64 { 10_000 }

    init(url: String, role: ConnectionRole, connections: Int, logger: Logger, outage: OutageLog) {
        self.url = url
        self.role = role
        self.connections = connections
        self.logger = logger
        self.outage = outage
    }

    func start() {
        for index in 0..<connections {
            NativeThread.startDetached(name: "pg-reader-\(index)") { self.loop() }
        }
    }

    /// Refuses waiting requests, and finishes running ones.
    func shutdown() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for request in left { request.work(.failure(Self.ending)) }
        semaphore.signal(connections)
    }

    private static let ending = ReadError("the process is stopping")

    /// Runs `body` on one of the threads. A read whose connection was lost is repeated once on a new connection.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (SessionKeeper) throws(DatabaseError) -> Value
    ) async throws(ReadError) -> Value {
        let result: Result<Value, ReadError> = await withCheckedContinuation { continuation in
            let refusal = enter(
                Request(enteredAt: SystemClock.bootMilliseconds()) { keeper in
                    continuation.resume(returning: keeper.flatMap { Self.attempt(body, $0) })
                }
            )
            if let refusal { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    private func enter(_ request: Request) -> ReadError? {
        let refusal: ReadError? = state.withLock { state in
            if state.isClosed { return Self.ending }
            guard state.waiting.count < limit else {
                return ReadError("too many history queries are waiting; try again in a moment")
            }
            state.waiting.append(request)
            return nil
        }
        if refusal == nil { semaphore.signal() }
        return refusal
    }

    private static func attempt<Value>(
        _ body: (SessionKeeper) throws(DatabaseError) -> Value,
        _ keeper: SessionKeeper
    ) -> Result<Value, ReadError> {
        let wasOpen = keeper.session != nil
        do throws(DatabaseError) {
            return .success(try body(keeper))
        } catch {
            let isStale = error.remedy == .settle || error.remedy == .reconnect
            guard wasOpen, error.kind != .timeout, isStale else { return .failure(describe(error)) }
        }
        do throws(DatabaseError) {
            return .success(try body(keeper))
        } catch {
            return .failure(describe(error))
        }
    }

    private static func describe(_ error: DatabaseError) -> ReadError {
        switch error.kind {
        case .timeout, .statement("57014"):
            ReadError("the query took longer than 10 s; narrow it, for example with a range of times")
        case .rejected:
            ReadError("the database refuses the connection: \(error.message)")
        case .connection, .uncertain, .unsuitable, .stopped:
            ReadError("the database cannot be reached: \(error.message)")
        case .statement:
            ReadError("the database cannot answer: \(error.message)")
        }
    }

    private func loop() {
        let keeper = SessionKeeper(url: url, role: role, logger: logger, outage: outage)
        while true {
            semaphore.take()
            let (request, isClosed) = state.withLock { ($0.waiting.popFirst(), $0.isClosed) }
            guard let request else {
                if isClosed { return }
                continue
            }
            if SystemClock.bootMilliseconds() - request.enteredAt > patienceMs {
                request.work(.failure(ReadError("the query waited longer than 10 s for a connection; try again")))
            } else {
                request.work(.success(keeper))
            }
        }
    }
}
