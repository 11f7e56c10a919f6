internal import CPostgres
internal import Glibc
internal import Logging

/// A statement by its name; it is prepared once in each session.
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

/// One session with the database, in libpq's pipeline mode. It belongs to the thread that opened it.
final class Connection {
    private let handle: OpaquePointer
    private let notices: NoticeSink
    private var prepared: Set<String> = []
    let role: ConnectionRole

    // SQLSTATE and the like by their field codes: the PG_DIAG macros are character literals, which are not imported.
    private enum Field {
        static let severity = Int32(UInt8(ascii: "V"))
        static let state = Int32(UInt8(ascii: "C"))
        static let message = Int32(UInt8(ascii: "M"))
        static let detail = Int32(UInt8(ascii: "D"))
        static let constraint = Int32(UInt8(ascii: "n"))
    }

    /// Connects and sets the session up. Blocks, at most about connect_timeout for each host of the URL.
    init(_ settings: ConnectionSettings, logger: Logger) throws(DatabaseError) {
        role = settings.role
        notices = NoticeSink(logger: logger)
        handle = try Self.connect(settings)
        PQsetNoticeProcessor(handle, Self.noticeProcessor, Unmanaged.passUnretained(notices).toOpaque())
        let assignments = settings.role.settings.map { "SET \($0.name) = '\($0.value)'" }
        try execute(assignments.joined(separator: ";"))
        if role.needsPrimary {
            // What is answered as durable must be: a server that is set to forget is told otherwise.
            try execute(
                """
                SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') IN ('off', 'local')
                """
            )
        }
        guard role != .migration else { return }
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw lost() }
    }

    deinit {
        PQfinish(handle)
    }

    private static func connect(_ settings: ConnectionSettings) throws(DatabaseError) -> OpaquePointer {
        // The URL comes first: what follows adds to it.
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
            throw DatabaseError(.connection, text)
        }
        return handle
    }

    /// Written apart, so that the callback inherits no isolation.
    private static var noticeProcessor: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void {
        { context, message in
            guard let context, let message else { return }
            Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().note(String(cString: message))
        }
    }

    var socket: Int32 { PQsocket(handle) }

    /// The process id of the session's backend.
    var backend: Int32 { PQbackendPID(handle) }

    private func lost(_ text: String? = nil) -> DatabaseError {
        let said = Self.oneLine(String(cString: PQerrorMessage(handle)))
        return DatabaseError(.connection, text ?? (said.isEmpty ? "the connection to the database was closed" : said))
    }

    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }.joined(separator: "; ")
    }

    // MARK: Scripts

    /// Runs a script of several statements as one transaction, and blocks. Not in pipeline mode.
    func execute(_ script: String) throws(DatabaseError) {
        guard let result = PQexec(handle, script) else { throw lost() }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return
        default: throw error(of: result, step: nil)
        }
    }

    /// The first column of what a query gives, as text. Not in pipeline mode.
    func texts(_ query: String, _ values: [String] = []) throws(DatabaseError) -> [[String]] {
        var contents = values.map { UnsafePointer(strdup($0)) as UnsafePointer<CChar>? }
        defer { for pointer in contents { free(UnsafeMutablePointer(mutating: pointer)) } }
        let answer = PQexecParams(handle, query, Int32(values.count), nil, &contents, nil, nil, 0)
        guard let result = answer else { throw lost() }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK else {
            throw error(of: result, step: nil)
        }
        return (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { String(cString: PQgetvalue(result, row, $0)) }
        }
    }

    // MARK: Pipelines

    /// Sends the statements together and waits for all answers: one round trip, one transaction. Rows come in binary.
    /// The result of a statement that gave none is empty.
    func run(_ steps: [Step], timeoutMs: Int? = nil) throws(DatabaseError) -> [QueryResult] {
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
        return try receive(commands, count: steps.count, deadline: timeoutMs.map { Clock.milliseconds() + Int64($0) })
    }

    private enum Command {
        case prepare(String)
        case query(Int)
    }

    private func send(_ step: Step) -> Bool {
        let parameters = step.parameters
        let count = parameters.spans.count
        return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: count * 2) { numbers in
                for (index, span) in parameters.spans.enumerated() {
                    values.initializeElement(at: index, to: parameters.pointer(span))
                    numbers.initializeElement(at: index, to: Int32(max(0, span.length)))
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

    /// Reads answers until that of the synchronization: one NULL ends each command, none the synchronization.
    private func receive(
        _ commands: [Command],
        count: Int,
        deadline: Int64?
    ) throws(DatabaseError) -> [QueryResult] {
        var results = [QueryResult?](repeating: nil, count: count)
        var failure: DatabaseError?
        var position = 0
        while true {
            try exchange(until: deadline)
            guard let result = PQgetResult(handle) else {
                guard PQstatus(handle) == CONNECTION_OK else { throw failure.map { lost($0.message) } ?? lost() }
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
                if PQstatus(handle) != CONNECTION_OK { throw lost(failure?.message) }
            default:
                // COPY in a pipeline would loop for ever; nothing of ours asks for it.
                PQclear(result)
                throw DatabaseError(.connection, "the database answered something that was not asked for")
            }
        }
        if let failure { throw failure }
        return results.compactMap { $0 }
    }

    /// Sends what is still to be sent and takes in what has come, until libpq has an answer.
    private func exchange(until deadline: Int64?) throws(DatabaseError) {
        while true {
            let flushed = PQflush(handle)
            if flushed < 0 { _ = PQconsumeInput(handle) }
            if PQisBusy(handle) == 0 { return }
            var limit: Int32 = -1
            if let deadline {
                let left = deadline - Clock.milliseconds()
                guard left > 0 else { throw DatabaseError(.timeout, "the database did not answer in time") }
                limit = Int32(min(left, 60_000))
            }
            let events = Int16(POLLIN) | (flushed > 0 ? Int16(POLLOUT) : 0)
            var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            guard descriptor.fd >= 0 else { throw lost() }
            let ready = poll(&descriptor, 1, limit)
            if ready > 0, PQconsumeInput(handle) == 0 {
                // What the server said before it went may still be there to be read.
                if PQisBusy(handle) == 0 { return }
                throw lost()
            }
        }
    }

    /// Takes in what comes while nothing was asked: notices, or the end of the session.
    func checkIdle() throws(DatabaseError) {
        guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { throw lost() }
        _ = PQisBusy(handle)
        guard PQstatus(handle) == CONNECTION_OK else { throw lost() }
    }

    private func error(of result: OpaquePointer, step: Int?) -> DatabaseError {
        func field(_ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }
        let severity = field(Field.severity) ?? "FATAL"
        var message = field(Field.message) ?? Self.oneLine(String(cString: PQresultErrorMessage(result)))
        if let detail = field(Field.detail) { message += " (\(detail))" }
        guard severity == "ERROR", let state = field(Field.state) else {
            return DatabaseError(.connection, Self.oneLine(message))
        }
        return DatabaseError(
            .statement(state),
            Self.oneLine(message),
            constraint: field(Field.constraint),
            step: step
        )
    }
}

/// Takes what the server tells without being asked to the log. Used on the connection's thread only.
private final class NoticeSink {
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func note(_ text: String) {
        logger.debug("the database says", metadata: ["notice": "\(Connection.oneLine(text))"])
    }
}
