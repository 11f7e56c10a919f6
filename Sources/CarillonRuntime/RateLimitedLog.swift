package import CarillonCore
package import Logging
internal import Synchronization

/// Log lines that are written once a minute at most; the next one says how many were left out.
package final class RateLimitedLog: Sendable {
    private struct Key: Hashable {
        var level: Logger.Level
        var key: String
    }

    private let logger: Logger
    private let limiter: Mutex<RateLimiter<Key>>

    package init(_ logger: Logger, everyMs: Int64 = 60_000) {
        self.logger = logger
        limiter = Mutex(RateLimiter(everyMs: everyMs))
    }

    /// - Parameter key: what is limited; lines of one key and level share their minute.
    package func log(
        _ level: Logger.Level,
        key: String,
        _ message: Logger.Message,
        metadata: Logger.Metadata = [:],
        at now: BootTime = SystemClock.bootTime()
    ) {
        guard let omitted = limiter.withLock({ $0.pass(Key(level: level, key: key), at: now) }) else { return }
        var metadata = metadata
        if omitted > 0 { metadata["omitted_since"] = .stringConvertible(omitted) }
        logger.log(level: level, message, metadata: metadata)
    }
}
