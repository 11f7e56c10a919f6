/// Determines from which `updated_at` on rows edited with SQL must be searched. The database's clock may step back
/// between two searches, and a transaction may commit after a later one was seen. <doc:Architecture> describes the
/// remaining limitation.
package struct EditSearch: Sendable {
    /// One search: its lower bound, and its start by both clocks.
    package struct Look: Sendable {
        /// The earliest time stamp of an edit since the previous search.
        package let since: Timestamp
        fileprivate let clusterTime: Timestamp
        fileprivate let boot: BootTime
        fileprivate let steps: Int
    }

    /// The last complete search, or the take-over, which read all jobs.
    private var last: Look?
    /// How often the clock stepped back, and the earliest time it reached since the last search.
    private var steps = 0
    private var earliest: Timestamp?
    /// How long an edit's transaction may have been open, and how late a clock step may be noticed.
    private let overlapMs: Int64 = 10_000

    package init() {}

    /// Starts after a take-over, which reads all jobs: earlier searches no longer matter.
    ///
    /// - Parameters:
    ///   - clusterTime: the start of the read by the database's clock.
    ///   - boot: the start of the read by this machine's clock.
    package mutating func begin(clusterTime: Timestamp, boot: BootTime) {
        steps += 1
        earliest = nil
        last = Look(since: clusterTime, clusterTime: clusterTime, boot: boot, steps: steps)
    }

    /// Starts a search. Before any `begin` it covers all rows.
    ///
    /// - Parameters:
    ///   - clusterTime: the current time by the database's clock.
    ///   - boot: the current time by this machine's clock.
    package func look(clusterTime: Timestamp, boot: BootTime) -> Look {
        var since = Timestamp(milliseconds: 0)
        if let last {
            // If the clock stepped back, it passed through these times again.
            since = min(last.clusterTime, clusterTime - boot.milliseconds(since: last.boot)) - overlapMs
        }
        if let earliest { since = min(since, earliest - overlapMs) }
        return Look(since: since, clusterTime: clusterTime, boot: boot, steps: steps)
    }

    /// A search has found all edits.
    package mutating func found(_ look: Look) {
        if let last, last.boot > look.boot { return }
        last = look
        if look.steps == steps { earliest = nil }
    }

    /// The clock stepped back to this time.
    package mutating func wentBack(to clusterTime: Timestamp) {
        steps += 1
        earliest = min(earliest ?? clusterTime, clusterTime)
    }
}
