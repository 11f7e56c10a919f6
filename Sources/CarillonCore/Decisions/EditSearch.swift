/// Since when rows that somebody edited with SQL must be looked for.
///
/// An edit bears the time of the database's clock, which may be set back between two looks; a transaction may commit after
/// a later one was seen.
package struct EditSearch: Sendable {
    private struct Look {
        var clusterTime: Timestamp
        var boot: BootTime
    }

    private var last: Look?
    /// How long the transaction of an edit may have been open.
    private static let overlapMs: Int64 = 10_000
    /// How far the first look goes back: the jobs were read when the lease was taken, after the last time for a look.
    private let firstLookMs: Int64

    /// - Parameter everyMs: how often is looked.
    package init(everyMs: Int) {
        firstLookMs = max(3_600_000, Int64(everyMs) * 2)
    }

    /// The earliest time that an edit since the last look can bear.
    ///
    /// - Parameters:
    ///   - clusterTime: now, by the database's clock.
    ///   - boot: now, by this machine's.
    package func since(clusterTime: Timestamp, boot: BootTime) -> Timestamp {
        guard let last else { return clusterTime - firstLookMs }
        // A clock that was set back passed through these times again.
        let elapsed = boot.milliseconds(since: last.boot)
        return min(last.clusterTime, clusterTime - elapsed) - Self.overlapMs
    }

    /// A look that began at this moment has found all there was.
    package mutating func found(clusterTime: Timestamp, boot: BootTime) {
        last = Look(clusterTime: clusterTime, boot: boot)
    }

    /// Somebody else leads, and looks.
    package mutating func forget() {
        last = nil
    }
}
