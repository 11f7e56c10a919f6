internal import CPostgres
internal import CarillonRuntime
internal import Glibc
internal import Logging

/// A named statement; prepared once in each session.
struct Statement: Sendable, Hashable {
    var name: String
    var sql: String

    init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }
}

/// A statement with its parameters.
struct Step {
    var statement: Statement
    var parameters: Parameters

    init(_ statement: Statement, _ parameters: Parameters = Parameters(capacity: 16)) {
        self.statement = statement
        self.parameters = parameters
    }
}

/// A database session in libpq's pipeline mode. Bound to the thread that opened it.
final class Connection {
    let handle: OpaquePointer
    private let notices: NoticeSink
    private var prepared: Set<String> = []
    let role: ConnectionRole

    // Field codes such as SQLSTATE. The PG_DIAG macros are character literals, which are not imported.
    private enum Field {
        static let severity = Int32(UInt8(ascii: "V"))
        static let state = Int32(UInt8(ascii: "C"))
        static let message = Int32(UInt8(ascii: "M"))
        static let detail = Int32(UInt8(ascii: "D"))
        static let constraint = Int32(UInt8(ascii: "n"))
    }

    /// The identity of the server, also among servers at the same address.
    var server = LeaseWatch.Server(address: "", startedAt: "")
    /// Whether a connection pooler is in between; the process id is then the pooler's invention.
    var isPooled = false
    /// Notified of everything that arrives. Only the lease connection has a listener.
    let listener: LeaseWatch?

    /// The default time limits of scripts and their queries.
    var patience = Patience()

    /// Connects and sets up the session. Blocks for at most about connect_timeout for each host of the URL, plus 5 s.
    init(_ settings: ConnectionSettings, listener: LeaseWatch? = nil, logger: Logger) throws(DatabaseError) {
        role = settings.role
        self.listener = listener
        notices = NoticeSink(logger: logger)
        handle = try Self.connect(settings)
        PQsetNoticeProcessor(handle, Self.noticeProcessor, Unmanaged.passUnretained(notices).toOpaque())
        guard PQsetnonblocking(handle, 1) == 0 else { throw lost() }
        try setUp()
        guard role != .migration else { return }
        guard PQenterPipelineMode(handle) == 1 else { throw lost() }
    }

    deinit {
        PQfinish(handle)
    }

    private static func connect(_ settings: ConnectionSettings) throws(DatabaseError) -> OpaquePointer {
        // The URL comes first, because the other keywords add to it.
        let names = ["dbname"] + settings.additions.map(\.name)
        let values = [settings.url] + settings.additions.map(\.value)
        var keywords = names.map { UnsafePointer(strdup($0)) as UnsafePointer<CChar>? } + [nil]
        var contents = values.map { UnsafePointer(strdup($0)) as UnsafePointer<CChar>? } + [nil]
        defer {
            for pointer in keywords + contents { free(UnsafeMutablePointer(mutating: pointer)) }
        }
        guard let handle = PQconnectdbParams(&keywords, &contents, 1) else {
            throw DatabaseError(.connection, "out of memory")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let text = oneLine(String(cString: PQerrorMessage(handle)))
            PQfinish(handle)
            // libpq provides no SQLSTATE here. The server's word FATAL is the same in nearly all languages.
            throw DatabaseError(text.contains("FATAL:") ? .rejected : .connection, text)
        }
        return handle
    }

    /// A separate property, so that the callback inherits no isolation.
    private static var noticeProcessor: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void {
        { context, message in
            guard let context, let message else { return }
            Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().note(String(cString: message))
        }
    }

    var socket: Int32 { PQsocket(handle) }

    /// The process id of the session's backend.
    var backend: Int32 { PQbackendPID(handle) }

    func lost() -> DatabaseError {
        let said = Self.oneLine(String(cString: PQerrorMessage(handle)))
        return DatabaseError(.connection, said.isEmpty ? "the connection to the database was closed" : said)
    }

    /// The error of a session that ended with the given error of the server.
    private func ended(_ error: DatabaseError) -> DatabaseError {
        DatabaseError(error.kind == .rejected ? .rejected : .connection, error.message)
    }

    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }.joined(separator: "; ")
    }

    // MARK: Pipelines

    /// Sends the statements together and waits for all results: one round trip, one transaction. Rows are in binary format. A statement
    /// without rows has an empty result.
    func run(_ steps: [Step], _ patience: Patience) throws(DatabaseError) -> [QueryResult] {
        var commands: [Command] = []
        commands.reserveCapacity(steps.count + 2)
        for (index, step) in steps.enumerated() {
            if prepared.insert(step.statement.name).inserted {
                commands.append(.prepare(step.statement.name))
                guard PQsendPrepare(handle, step.statement.name, step.statement.sql, 0, nil) == 1 else {
                    throw lost()
                }
            }
            commands.append(.query(index))
            guard send(step) else { throw lost() }
        }
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        var wait = Wait(patience, now: SystemClock.bootMilliseconds())
        do throws(DatabaseError) {
            let results = try receive(commands, count: steps.count, &wait)
            guard wait.cancelledAt != nil else { return results }
            // A commit that is cancelled while it waits for its standby is committed locally, with only a warning.
            throw DatabaseError(.uncertain, "a statement succeeded after it was cancelled")
        } catch {
            var error = error
            error.wasCancelled = wait.cancelledAt != nil
            throw error
        }
    }

    private enum Command {
        case prepare(String)
        case query(Int)
    }

    private func send(_ step: Step) -> Bool {
        let parameters = step.parameters
        let count = parameters.byteRanges.count
        return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: count * 2) { numbers in
                for (index, byteRange) in parameters.byteRanges.enumerated() {
                    values.initializeElement(at: index, to: parameters.pointer(byteRange))
                    numbers.initializeElement(at: index, to: Int32(max(0, byteRange.length)))
                    numbers.initializeElement(at: count + index, to: 1)
                }
                let lengths = numbers.baseAddress
                return PQsendQueryPrepared(
                    handle,
                    step.statement.name,
                    Int32(count),
                    values.baseAddress,
                    lengths,
                    lengths.map { $0 + count },
                    1
                ) == 1
            }
        }
    }

    /// Reads results up to the synchronization point. A NULL ends each command; none follows the synchronization.
    private func receive(
        _ commands: [Command],
        count: Int,
        _ wait: inout Wait
    ) throws(DatabaseError) -> [QueryResult] {
        var results = [QueryResult?](repeating: nil, count: count)
        var failure: DatabaseError?
        var position = 0
        while true {
            try exchange(&wait)
            guard let result = PQgetResult(handle) else {
                guard PQstatus(handle) == CONNECTION_OK else { throw failure.map(ended) ?? lost() }
                position += 1
                continue
            }
            let status = PQresultStatus(result)
            if status == PGRES_PIPELINE_SYNC {
                PQclear(result)
                break
            }
            let command = position < commands.count ? commands[position] : nil
            switch status {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                if case .query(let index) = command { results[index] = QueryResult(result) } else { PQclear(result) }
            case PGRES_PIPELINE_ABORTED:
                if case .prepare(let name) = command { prepared.remove(name) }
                PQclear(result)
            case PGRES_FATAL_ERROR:
                if case .prepare(let name) = command { prepared.remove(name) }
                if failure == nil {
                    var step: Int?
                    switch command {
                    case .query(let index): step = index
                    case .prepare, nil: break
                    }
                    failure = error(of: result, step: step)
                }
                PQclear(result)
                if PQstatus(handle) != CONNECTION_OK { throw failure.map(ended) ?? lost() }
            default:
                // COPY in a pipeline would loop forever; no statement of Carillon uses COPY.
                PQclear(result)
                throw DatabaseError(.connection, "the database sent an unexpected result")
            }
        }
        if let failure { throw failure }
        return results.compactMap { $0 }
    }

    /// Sends pending bytes and reads received ones, until libpq has a result.
    func exchange(_ wait: inout Wait) throws(DatabaseError) {
        while true {
            let flushed = PQflush(handle)
            if flushed < 0 { _ = PQconsumeInput(handle) }
            if PQisBusy(handle) == 0 { return }
            let limit: Int32
            switch wait.next(server, now: SystemClock.bootMilliseconds()) {
            case .poll(let ms): limit = max(1, ms)
            case .cancel:
                cancel()
                continue
            case .giveUp(let why):
                leave()
                throw DatabaseError(.timeout, why)
            }
            let events = Int16(POLLIN) | (flushed > 0 ? Int16(POLLOUT) : 0)
            var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            guard descriptor.fd >= 0 else { throw lost() }
            guard poll(&descriptor, 1, limit) > 0 else { continue }
            wait.progressed(at: SystemClock.bootMilliseconds())
            if PQconsumeInput(handle) == 0 {
                // The server's last message may still be unread.
                if PQisBusy(handle) == 0 { return }
                throw lost()
            }
            if descriptor.revents & Int16(POLLIN) != 0 { listener?.heard(server) }
        }
    }

    /// Requests the cancellation of the running statement. A separate thread sends the request, because a server that hangs blocks it.
    /// No other cancellation is sent meanwhile.
    private func cancel() {
        guard let request = PQgetCancel(handle) else { return }
        let made = CancelRequest(request)
        guard made.begin() else { return }
        NativeThread.startDetached(name: "pg-cancel") { made.send() }
    }

    /// Closes the socket, so that nothing is sent to a server that hangs, and nothing waits for it.
    private func leave() {
        let socket = PQsocket(handle)
        if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    /// Reads what arrives between statements: notices, or the end of the session.
    func checkIdle() throws(DatabaseError) {
        guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { throw lost() }
        _ = PQisBusy(handle)
        guard PQstatus(handle) == CONNECTION_OK else { throw lost() }
    }

    func error(of result: OpaquePointer, step: Int?) -> DatabaseError {
        func field(_ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }
        let severity = field(Field.severity) ?? "FATAL"
        var message = field(Field.message) ?? Self.oneLine(String(cString: PQresultErrorMessage(result)))
        if let detail = field(Field.detail) { message += " (\(detail))" }
        guard severity == "ERROR", let state = field(Field.state) else {
            return DatabaseError(.rejected, Self.oneLine(message))
        }
        return DatabaseError(
            .statement(state),
            Self.oneLine(message),
            constraint: field(Field.constraint),
            step: step
        )
    }
}
