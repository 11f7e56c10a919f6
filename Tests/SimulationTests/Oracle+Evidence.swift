import CarillonCore
import TestSupport

/// Checks the evidence for a decision: a row with SKIPPED or UNKNOWN, or a missing row, needs an event that justifies
/// it.
extension Oracle {
    /// An outage as a leader noticed it.
    struct NotedOutage {
        var outage: Outage
        /// By that leader's clock. Rows written from this time on take the outage into account.
        var at: Timestamp
        /// Later due times were not missed: they were due again when that leader's clock was set back.
        var missedThrough: Timestamp
    }

    struct BatchKey: Hashable {
        private var owner: UniqueID
        private var epoch: Int64
        private var sequence: UInt64

        init(_ batch: WriteBatch) { (owner, epoch, sequence) = (batch.owner, batch.epoch, batch.sequence) }
    }

    /// An outage ends when it is noticed.
    func noticed(_ outage: Outage, by scheduler: SchedulerProcess) {
        let noted = NotedOutage(outage: outage, at: scheduler.clusterTime, missedThrough: outage.to)
        notedOutages[scheduler.owner, default: []].append(noted)
        // The first answer after a sleep may be older than the sleep, and the clock may have been set since.
        guard isSteady(since: world.elapsed - scheduler.slumberMs * 1_000), !scheduler.hasStoodStill else { return }
        // A leader continues from the previous leader's watermark, which may be ahead by the horizon. After a stalled
        // store the leader knows only the earliest possible database time.
        let ahead = outage.to - world.databaseTime
        let isPossible = ahead > -10_000 - scheduler.slumberMs && ahead < 5_000
        require(isPossible, "G8: an outage ends \(ahead) ms after it was noticed")
    }

    /// Due times that are in the future again get ordinary rows when they are due.
    func wentBack(_ scheduler: SchedulerProcess) {
        let now = scheduler.clusterTime
        notedOutages[scheduler.owner] = notedOutages[scheduler.owner]?
            .map { NotedOutage(outage: $0.outage, at: min($0.at, now), missedThrough: min($0.missedThrough, now)) }
    }

    /// A change ends a definition and covers all its due times up to now, even if the change is then refused.
    func asked(toCommit batch: WriteBatch) {
        madeByChanges.formUnion(batch.changes.flatMap { $0.inserts.map(\.id) })
    }

    /// Due times that were missed because of a refused change are caught up immediately.
    func refused(_ batch: WriteBatch) {
        // The parts of the batch are written one by one: the end of the other execution may come first.
        let store = world.database.store
        for row in batch.updates where row.status == .skipped && row.reason == .overlap {
            if isOverlapped(row, [:], store) { overlappedWhenRefused.insert(row.id) }
        }
        // A whole batch is refused because of one change; that change is then retried alone.
        guard batch.changes.count == 1, batch.inserts.isEmpty, batch.updates.isEmpty, batch.starts.isEmpty,
            let job = batch.changes[0].job, let before = known[job.id], before.effectiveFrom != job.effectiveFrom
        else { return }
        // The leader may receive the refusal much later.
        let heard = world.databaseTime + 20_000 + (world.schedulers.map(\.slumberMs).max() ?? 0)
        // A clock that went back since the change was staged takes its beginning back, too.
        let from = min(job.effectiveFrom, world.databaseTime, firstTime(of: job.effectiveFrom))
        refusedChanges[job.id, default: []].append(Outage(from: from, to: heard))
    }

    private func wasRefused(_ id: JobID, _ time: Timestamp) -> Bool {
        refusedChanges[id, default: []].contains { time > $0.from && time <= $0.to }
    }

    /// Judges a committed transaction; `before` are the rows that it names, before the transaction.
    func judgeEvidence(of batch: WriteBatch, before: [ExecutionID: Execution]) {
        let store = world.database.store
        require(
            batch.epoch == store.shards[0].epoch && batch.owner == store.shards[0].owner,
            "G5: a write in epoch \(batch.epoch), which has ended"
        )
        for start in batch.starts where start.isClaim && store.executions[start.id]?.token == start.token {
            // The next leader counts from the time of the claim. Of a first attempt the row tells how long it waited
            // for the store.
            let made = start.attempts == 1 ? start.actualStartTime : nil
            let waited = max(0, made.map { world.databaseTime - $0 } ?? 0)
            begunAt[start.token] = (world.time, world.elapsed - waited * 1_000)
        }
        for id in batch.updates.map(\.id) {
            guard let row = store.executions[id], row.status != before[id]?.status else { continue }
            if row.status == .skipped, row.reason == .overlap { judgeOverlap(row, before, store) }
            if row.status == .skipped, row.reason == .startDeadline { judgeMissedStart(row, before[id]) }
            if row.status == .unknown { judgeUnknown(row, store) }
        }
        judgeCatchUp(batch, before, store)
    }

    /// Another execution of the job must be open: dispatched, waiting for a retry, or requested by a client.
    private func judgeOverlap(_ row: Execution, _ before: [ExecutionID: Execution], _ store: MemoryStore) {
        require(
            isOverlapped(row, before, store) || overlappedWhenRefused.contains(row.id),
            "overlap: \(row.id) was skipped although no execution of its job was open"
        )
    }

    private func isOverlapped(_ row: Execution, _ before: [ExecutionID: Execution], _ store: MemoryStore) -> Bool {
        store.executions.values.contains { now in
            guard now.jobID == row.jobID, now.id != row.id else { return false }
            return [before[now.id] ?? now, now].contains {
                !$0.status.isFinal
                    && ($0.status != .pending || $0.trigger == .manual || latestToken[$0.id] != nil)
            }
        }
    }

    /// The execution was claimed, or dispatched before its job became AT_MOST_ONCE, long ago, and its outcome was lost.
    private func judgeUnknown(_ row: Execution, _ store: MemoryStore) {
        guard !givenToLiar.contains(row.id) else { return }
        guard let token = row.token, let beginning = begunAt[token], let job = store.jobs[row.jobID] else {
            return require(false, "G3: \(row.id) is UNKNOWN without a claim")
        }
        let waited = (world.elapsed - beginning.elapsed) / 1_000
        // A claim counts from its creation. A slow store can delay its commit, and a clock that stood still can give it
        // an earlier time.
        require(
            !isSteady(since: beginning.elapsed) || waited > Int64(job.timeoutMs) + 43_500,
            "G3: \(row.id) was given up as UNKNOWN \(waited) ms after its claim"
        )
        require(
            isDisturbed(token, row.worker ?? "") || leaderChangedAt >= beginning.time,
            "G3: \(row.id) is UNKNOWN although \(row.worker ?? "its worker") had no fault"
        )
    }

    // MARK: Catch-up

    /// Rows inserted after an outage: as the policy demands, and at most a tenth of the slots at a time.
    private func judgeCatchUp(_ batch: WriteBatch, _ before: [ExecutionID: Execution], _ store: MemoryStore) {
        let outages = (notedOutages[batch.owner] ?? []).prefix(outagesWhenSubmitted[BatchKey(batch)] ?? 0)
        guard !outages.isEmpty else { return }
        let begun = Dictionary(
            batch.changes.compactMap { $0.job.map { ($0.id, $0.effectiveFrom) } },
            uniquingKeysWith: { $1 }
        )
        for row in batch.inserts + batch.changes.flatMap(\.inserts)
        where before[row.id] == nil && row.status == .pending && row.trigger == .schedule {
            // A row that the same transaction ends does not run.
            guard let made = store.executions[row.id], !made.status.isFinal, let job = store.jobs[row.jobID],
                let noted = outages.last(where: {
                    $0.outage.from < row.scheduledTime && row.scheduledTime <= $0.missedThrough
                }),
                row.createdAt >= noted.at
            else { continue }
            world.count("catch-up \(job.catchUpPolicy)")
            // A change inserts the rows of a new definition up to the watermark. Parts of an outage that was extended
            // meanwhile had no missed due times.
            if begun[row.jobID].map({ row.scheduledTime > $0 }) ?? false, madeByChanges.contains(row.id) { continue }
            // A row that is recreated for the report of a call is not inserted because of the outage.
            let wasCalled = dispatchCounts[row.id] != nil
            // A change that ends a definition accounts for what was due by it at once: that of its rows which waited already
            // for the same batch stays there.
            let isEnded = begun[row.jobID].map { row.scheduledTime <= $0 } ?? false
            if !madeByChanges.contains(row.id), !isEnded, !wasCalled, !wasRefused(row.jobID, row.scheduledTime) {
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

    /// A missed due time that runs although it is too old must be the latest of its job, and the policy must allow it.
    private func judge(_ row: Execution, of job: Job, missedIn noted: NotedOutage, _ store: MemoryStore) {
        let oldest = noted.missedThrough - Int64(job.catchUpWindowMs)
        guard row.scheduledTime < oldest, job.catchUpPolicy != .all, !wasRefused(job.id, row.scheduledTime),
            !isRepeated(from: row.scheduledTime, through: oldest), !isUncertain(job.id, row.scheduledTime)
        else { return }
        guard job.catchUpPolicy == .latest else {
            return require(false, "G8: \(row.id) runs although it is too old and its job's policy is NONE")
        }
        guard let period = periods[job.id]?.last(where: { $0.contains(row.scheduledTime) }) else { return }
        let isLater = period.times(from: row.scheduledTime + 1, through: oldest - 1).contains {
            let id = ExecutionID(job: job.id, scheduledTime: $0, trigger: .schedule)
            // A row that existed before the outage is not a missed due time.
            if lost.called.contains(id) { return false }
            return store.executions[id].map { $0.createdAt >= noted.at } ?? true && !isUncertain(job.id, $0)
        }
        require(!isLater, "G8: \(row.id) runs although it is not the latest due time that is too old")
    }
}
