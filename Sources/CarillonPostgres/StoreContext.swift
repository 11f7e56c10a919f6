internal import Logging

/// State shared by the connections of a store.
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

    /// Creates the session keeper of a thread. The lease connection reports received bytes to the watch.
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
