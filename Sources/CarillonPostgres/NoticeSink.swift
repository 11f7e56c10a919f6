internal import Logging

/// Logs the server's notices. Used only on the connection's thread.
final class NoticeSink {
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func note(_ text: String) {
        logger.debug("database notice", metadata: ["notice": "\(Connection.oneLine(text))"])
    }
}
