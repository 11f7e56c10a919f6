/// Since when rows that somebody edited with SQL must be looked for.
///
/// An edit bears the time of the database's clock, which may be set back between two looks; a transaction may commit after
/// a later one was seen. One case is left out: the clock is set back by more than ten seconds while the leader's machine is
/// frozen in such a way that its boot time stands still; such an edit is found by the next take-over, or with the next edit.
package struct EditSearch: Sendable {
    /// One look: what it asks for, and when it began, by both clocks.
    package struct Look: Sendable {
        /// The earliest time that an edit since the look before can bear.
        package let since: Timestamp
        fileprivate let clusterTime: Timestamp
        fileprivate let boot: BootTime
        fileprivate let steps: Int
    }

    /// The last one that found all there was, or the take-over, which read everything.
    private var last: Look?
    /// How often the clock was set back, and how far since the last look: it may have been set forth again meanwhile.
    private var steps = 0
    private var earliest: Timestamp?
    /// How long the transaction of an edit may have been open, and how late a step may be noticed.
    private let overlapMs: Int64 = 10_000

    package init() {}

    /// A lease was taken, and all jobs are read: what was looked for before is of no concern.
    ///
    /// - Parameters:
    ///   - clusterTime: when the reading begins, by the database's clock.
    ///   - boot: the same by this machine's.
    package mutating func begin(clusterTime: Timestamp, boot: BootTime) {
        steps += 1
        earliest = nil
        last = Look(since: clusterTime, clusterTime: clusterTime, boot: boot, steps: steps)
    }

    /// Begins a look. Before any `begin` it goes back to the beginning of all things.
    ///
    /// - Parameters:
    ///   - clusterTime: now, by the database's clock.
    ///   - boot: now, by this machine's.
    package func look(clusterTime: Timestamp, boot: BootTime) -> Look {
        var since = Timestamp(milliseconds: 0)
        if let last {
            // A clock that was set back passed through these times again.
            since = min(last.clusterTime, clusterTime - boot.milliseconds(since: last.boot)) - overlapMs
        }
        if let earliest { since = min(since, earliest - overlapMs) }
        return Look(since: since, clusterTime: clusterTime, boot: boot, steps: steps)
    }

    /// The look has found all there was.
    package mutating func found(_ look: Look) {
        if let last, last.boot > look.boot { return }
        last = look
        if look.steps == steps { earliest = nil }
    }

    /// The clock was seen to be set back, to this time.
    package mutating func wentBack(to clusterTime: Timestamp) {
        steps += 1
        earliest = min(earliest ?? clusterTime, clusterTime)
    }
}
