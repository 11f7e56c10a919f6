import CarillonCore
import TestSupport

/// Changes made directly in the store, and the time when the schedulers found them. In between, a leader may follow the
/// old definition or, after a take-over, the new one. Afterwards the new definition holds.
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
        // A leader of a lost history reads jobs that the next leader reads again.
        if lost.isLeader(scheduler.owner) { return }
        // The previous leader found these edits and ended before any of them was durable. This leader finds the times that
        // came again marked as made.
        for (id, outage) in foundBeforeLoss.sorted(by: { $0.key < $1.key }) {
            uncertain[id, default: []].append(outage)
        }
        let marks = world.database.store.shards.compactMap(\.materializedThrough)
        let mark = marks.max() ?? .distantPast
        // Without any mark, the database has lost every batch: a leader then begins at its take-over.
        if marks.isEmpty, lost.at != nil {
            for job in jobs {
                uncertain[job.id, default: []].append(Outage(from: job.effectiveFrom, to: world.databaseTime))
            }
        }
        // Changes made after the read must still be found.
        for job in jobs where unsettled[job.id].map({ $0.version <= job.version }) ?? false {
            if let from = unsettled[job.id]?.from, from < mark {
                foundBeforeLoss[job.id] = Outage(from: from, to: mark)
            }
            settled(job.id)
            begin(job)
        }
        // Jobs deleted in the store were not read.
        let read = Set(jobs.map(\.id))
        for id in unsettled.keys.sorted() where !read.contains(id) {
            guard let job = world.database.store.jobs[id], job.deletedAt != nil else { continue }
            settled(id)
            begin(job)
        }
    }

    /// A leader's own write determines the definition from now on.
    func settled(_ id: JobID) {
        guard let since = unsettled.removeValue(forKey: id) else { return }
        world.count("by hand: found")
        let now = world.databaseTime
        // Rows of the old definition may have been written a little ahead.
        uncertain[id, default: []].append(Outage(from: min(since.from, now), to: max(since.from, now) + 3_000))
    }

    /// Whether either definition of the job may be in force at that time.
    func isUncertain(_ id: JobID, _ time: Timestamp) -> Bool {
        uncertain[id, default: []].contains { time > $0.from - 100 && time <= $0.to }
            || (unsettled[id].map { time > $0.from - 100 } ?? false)
    }

    func isUncertain(_ id: JobID, from: Timestamp, through: Timestamp) -> Bool {
        uncertain[id, default: []].contains { from <= $0.to && through > $0.from - 100 }
    }

    /// Whether any definition of the job, including those written in the store, is due at that time.
    func isDueByAny(_ id: JobID, _ time: Timestamp) -> Bool {
        guard isUncertain(id, time) else { return false }
        return (periods[id, default: []] + edited[id, default: []]).contains {
            var whole = $0
            (whole.from, whole.to) = (.distantPast, nil)
            return whole.contains(time)
        }
    }

    /// Whether the job had an `ends_at` before that time, written in the store.
    func wasEndedByHand(_ id: JobID, before time: Timestamp) -> Bool {
        edited[id, default: []].contains { $0.endsAt.map { $0 < time } ?? false }
    }

    /// All faults have ended, and the leader has polled often enough.
    func judgeHandEdits() {
        for (id, since) in unsettled.sorted(by: { $0.key < $1.key })
        where world.time - since.at > Int64(world.options.refreshSeconds + 20) * 1_000_000 {
            // A job that was inserted and deleted between two polls is ignored.
            if known[id] == nil, world.database.store.jobs[id]?.deletedAt != nil { continue }
            // A leader that was suspended, clocks included, while the database's clock was set back cannot know the
            // step (see `EditSearch`).
            let isUnseen = unseenStepsBack.contains { $0 <= since.at && since.at < $0 + 20_000_000 }
            if isUnseen, world.schedulers.contains(where: \.hasStoodStill) { continue }
            require(false, "the change of \(world.database.store.jobs[id]?.name ?? "") in the store was not found")
        }
    }
}
