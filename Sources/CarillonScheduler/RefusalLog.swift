internal import CarillonCore
internal import Logging
internal import Synchronization

/// Logs rows that the database refused: one line for each burst, with the number of rows and the first reason.
final class RefusalLog: Sendable {
    private struct Run {
        var reason: String
        var count: Int
        var began: BootTime
        var last: BootTime
    }

    /// A line is written when no row was refused for this long, or this long after the first refused row.
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

    /// Writes the line when it is due. Must be called periodically.
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
            "rows refused by the database",
            metadata: ["rows": "\(ended.count)", "first_error": "\(ended.reason)"]
        )
        return next
    }
}
