internal import CarillonCore
internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Says that the database fails: once for each reason, each again at most once a minute, and once when it is back. Shared
/// by all connections of a store or a reader, so that an outage is one story in the log.
final class OutageLog: Sendable {
    private let logger: Logger
    private let state = Mutex(State())

    fileprivate struct State {
        var failing: Set<String> = []
        var since = BootTime(nanoseconds: 0)
        var hasWarned = false
        /// More reasons than 32 within a minute are not told apart.
        var reasons = RateLimiter<String>(keyLimit: 32)
    }

    init(logger: Logger) {
        self.logger = logger
    }

    /// A session was lost, or could not be opened.
    func failed(_ role: ConnectionRole, _ error: DatabaseError) {
        let now = SystemClock.bootTime()
        let seconds: Int64? = state.withLock { state in
            if state.failing.isEmpty { state.since = now }
            state.failing.insert(role.rawValue)
            return state.takeTurn(error, at: now) ? now.milliseconds(since: state.since) / 1_000 : nil
        }
        if let seconds { warn(role, error, ["seconds": "\(seconds)"]) }
    }

    /// A statement failed in a session that goes on.
    func refused(_ role: ConnectionRole, _ error: DatabaseError, _ metadata: Logger.Metadata = [:]) {
        let now = SystemClock.bootTime()
        if state.withLock({ $0.takeTurn(error, at: now) }) { warn(role, error, metadata) }
    }

    private func warn(_ role: ConnectionRole, _ error: DatabaseError, _ more: Logger.Metadata) {
        let message: Logger.Message =
            switch error.kind {
            case .connection: "the database cannot be reached; trying again"
            case .rejected: "the database was reached and refuses the session; trying again"
            case .timeout, .uncertain: "the database does not answer in time; trying again on a new connection"
            case .statement: "the database was reached and refuses a statement; trying again"
            case .unsuitable, .stopped: "the database cannot be used"
            }
        var metadata: Logger.Metadata = ["connection": "\(role.rawValue)", "error": "\(error.message)"]
        if let state = error.state { metadata["sqlstate"] = "\(state)" }
        logger.warning(message, metadata: metadata.merging(more) { $1 })
    }

    /// A session was opened.
    func connected(_ role: ConnectionRole) {
        let now = SystemClock.bootTime()
        let seconds: Int64? = state.withLock { state in
            guard state.failing.remove(role.rawValue) != nil, state.failing.isEmpty else { return nil }
            defer { state.hasWarned = false }
            return state.hasWarned ? now.milliseconds(since: state.since) / 1_000 : nil
        }
        guard let seconds else { return }
        logger.notice("the database is back", metadata: ["seconds": "\(seconds)"])
    }
}

extension OutageLog.State {
    /// Whether this reason may be written now. Numbers in it do not make it another one.
    fileprivate mutating func takeTurn(_ error: DatabaseError, at now: BootTime) -> Bool {
        let reason = (error.state ?? "") + error.message.filter { !("0"..."9").contains($0) }
        guard reasons.pass(reason, at: now) != nil else { return false }
        hasWarned = true
        return true
    }
}
