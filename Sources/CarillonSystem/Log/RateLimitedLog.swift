package import CarillonCore
package import Logging
internal import Synchronization

/// Log lines that are written once a minute at most; the next one says how many were left out.
package final class RateLimitedLog: Sendable {
    private struct Key: Hashable {
        var level: Logger.Level
        var key: String
    }

    private struct Record {
        var next: BootTime
        var omitted = 0
    }

    /// More keys than this are not remembered at once: those that are due again are forgotten first.
    private static let keyLimit = 1_024

    private let logger: Logger
    private let everyMs: Int
    private let records = Mutex<[Key: Record]>([:])

    package init(_ logger: Logger, everyMs: Int = 60_000) {
        self.logger = logger
        self.everyMs = everyMs
    }

    /// - Parameter key: what is limited; lines of one key and level share their minute.
    package func log(
        _ level: Logger.Level,
        key: String,
        _ message: Logger.Message,
        metadata: Logger.Metadata = [:],
        at now: BootTime
    ) {
        guard let omitted = takeTurn(Key(level: level, key: key), at: now) else { return }
        var metadata = metadata
        if omitted > 0 { metadata["omitted_since"] = .stringConvertible(omitted) }
        logger.log(level: level, message, metadata: metadata)
    }

    /// How many lines were left out since the last one, or `nil` when this one is to be left out too.
    private func takeTurn(_ key: Key, at now: BootTime) -> Int? {
        records.withLock { records in
            if let known = records[key], now < known.next {
                records[key]?.omitted += 1
                return nil
            }
            if records.count >= Self.keyLimit, records[key] == nil {
                records = records.filter { now < $0.value.next }
                if records.count >= Self.keyLimit { return nil }
            }
            let omitted = records[key]?.omitted ?? 0
            records[key] = Record(next: now + Int64(everyMs))
            return omitted
        }
    }
}
