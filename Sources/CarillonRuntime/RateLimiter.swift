package import CarillonCore

/// Passes each key once in a period, and counts suppressed keys.
package struct RateLimiter<Key: Hashable & Sendable>: Sendable {
    private struct Record {
        var next: BootTime
        var omitted = 0
    }

    private let everyMs: Int64
    private let keyLimit: Int
    private var records: [Key: Record] = [:]

    /// - Parameter keyLimit: the limit of remembered keys. Keys that may pass again are removed first; when none can be removed, new
    ///   keys are suppressed.
    package init(everyMs: Int64 = 60_000, keyLimit: Int = 1_024) {
        self.everyMs = everyMs
        self.keyLimit = keyLimit
    }

    /// How often the key was suppressed since it last passed; `nil` when it is suppressed now.
    package mutating func pass(_ key: Key, at now: BootTime) -> Int? {
        if let known = records[key], now < known.next {
            records[key]?.omitted += 1
            return nil
        }
        if records.count >= keyLimit, records[key] == nil {
            records = records.filter { now < $0.value.next }
            if records.count >= keyLimit { return nil }
        }
        let omitted = records[key]?.omitted ?? 0
        records[key] = Record(next: now + everyMs)
        return omitted
    }
}
