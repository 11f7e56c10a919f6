import CarillonCore
import TestSupport

/// What somebody changed in the store, and when the schedulers found it. In between a leader may follow the old definition or,
/// after a take-over, the new one; from then on the new one holds.
extension Oracle {
    func editedByHand(_ job: Job) {
        if job.executionType == .atMostOnce { once.insert(job.id) }
        hasStartDeadline(job)
        let store = world.database.store
        let marks = store.shards.flatMap { [$0.materializedThrough, $0.outage?.from].compactMap { $0 } }
        let from = min(world.databaseTime, unsettled[job.id]?.from ?? .distantFuture, marks.min() ?? .distantFuture)
        unsettled[job.id] = Unsettled(from: from, at: world.time, version: job.version)
        if job.active, job.deletedAt == nil { edited[job.id, default: []].append(period(of: job)) }
    }

    /// A take-over has read all jobs.
    func tookOver(_ jobs: [Job], by scheduler: SchedulerProcess) {
        // Jobs as they were in a history that was lost are read again by the next leader.
        if lost.isLeader(scheduler.owner) { return }
        // What was changed after it was read is still to be found.
        for job in jobs where unsettled[job.id].map({ $0.version <= job.version }) ?? false {
            settled(job.id)
            begin(job)
        }
        // Deleted by hand, and so not read.
        let read = Set(jobs.map(\.id))
        for id in unsettled.keys.sorted() where !read.contains(id) {
            guard let job = world.database.store.jobs[id], job.deletedAt != nil else { continue }
            settled(id)
            begin(job)
        }
    }

    /// A leader's own write says what holds from now on.
    func settled(_ id: JobID) {
        guard let since = unsettled.removeValue(forKey: id) else { return }
        world.count("by hand: found")
        let now = world.databaseTime
        // Rows of what held before may be made for a little ahead.
        uncertain[id, default: []].append(Outage(from: min(since.from, now), to: max(since.from, now) + 3_000))
    }

    /// Whether at that time nobody can say which definition held.
    func isUncertain(_ id: JobID, _ time: Timestamp) -> Bool {
        uncertain[id, default: []].contains { time > $0.from - 100 && time <= $0.to }
            || (unsettled[id].map { time > $0.from - 100 } ?? false)
    }

    func isUncertain(_ id: JobID, from: Timestamp, through: Timestamp) -> Bool {
        uncertain[id, default: []].contains { from <= $0.to && through > $0.from - 100 }
    }

    /// Whether any definition that the job had, or was given by hand, is due then.
    func isDueByAny(_ id: JobID, _ time: Timestamp) -> Bool {
        guard isUncertain(id, time) else { return false }
        return (periods[id, default: []] + edited[id, default: []]).contains {
            var whole = $0
            (whole.from, whole.to) = (.distantPast, nil)
            return whole.contains(time)
        }
    }

    /// Whether somebody gave the job an `ends_at` before that time.
    func wasEndedByHand(_ id: JobID, before time: Timestamp) -> Bool {
        edited[id, default: []].contains { $0.endsAt.map { $0 < time } ?? false }
    }

    /// Everything is well, and the leader has looked often enough.
    func judgeHandEdits() {
        for (id, since) in unsettled.sorted(by: { $0.key < $1.key })
        where world.time - since.at > Int64(world.options.refreshSeconds + 20) * 1_000_000 {
            // What came and went between two looks was never there.
            if known[id] == nil, world.database.store.jobs[id]?.deletedAt != nil { continue }
            // Whoever was frozen, clocks and all, while the database's clock was set back cannot know how far (see `EditSearch`).
            let isUnseen = unseenStepsBack.contains { $0 <= since.at && since.at < $0 + 20_000_000 }
            if isUnseen, world.schedulers.contains(where: \.hasStoodStill) { continue }
            require(false, "what was changed by hand in \(world.database.store.jobs[id]?.name ?? "") was not found")
        }
    }
}
