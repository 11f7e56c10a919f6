import CarillonCore
import TestSupport

/// The database's history went back. Earlier commits still hold. Later ones are lost: due times get new rows, and the reports
/// of workers bring back the outcomes of calls.
extension Oracle {
    /// The expectations of jobs by their definitions. They go back with the database, since lost changes have no effect.
    struct Expectations {
        fileprivate var known: [JobID: Job]
        fileprivate var periods: [JobID: [Period]]
        fileprivate var unsettled: [JobID: Unsettled]
        fileprivate var uncertain: [JobID: [Outage]]
    }

    var expectations: Expectations {
        Expectations(known: known, periods: periods, unsettled: unsettled, uncertain: uncertain)
    }

    func historyWentBack(from old: MemoryStore, to store: MemoryStore, expectations: Expectations) {
        (known, periods) = (expectations.known, expectations.periods)
        (unsettled, uncertain) = (expectations.unsettled, expectations.uncertain)
        lost.wentBack(from: old, to: store, dispatched: executionOf, at: world.time)
        // Epochs after the restored one were never written in. They are given again only by a clock that is behind.
        let epoch = store.shards[0].epoch
        writers = writers.filter { $0.key <= epoch }
        paced = paced.filter { $0.key <= epoch }
        // An acknowledgement holds for what is still durable.
        acknowledgedTokens = acknowledgedTokens.filter { token in
            guard let id = executionOf[token] else { return true }
            return store.executions[id]?.status.isFinal ?? false
        }
        leaderChanged()
    }

    /// No two leases have the same epoch and incarnation. An epoch alone comes again only where the clock went back.
    func leaseTaken(by scheduler: SchedulerProcess) {
        let shard = world.database.store.shards[0]
        let (isNewLead, isNewEpoch) = lost.leaseTaken(shard, by: scheduler.owner, at: world.time)
        if !isNewEpoch { world.count("epoch given twice") }
        require(isNewLead, "§5: epoch \(shard.epoch) was given twice with one incarnation")
        require(isNewEpoch || hasRepeatedTimes, "§5: epoch \(shard.epoch) was given twice")
    }

    /// Whether a leader may have learned of one of two calls only after the other had started: the call belongs to a lost
    /// history, and the worker's report brought its execution back.
    func overlapsLostCall(_ id: ExecutionID, _ other: ExecutionID) -> Bool {
        dispatchCounts[id, default: 0] > 1 && (lost.called.contains(id) || lost.called.contains(other))
    }

    /// A minute after the last fault, workers make calls while executions wait for one.
    func judgeProgress() {
        let options = world.options
        guard lost.at != nil, options.lies == 0, options.suspends == 0, options.writerStallsPerSecond == 0,
            options.isolationsPerSecond == 0, isSteady, requestedAt < world.time - 30_000_000
        else { return }
        let waiting = world.database.store.executions.values.filter {
            $0.status == .pending && $0.scheduledTime < world.databaseTime - 30_000
        }
        let first = waiting.min { $0.id < $1.id }
        require(
            first == nil,
            "§5: no call for 30 s after the history went back, while \(first?.id.description ?? "") waits for one"
        )
    }
}
