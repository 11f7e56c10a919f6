internal import Logging
internal import Synchronization

/// Says that the database is away: at the first failure, then at most once a minute, and once when it is back. Shared by
/// all connections of a store or a reader, so that an outage is one story in the log.
final class OutageLog: Sendable {
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var failing: Set<String> = []
        var warnedAt: Int64?
        var since: Int64 = 0
    }

    init(logger: Logger) {
        self.logger = logger
    }

    func failed(_ role: ConnectionRole, _ error: DatabaseError) {
        let now = Clock.milliseconds()
        let seconds: Int64? = state.withLock { state in
            if state.failing.isEmpty { state.since = now }
            state.failing.insert(role.rawValue)
            guard state.warnedAt.map({ now - $0 >= 60_000 }) ?? true else { return nil }
            state.warnedAt = now
            return (now - state.since) / 1_000
        }
        guard let seconds else { return }
        logger.warning(
            "the database cannot be reached, waiting for it",
            metadata: ["connection": "\(role.rawValue)", "error": "\(error.message)", "seconds": "\(seconds)"]
        )
    }

    func connected(_ role: ConnectionRole) {
        let now = Clock.milliseconds()
        let seconds: Int64? = state.withLock { state in
            guard state.failing.remove(role.rawValue) != nil, state.failing.isEmpty else { return nil }
            defer { state.warnedAt = nil }
            return state.warnedAt == nil ? nil : (now - state.since) / 1_000
        }
        guard let seconds else { return }
        logger.notice("the database is back", metadata: ["seconds": "\(seconds)"])
    }
}
