internal import CarillonCore
internal import Logging
internal import Synchronization

/// Log lines that are written once a minute at most for each kind; the next one says how many were left out.
final class PacedLog: Sendable {
    private struct Pace {
        var next = BootTime(nanoseconds: 0)
        var omitted = 0
    }

    private let logger: Logger
    private let paces = Mutex<[String: Pace]>([:])

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// - Parameter kind: what is paced, one of a few.
    func warning(_ kind: String, _ message: Logger.Message, _ metadata: Logger.Metadata) {
        let now = NetworkClock.boot
        let omitted: Int? = paces.withLock { paces in
            var pace = paces[kind] ?? Pace()
            defer { paces[kind] = pace }
            guard now >= pace.next else {
                pace.omitted += 1
                return nil
            }
            let omitted = pace.omitted
            pace = Pace(next: now + 60_000)
            return omitted
        }
        guard let omitted else { return }
        var metadata = metadata
        if omitted > 0 { metadata["omitted_since"] = "\(omitted)" }
        logger.warning(message, metadata: metadata)
    }
}
