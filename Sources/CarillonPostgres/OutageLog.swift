internal import CarillonCore
internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Logs database failures: each reason at most once a minute, and the recovery once. Shared by all connections of a store or a
/// reader, so that an outage is logged once.
final class OutageLog: Sendable {
    private let logger: Logger
    private let state = Mutex(State())

    fileprivate struct State {
        var failing: Set<String> = []
        var since = BootTime(nanoseconds: 0)
        var hasWarned = false
        /// More than 32 different reasons within a minute are merged.
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

    /// A statement failed, and the session continues.
    func refused(_ role: ConnectionRole, _ error: DatabaseError, _ metadata: Logger.Metadata = [:]) {
        let now = SystemClock.bootTime()
        if state.withLock({ $0.takeTurn(error, at: now) }) { warn(role, error, metadata) }
    }

    private func warn(_ role: ConnectionRole, _ error: DatabaseError, _ more: Logger.Metadata) {
        let message: Logger.Message =
            switch error.kind {
            case .connection: "database unreachable; retrying"
            case .rejected: "database refused the session; retrying"
            case .timeout, .uncertain: "database not answering in time; retrying on a new connection"
            case .statement: "database refused a statement; retrying"
            case .unsuitable, .stopped: "database unusable"
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
        logger.notice("database available again", metadata: ["seconds": "\(seconds)"])
    }
}

extension OutageLog.State {
    /// Whether this reason may be logged now. Reasons that differ only in numbers are the same.
    fileprivate mutating func takeTurn(_ error: DatabaseError, at now: BootTime) -> Bool {
        let reason = (error.state ?? "") + error.message.filter { !("0"..."9").contains($0) }
        guard reasons.pass(reason, at: now) != nil else { return false }
        hasWarned = true
        return true
    }
}
