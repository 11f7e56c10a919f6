package import CarillonCore
package import Logging
internal import Synchronization

/// Writes log lines at most once a minute; the next line has the number of omitted ones.
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

    /// - Parameter key: lines with the same key and level share a limit.
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
