import CarillonCore
import TestSupport

/// What a decision rests on: a row that says SKIPPED, UNKNOWN or nothing at all is right only if something happened that makes it so.
extension Oracle {
    /// An outage as a leader saw it.
    struct NotedOutage {
        var outage: Outage
        /// By that leader's clock: what it made from then on, it made knowing of the outage.
        var at: Timestamp
        /// What is due after this was not missed: it came again when that leader's clock went back.
        var missedThrough: Timestamp
    }

    /// An outage ends when it is noticed.
    func noticed(_ outage: Outage, by scheduler: SchedulerProcess) {
        let noted = NotedOutage(outage: outage, at: scheduler.clusterTime, missedThrough: outage.to)
        notedOutages[scheduler.owner, default: []].append(noted)
        guard isSteady, !scheduler.hasStoodStill else { return }
        // A leader goes on from the mark of the one before, which may be ahead by the horizon. Of a clock that a stalled
        // store told it only the earliest that it can be is certain.
        let ahead = outage.to - world.databaseTime
        let isPossible = ahead > -10_000 - scheduler.slumberMs && ahead < 5_000
        require(isPossible, "G8: an outage ends \(ahead) ms after it was noticed")
    }

    /// What lies in the future again is made as live work when its time comes.
    func wentBack(_ scheduler: SchedulerProcess) {
        let now = scheduler.clusterTime
        notedOutages[scheduler.owner] = notedOutages[scheduler.owner]?
            .map { NotedOutage(outage: $0.outage, at: min($0.at, now), missedThrough: min($0.missedThrough, now)) }
    }

    /// A change ends a schedule, and accounts for all that was due by it at once, also when it is refused in the end.
    func asked(toCommit batch: WriteBatch) {
        madeByChanges.formUnion(batch.changes.flatMap { $0.inserts.map(\.id) })
    }

    /// What its jobs missed while a change was thought to hold is made up for at once.
    func refused(_ batch: WriteBatch) {
        // A whole batch is refused for one of its changes; that one comes back alone.
        guard batch.changes.count == 1, batch.inserts.isEmpty, batch.updates.isEmpty, batch.starts.isEmpty,
            let job = batch.changes[0].job, let before = known[job.id], before.effectiveFrom != job.effectiveFrom
        else { return }
        // It may be long until the leader hears of it.
        let heard = world.databaseTime + 20_000 + (world.schedulers.map(\.slumberMs).max() ?? 0)
        refusedChanges[job.id, default: []].append(Outage(from: min(job.effectiveFrom, world.databaseTime), to: heard))
    }

    private func wasRefused(_ id: JobID, _ time: Timestamp) -> Bool {
        refusedChanges[id, default: []].contains { time > $0.from && time <= $0.to }
    }

    /// Looks at a transaction that was just made: `before` are the rows as they were, those that it names.
    func judgeEvidence(of batch: WriteBatch, before: [ExecutionID: Execution]) {
        let store = world.database.store
        require(
            batch.epoch == store.shards[0].epoch && batch.owner == store.shards[0].owner,
            "G5: something was written in epoch \(batch.epoch), which is over"
        )
        for start in batch.starts where start.isClaim && store.executions[start.id]?.token == start.token {
            begunAt[start.token] = (world.time, world.elapsed)
        }
        for id in batch.updates.map(\.id) {
            guard let row = store.executions[id], row.status != before[id]?.status else { continue }
            if row.status == .skipped, row.reason == .overlap { judgeOverlap(row, before, store) }
            if row.status == .skipped, row.reason == .startDeadline { judgeMissedStart(row, before[id]) }
            if row.status == .unknown { judgeUnknown(row, store) }
        }
        judgeCatchUp(batch, before, store)
    }

    /// Something else of its job was under way: dispatched, waiting for a retry, or asked for by hand.
    private func judgeOverlap(_ row: Execution, _ before: [ExecutionID: Execution], _ store: MemoryStore) {
        let isOverlapped = store.executions.values.contains { now in
            guard now.jobID == row.jobID, now.id != row.id else { return false }
            return [before[now.id] ?? now, now].contains {
                !$0.status.isFinal
                    && ($0.status != .pending || $0.trigger == .manual || latestToken[$0.id] != nil)
            }
        }
        require(isOverlapped, "overlap: \(row.id) was skipped, and nothing of its job was open")
    }

    /// It was claimed, or dispatched before its job became AT_MOST_ONCE, long ago, and whoever knows of the call could not tell.
    private func judgeUnknown(_ row: Execution, _ store: MemoryStore) {
        guard !givenToLiar.contains(row.id) else { return }
        guard let token = row.token, let beginning = begunAt[token], let job = store.jobs[row.jobID] else {
            return require(false, "G3: \(row.id) is UNKNOWN, and was never claimed")
        }
        let waited = (world.elapsed - beginning.elapsed) / 1_000
        // A claim counts from when it was made; a slow store may have made it durable much later, and a clock that stood still
        // have put it earlier.
        require(
            !isSteady(since: beginning.elapsed) || waited > Int64(job.timeoutMs) + 43_500,
            "G3: \(row.id) was given up as UNKNOWN \(waited) ms after its claim"
        )
        require(
            isDisturbed(token, row.worker ?? "") || leaderChangedAt >= beginning.time,
            "G3: \(row.id) is UNKNOWN, and nothing happened to \(row.worker ?? "its worker")"
        )
    }

    // MARK: Catch-up

    /// Rows made from an outage: those that its policy wants, and no more of them at a time than a tenth of the slots.
    private func judgeCatchUp(_ batch: WriteBatch, _ before: [ExecutionID: Execution], _ store: MemoryStore) {
        let outages = notedOutages[batch.owner] ?? []
        guard !outages.isEmpty else { return }
        let begun = Dictionary(
            batch.changes.compactMap { $0.job.map { ($0.id, $0.effectiveFrom) } },
            uniquingKeysWith: { $1 }
        )
        for row in batch.inserts + batch.changes.flatMap(\.inserts)
        where before[row.id] == nil && row.status == .pending && row.trigger == .schedule {
            guard store.executions[row.id] != nil, let job = store.jobs[row.jobID],
                let noted = outages.last(where: {
                    $0.outage.from < row.scheduledTime && row.scheduledTime <= $0.missedThrough
                }),
                row.createdAt >= noted.at
            else { continue }
            world.count("catch-up \(job.catchUpPolicy)")
            // A new definition gets its rows up to the mark with its change. An outage that was extended meanwhile has parts in
            // which nothing was missed.
            if begun[row.jobID].map({ row.scheduledTime > $0 }) ?? false, madeByChanges.contains(row.id) { continue }
            // A row that is made again for the report of a call is none that is made from the outage.
            let wasCalled = dispatchCounts[row.id] != nil
            if !madeByChanges.contains(row.id), !wasCalled, !wasRefused(row.jobID, row.scheduledTime) {
                paced[batch.epoch, default: []].insert(row.id)
            }
            // Rows of calls that were made in a lost history are made again for their reports, whatever the policy.
            if !lost.called.contains(row.id) { judge(row, of: job, missedIn: noted, store) }
        }
        let open = paced[batch.epoch, default: []].filter { store.executions[$0].map { !$0.status.isFinal } ?? false }
        paced[batch.epoch] = open
        let limit = max(1, world.options.workers * world.options.slotsPerWorker / 10)
        require(open.count <= limit, "G8: \(open.count) executions of an outage are open at a time, not \(limit)")
    }

    /// A missed time that is run although it is old is the latest of its job, and its policy says so.
    private func judge(_ row: Execution, of job: Job, missedIn noted: NotedOutage, _ store: MemoryStore) {
        let oldest = noted.missedThrough - Int64(job.catchUpWindowMs)
        guard row.scheduledTime < oldest, job.catchUpPolicy != .all, !wasRefused(job.id, row.scheduledTime),
            !isRepeated(from: row.scheduledTime, through: oldest), !isUncertain(job.id, row.scheduledTime)
        else { return }
        guard job.catchUpPolicy == .latest else {
            return require(false, "G8: \(row.id) is run, though it is too old and its job's policy is NONE")
        }
        guard let period = periods[job.id]?.last(where: { $0.contains(row.scheduledTime) }) else { return }
        let isLater = period.times(from: row.scheduledTime + 1, through: oldest - 1).contains {
            let id = ExecutionID(job: job.id, scheduledTime: $0, trigger: .schedule)
            // One that was made before the outage is no missed one, nor one whose call was reported.
            if lost.called.contains(id) { return false }
            return store.executions[id].map { $0.createdAt >= noted.at } ?? true && !isUncertain(job.id, $0)
        }
        require(!isLater, "G8: \(row.id) is run, and is not the latest of those that are too old")
    }
}
