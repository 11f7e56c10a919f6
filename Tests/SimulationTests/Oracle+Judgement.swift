import CarillonCore
import TestSupport

/// The books, when everything has come to rest.
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
            require(count == 1, "idempotency: \(count) jobs were made for the key \(key)")
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
                // When the clock went back before the end of a definition, its times were in the future once more, and were not due.
                let hadGone = isRepeated(Timestamp(milliseconds: time)) && isRepeated(period.to ?? .distantFuture)
                require(
                    rows[time] != nil || isCovered(time) || hadGone || isUncertain(id, due),
                    "G1: \(name) was due at \(time), and there is no row"
                )
            }
        }
        for (time, row) in rows.sorted(by: { $0.key < $1.key }) {
            // One that a client cancelled ahead of its time stays, whatever becomes of its job.
            let isDue =
                periods.contains { $0.contains(row.scheduledTime) } || row.reason == .cancelRequested
                || isDueByAny(id, row.scheduledTime)
            require(
                isDue || isRepeated(row.scheduledTime) || lost.called.contains(row.id),
                "G7: \(name) has a row for \(time), which is no due time of it"
            )
        }
        for row in ranges.sorted(by: { $0.id < $1.id }) { judgeRange(row, periods, rows, store) }
    }

    /// A row that stands for several missed times: the count is exact, and all are too old to run.
    private func judgeRange(_ row: Execution, _ periods: [Period], _ rows: [Int64: Execution], _ store: MemoryStore) {
        guard let job = store.jobs[row.jobID], let period = periods.first(where: { $0.contains(row.scheduledTime) })
        else { return }
        // A job that wants nothing late: its row was there, and its time passed while it waited.
        let lateMs = (row.finishedAt ?? .distantPast) - row.scheduledTime
        let isTooLate = lateMs > max(1_000, Int64(job.catchUpWindowMs))
        if row.skippedCount == 1, job.catchUpPolicy == .none, isTooLate { return world.count("late row skipped") }
        let from = row.skippedFrom ?? row.scheduledTime
        let count = period.times(from: from, through: row.scheduledTime).count { time in
            let own = rows[time.milliseconds]
            return own == nil || own?.id == row.id
        }
        // What was skipped after a step forward is due once more after one back.
        let isRepeated = isRepeated(from: from, through: row.scheduledTime)
        // A row that was skipped with others is made again when a worker reports its call of a lost history.
        let isReported = rows.values.contains {
            from <= $0.scheduledTime && $0.scheduledTime <= row.scheduledTime && lost.called.contains($0.id)
        }
        require(
            Int64(count) == row.skippedCount || isRepeated || isReported
                || isUncertain(row.jobID, from: from, through: row.scheduledTime),
            "G8: \(row.id) stands for \(row.skippedCount ?? 0) times, not \(count)"
        )
        require(job.catchUpPolicy != .all, "G8: \(row.id) was skipped, though its job's policy is ALL")
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
        // A claim whose leader died before it sent anything is as unknown as any other.
        let claimed = row.status == .unknown ? 1 : 0
        require(
            row.attempts + row.lostAttempts <= dispatches + claimed,
            "G6: \(row.id) has \(row.attempts) attempts and \(row.lostAttempts) lost ones, of \(dispatches) dispatches"
        )
        let successes = outcomes.values.contains { $0.executionID == row.id && isSuccess($0) }
        switch (row.status, row.reason) {
        case (.success, _):
            require(successes, "G2: \(row.id) is SUCCESS, and no call of it succeeded")
        case (.failed, .retriesExhausted):
            require(row.attempts == job.maxRetries + 1, "G2: \(row.id) was given up after \(row.attempts) attempts")
        case (.failed, .recordRefused), (.cancelled, .recordRefused):
            require(world.options.refusedTexts > 0, "G2: nothing that \(row.id) said was refused")
            require(row.response == nil, "G2: the text of \(row.id) was refused, and is there")
        case (.failed, .workerLost):
            require(row.lostAttempts >= 5, "G2: \(row.id) was given up after \(row.lostAttempts) lost attempts")
        case (.failed, nil):
            require(
                once.contains(job.id) || job.maxRetries == 0,
                "G2: \(row.id) is FAILED, and was not tried again"
            )
        case (.cancelled, .cancelRequested):
            require(world.clients.cancelled.contains(row.id), "G2: \(row.id) is CANCELLED, and nobody asked for it")
        case (.cancelled, .jobPaused), (.cancelled, .jobDeleted):
            require(row.attempts > 0 || row.lostAttempts > 0, "G7: \(row.id) was due, and was cancelled with its job")
        case (.skipped, .jobPaused), (.skipped, .jobDeleted):
            require(row.attempts == 0 && row.lostAttempts == 0, "G2: \(row.id) was begun, and was skipped with its job")
            require(world.clients.ended.contains(job.id), "G2: \(row.id) was skipped, and its job was not ended")
        case (.unknown, _):
            require(once.contains(job.id), "G2: \(row.id) is UNKNOWN, and its job is AT_LEAST_ONCE")
        case (.skipped, .overlap):
            require(job.overlapPolicy == .skip, "\(row.id) was skipped for an overlap that its job allows")
        case (.skipped, .expired):
            let isOver = endings[job.id, default: []].contains { $0 < row.scheduledTime }
            require(isOver, "\(row.id) is EXPIRED, and its job had not ended")
        case (.skipped, .startDeadline):
            // Whether it was right when it was written is judged there.
            require(
                startDeadlines[job.id, default: []] != [0],
                "\(row.id) was skipped for a deadline that its job has not"
            )
        case (.skipped, .catchUp):
            require(row.skippedCount != nil, "G8: \(row.id) was skipped without a count")
        default:
            require(false, "\(row.id) is \(row.status) for the reason \(row.reason.map { "\($0)" } ?? "none")")
        }
    }

    /// Whether another leader came after the one that made this token.
    private func isOver(_ token: DispatchToken, _ store: MemoryStore) -> Bool {
        token.epoch < store.shards.map(\.epoch).max() ?? 0 || lost.holds(token)
    }

    /// A success that a worker reported counts, unless its execution had been dispatched anew, or was cancelled.
    private func judgeReports(_ store: MemoryStore) {
        for (token, outcome) in outcomes.sorted(by: { $0.key < $1.key }) where isSuccess(outcome) {
            guard !givenToLiar.contains(outcome.executionID) else { continue }
            guard let row = store.executions[outcome.executionID] else {
                // Whatever the clock does, what was acknowledged is kept, but of a job that was deleted meanwhile.
                // A lost request for a run is not made again for the report: only due times are known without their rows.
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
            // A worker that died with it could not report it, or told somebody who could not write it down.
            let isLost = row.status == .unknown || row.reason == .workerLost
            if isLost, !acknowledgedTokens.contains(token) { continue }
            // A later leader, whom nobody told of the call in time, found another one open; a late report changes nothing (G6).
            if row.status == .skipped, row.reason == .overlap, isOver(token, store) { continue }
            // Or ended it with its job.
            if row.status == .skipped, row.reason == .jobPaused || row.reason == .jobDeleted,
                isOver(token, store)
            {
                continue
            }
            // Or found that it could not start in time.
            if row.status == .skipped, row.reason == .startDeadline, isOver(token, store) { continue }
            // Or ended it by an `ends_at` that somebody had written by hand: the leader of the call had not found it yet.
            if row.status == .skipped, row.reason == .expired, isOver(token, store),
                wasEndedByHand(row.jobID, before: row.scheduledTime)
            {
                continue
            }
            // Or heard of an attempt before this one first, which its own leader had given up: the first word wins.
            if row.status == .failed, isOver(token, store), let told = row.token, told < token { continue }
            // Or found that its time, which came again or whose row was lost, had been missed, and made up for it by its
            // job's policy.
            if row.status == .skipped, row.reason == .catchUp, isOver(token, store),
                isRepeated(row.scheduledTime) || lost.hasRow(row.id, of: token)
            {
                continue
            }
            require(false, "G4: a call of \(row.id) succeeded, and its row says \(row.status)")
        }
    }
}
