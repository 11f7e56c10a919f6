internal import Logging

/// Takes what the server tells without being asked to the log. Used on the connection's thread only.
final class NoticeSink {
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func note(_ text: String) {
        logger.debug("the database says", metadata: ["notice": "\(Connection.oneLine(text))"])
    }
}
