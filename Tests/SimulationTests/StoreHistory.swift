import TestSupport

/// Earlier states of the simulated database, as a lagging standby or a backup contains them.
struct StoreHistory {
    struct Snapshot {
        /// Microseconds since the beginning.
        var time: Int64
        var store: MemoryStore
        /// The oracle's expectations of the jobs in that state.
        var expectations: Oracle.Expectations
    }

    /// Oldest first: each state of the last half second, and one for each second before.
    private(set) var snapshots: [Snapshot] = []

    private static let limit = 64
    private static let recentMicroseconds: Int64 = 500_000
    private static let stepMicroseconds: Int64 = 1_000_000

    mutating func add(_ snapshot: Snapshot) {
        var kept: [Snapshot] = []
        for older in snapshots {
            let isRecent = older.time >= snapshot.time - Self.recentMicroseconds
            let isNext = kept.last.map { older.time >= $0.time + Self.stepMicroseconds } ?? true
            if isRecent || isNext { kept.append(older) }
        }
        snapshots = kept.suffix(Self.limit - 1) + [snapshot]
    }

    /// Removes the states after that time, which belong to the lost history.
    mutating func forget(after time: Int64) {
        snapshots.removeAll { $0.time > time }
    }
}
