import CarillonCore
import TestSupport

/// The final checks, when no work is left.
extension Oracle {
    func judge() {
        guard problems.isEmpty else { return }
        let store = world.database.store
        let rows = store.executions.values.sorted { $0.id < $1.id }
        for row in rows where !row.status.isFinal {
            require(false, "G2: \(row.id) is still \(row.status) (\(row.trigger), attempts \(row.attempts))")
        }
        require(world.clients.areDone, "clients still wait for an answer, or jobs could not be paused")
        for scheduler in world.schedulers { scheduler.checkAnswers() }
        for worker in world.workers {
            require(worker.heldCount == 0, "G4: \(worker.name) still holds \(worker.heldCount) calls or outcomes")
        }
        var byJob: [JobID: [Int64: Execution]] = [:]
        for row in rows where row.trigger == .schedule {
            let former = byJob[row.jobID, default: [:]].updateValue(row, forKey: row.scheduledTime.milliseconds)
            require(former == nil, "G1: two rows for \(row.jobID) at \(row.scheduledTime.milliseconds)")
        }
        for id in periods.keys.sorted() { judgeDueTimes(of: id, byJob[id] ?? [:], store) }
        for row in rows { judge(row, store) }
        judgeReports(store)
        for key in world.clients.created {
            let count = store.jobs.values.count { $0.tags == [key] }
            require(count == 1, "idempotency: \(count) jobs were created for the key \(key)")
        }
    }

    private func judgeDueTimes(of id: JobID, _ rows: [Int64: Execution], _ store: MemoryStore) {
        let periods = periods[id] ?? []
        let name = store.jobs[id]?.name ?? ""
        let ranges = rows.values.filter { $0.skippedCount != nil }
        func isCovered(_ time: Int64) -> Bool {
            ranges.contains {
                ($0.skippedFrom ?? $0.scheduledTime).milliseconds <= time && time <= $0.scheduledTime.milliseconds
            }
        }
        for period in periods {
            for due in period.times(from: period.from, through: period.to ?? period.from) {
                let time = due.milliseconds
                // If the clock was set back before the end of a definition, its due times were in the future again and
                // were not due.
                let hadGone = isRepeated(Timestamp(milliseconds: time)) && isRepeated(period.to ?? .distantFuture)
                require(
                    rows[time] != nil || isCovered(time) || hadGone || isUncertain(id, due),
                    "G1: \(name) has no row for its due time \(time)"
                )
            }
        }
        for (time, row) in rows.sorted(by: { $0.key < $1.key }) {
            // An execution that was cancelled before its due time keeps its row, whatever happens to its job.
            let isDue =
                periods.contains { $0.contains(row.scheduledTime) } || row.reason == .cancelRequested
                || isDueByAny(id, row.scheduledTime)
            require(
                isDue || isRepeated(row.scheduledTime) || lost.called.contains(row.id),
                "G7: \(name) has a row for \(time), which is not a due time of the job"
            )
        }
        for row in ranges.sorted(by: { $0.id < $1.id }) { judgeRange(row, periods, rows, store) }
    }

    /// A row that represents several missed due times: the count is exact, and all are too old to run.
    private func judgeRange(_ row: Execution, _ periods: [Period], _ rows: [Int64: Execution], _ store: MemoryStore) {
        guard let job = store.jobs[row.jobID], let period = periods.first(where: { $0.contains(row.scheduledTime) })
        else { return }
        // For a job with the policy NONE: the row existed, and its due time passed while it waited.
        let lateMs = (row.finishedAt ?? .distantPast) - row.scheduledTime
        let isTooLate = lateMs > max(1_000, Int64(job.catchUpWindowMs))
        if row.skippedCount == 1, job.catchUpPolicy == .none, isTooLate { return world.count("late row skipped") }
        let from = row.skippedFrom ?? row.scheduledTime
        let count = period.times(from: from, through: row.scheduledTime).count { time in
            let own = rows[time.milliseconds]
            return own == nil || own?.id == row.id
        }
        // Due times skipped after a step forward are due again after a step back.
        let isRepeated = isRepeated(from: from, through: row.scheduledTime)
        // A row that was skipped with others is made again when a worker reports its call of a lost history.
        let isReported = rows.values.contains {
            from <= $0.scheduledTime && $0.scheduledTime <= row.scheduledTime && lost.called.contains($0.id)
        }
        require(
            Int64(count) == row.skippedCount || isRepeated || isReported
                || isUncertain(row.jobID, from: from, through: row.scheduledTime),
            "G8: \(row.id) represents \(row.skippedCount ?? 0) due times, not \(count)"
        )
        require(job.catchUpPolicy != .all, "G8: \(row.id) was skipped although its job's policy is ALL")
        let outages = notedOutages.values.joined().map(\.outage)
        let isOld = outages.contains { $0.from < from && row.scheduledTime < $0.to - Int64(job.catchUpWindowMs) }
        require(isOld || isRepeated, "G8: \(row.id) was skipped within the catch-up window")
        guard job.catchUpPolicy == .latest, !isRepeated,
            !isUncertain(row.jobID, from: from, through: row.scheduledTime)
        else { return }
        let hasLatest = rows.values.contains {
            $0.scheduledTime > row.scheduledTime && $0.skippedCount == nil && period.contains($0.scheduledTime)
        }
        require(hasLatest, "G8: after \(row.id) the latest missed time was not run")
    }

    private func judge(_ row: Execution, _ store: MemoryStore) {
        guard let job = store.jobs[row.jobID] else { return require(false, "\(row.id) has no job") }
        guard !givenToLiar.contains(row.id) else { return world.count("row of a liar: \(row.status)") }
        world.count("row \(row.status)\(row.reason.map { " \($0)" } ?? "")")
        let counted = outcomes.values.count { $0.executionID == row.id && $0.kind != .notStarted }
        require(row.attempts <= counted, "G6: \(row.id) has \(row.attempts) attempts, of \(counted) reports")
        let dispatches = dispatchCounts[row.id] ?? 0
        // A claim whose leader ended before sending the call is UNKNOWN too.
        let claimed = row.status == .unknown ? 1 : 0
        require(
            row.attempts + row.lostAttempts <= dispatches + claimed,
            "G6: \(row.id) has \(row.attempts) attempts and \(row.lostAttempts) lost ones, of \(dispatches) dispatches"
        )
        let successes = outcomes.values.contains { $0.executionID == row.id && isSuccess($0) }
        switch (row.status, row.reason) {
        case (.success, _):
            require(successes, "G2: \(row.id) is SUCCESS without a successful call")
        case (.failed, .retriesExhausted):
            require(row.attempts == job.maxRetries + 1, "G2: \(row.id) was given up after \(row.attempts) attempts")
        case (.failed, .recordRefused), (.cancelled, .recordRefused):
            require(world.options.refusedTexts > 0, "G2: no text of \(row.id) was refused")
            require(row.response == nil, "G2: the text of \(row.id) was refused but is stored")
        case (.failed, .workerLost):
            require(row.lostAttempts >= 5, "G2: \(row.id) was given up after \(row.lostAttempts) lost attempts")
        case (.failed, nil):
            require(
                once.contains(job.id) || job.maxRetries == 0,
                "G2: \(row.id) is FAILED without a retry"
            )
        case (.cancelled, .cancelRequested):
            require(world.clients.cancelled.contains(row.id), "G2: \(row.id) is CANCELLED without a cancel request")
        case (.cancelled, .jobPaused), (.cancelled, .jobDeleted):
            require(row.attempts > 0 || row.lostAttempts > 0, "G7: \(row.id) was due but was cancelled with its job")
        case (.skipped, .jobPaused), (.skipped, .jobDeleted):
            require(
                row.attempts == 0 && row.lostAttempts == 0,
                "G2: \(row.id) was started but was skipped with its job"
            )
            require(
                world.clients.ended.contains(job.id),
                "G2: \(row.id) was skipped although its job was not paused or deleted"
            )
        case (.unknown, _):
            require(once.contains(job.id), "G2: \(row.id) is UNKNOWN although its job is AT_LEAST_ONCE")
        case (.skipped, .overlap):
            require(job.overlapPolicy == .skip, "\(row.id) was skipped for an overlap that its job allows")
        case (.skipped, .expired):
            let isOver = endings[job.id, default: []].contains { $0 < row.scheduledTime }
            require(isOver, "\(row.id) is EXPIRED, and its job had not ended")
        case (.skipped, .startDeadline):
            // The deadline was checked when the row was written.
            require(
                startDeadlines[job.id, default: []] != [0],
                "\(row.id) was skipped because of a deadline that its job does not have"
            )
        case (.skipped, .catchUp):
            require(row.skippedCount != nil, "G8: \(row.id) was skipped without a count")
        default:
            require(false, "\(row.id) is \(row.status) for the reason \(row.reason.map { "\($0)" } ?? "none")")
        }
    }

    /// Whether a later leader exists than the leader that issued this token.
    private func isOver(_ token: DispatchToken, _ store: MemoryStore) -> Bool {
        token.epoch < store.shards.map(\.epoch).max() ?? 0 || lost.holds(token)
    }

    /// A reported success counts, unless its execution was dispatched again or was cancelled.
    private func judgeReports(_ store: MemoryStore) {
        for (token, outcome) in outcomes.sorted(by: { $0.key < $1.key }) where isSuccess(outcome) {
            guard !givenToLiar.contains(outcome.executionID) else { continue }
            guard let row = store.executions[outcome.executionID] else {
                // Acknowledged outcomes are kept after every clock step, except those of deleted jobs.
                let isRequest = lost.rows[outcome.executionID].map { $0.trigger != .schedule } ?? false
                let isGone = store.jobs[outcome.jobID].map { $0.deletedAt != nil } ?? true
                require(
                    (isRepeated(scheduledTime(of: outcome.executionID)) || lost.hasRow(outcome.executionID, of: token))
                        && (isGone || isRequest || !acknowledgedTokens.contains(token)),
                    "G4: \(outcome.executionID) was called and has no row"
                )
                continue
            }
            guard latestToken[row.id] == token, row.status != .success, row.status != .cancelled else { continue }
            // The worker disappeared with the outcome, or reported it to a scheduler that could not write it.
            let isLost = row.status == .unknown || row.reason == .workerLost
            if isLost, !acknowledgedTokens.contains(token) { continue }
            // The database lost the claim with its history, so the next leader waited for the outcome of the claim before.
            if row.status == .unknown, lost.claims.contains(token), isOver(token, store) { continue }
            // A later leader that did not know of the call found another execution open; a late report changes nothing
            // (G6).
            if row.status == .skipped, row.reason == .overlap, isOver(token, store) { continue }
            // Or skipped the execution with its job.
            if row.status == .skipped, row.reason == .jobPaused || row.reason == .jobDeleted,
                isOver(token, store)
            {
                continue
            }
            // Or found that the execution could not start in time.
            if row.status == .skipped, row.reason == .startDeadline, isOver(token, store) { continue }
            // Or skipped it because of an `ends_at` written in the store, which the call's leader had not found yet.
            if row.status == .skipped, row.reason == .expired, isOver(token, store),
                wasEndedByHand(row.jobID, before: row.scheduledTime)
            {
                continue
            }
            // Or first received the report of an earlier attempt, which its leader had given up: the first report wins.
            if row.status == .failed, isOver(token, store), let told = row.token, told < token { continue }
            // Or found that its due time, which was repeated, had been missed, and caught up on it by the job's policy.
            if row.status == .skipped, row.reason == .catchUp, isOver(token, store),
                isRepeated(row.scheduledTime) || lost.hasRow(row.id, of: token)
            {
                continue
            }
            require(false, "G4: a call of \(row.id) succeeded, but its row is \(row.status)")
        }
    }
}
