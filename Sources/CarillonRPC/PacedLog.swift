internal import CarillonCore
internal import Logging
internal import Synchronization

/// A log line that is written once a minute at most; the next one says how many were left out.
final class PacedLog: Sendable {
    private struct State {
        var next = BootTime(nanoseconds: 0)
        var omitted = 0
    }

    private let logger: Logger
    private let state = Mutex(State())

    init(_ logger: Logger) {
        self.logger = logger
    }

    func warning(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        let now = NetworkClock.boot
        let omitted: Int? = state.withLock { state in
            guard now >= state.next else {
                state.omitted += 1
                return nil
            }
            defer { state.omitted = 0 }
            state.next = now + 60_000
            return state.omitted
        }
        guard let omitted else { return }
        var metadata = metadata
        if omitted > 0 { metadata["omitted_since"] = "\(omitted)" }
        logger.warning(message, metadata: metadata)
    }
}
