internal import CarillonCore
internal import Logging
internal import Synchronization

/// Rows that the database refused, as one line in the log for all that are refused one after the other: how many, and the
/// first reason.
final class RefusalLog: Sendable {
    private struct Run {
        var reason: String
        var count: Int
        var began: BootTime
        var last: BootTime
    }

    /// A line is written when no row was refused for this long, or when this much time has passed since the first one.
    private static let quietMs: Int64 = 1_000
    private static let longestMs: Int64 = 10_000

    private let logger: Logger
    private let run = Mutex<Run?>(nil)

    init(_ logger: Logger) {
        self.logger = logger
    }

    func add(_ reason: String, at now: BootTime) {
        run.withLock { run in
            if run == nil { run = Run(reason: reason, count: 0, began: now, last: now) }
            run?.count += 1
            run?.last = now
        }
    }

    /// Writes the line if it is due.
    /// - Returns: when the line of the rows refused so far is due; `nil` when there are none.
    @discardableResult
    func write(at now: BootTime) -> BootTime? {
        let (ended, next) = run.withLock { run -> (Run?, BootTime?) in
            guard let known = run else { return (nil, nil) }
            let due = min(known.last + Self.quietMs, known.began + Self.longestMs)
            guard due <= now else { return (nil, due) }
            run = nil
            return (known, nil)
        }
        guard let ended else { return next }
        logger.error(
            "the database refused rows",
            metadata: ["rows": "\(ended.count)", "first_error": "\(ended.reason)"]
        )
        return next
    }
}
