internal import Logging

/// What the connections of one store share.
struct StoreContext: Sendable {
    let url: String
    let logger: Logger
    let outage: OutageLog
    let watch = LeaseWatch()
    let health = HealthSnapshot()

    init(url: String, logger: Logger) {
        self.url = url
        self.logger = logger
        outage = OutageLog(logger: logger)
    }

    /// Opens a session for a thread. The lease's tells the watch what it hears.
    func keeper(_ role: ConnectionRole) -> SessionKeeper {
        SessionKeeper(
            url: url,
            role: role,
            logger: logger,
            outage: outage,
            listener: role == .lease ? watch : nil
        )
    }
}
