import CarillonCore
import TestSupport

/// An execution starts within the start deadline of its job, or is SKIPPED. A started execution is never skipped.
extension Oracle {
    /// The maximum difference between the clocks of the database and a scheduler, plus the duration of a turn.
    private var toleranceMs: Int64 { 1_500 }

    /// The job has a deadline, or may soon have it: by a client's request, or by a change in the store.
    func hasStartDeadline(_ job: Job) {
        startDeadlines[job.id, default: []].insert(Int64(job.limits.startDeadlineMs))
    }

    /// The first call of an execution is sent in time. A claim counts from its transaction, which may take long.
    func judgeStart(of call: DispatchedCall, by scheduler: SchedulerProcess) {
        guard dispatchCounts[call.executionID] == nil, !call.atMostOnce, !once.contains(call.jobID),
            isSteady, !scheduler.hasStoodStill, !isRepeated(call.scheduledTime),
            let deadlines = startDeadlines[call.jobID], !deadlines.contains(0), let longest = deadlines.max(),
            world.database.store.shards[0].epoch == call.token.epoch
        else { return }
        let late = world.databaseTime - call.scheduledTime
        let isInTime = late <= longest + toleranceMs + scheduler.slumberMs
        require(isInTime, "start deadline: \(call.executionID) was called \(late) ms late, and \(longest) are allowed")
    }

    func judgeMissedStart(_ row: Execution, _ before: Execution?) {
        world.count("start deadline missed")
        let attempts = max(row.attempts, before?.attempts ?? 0)
        let lost = max(row.lostAttempts, before?.lostAttempts ?? 0)
        // The row of a claim already counts the claimed attempt.
        let isClaimed = before?.status == .running && before?.isClaimed == true
        require(
            attempts == 0 || isClaimed && row.attempts == 0,
            "start deadline: \(row.id) was skipped after \(attempts) attempts"
        )
        require(lost == 0, "start deadline: \(row.id) was skipped after \(lost) lost attempts")
        let shortest = startDeadlines[row.jobID, default: []].filter { $0 > 0 }.min()
        guard let shortest else {
            return require(false, "start deadline: \(row.id) was skipped although its job has no deadline")
        }
        let late = (row.finishedAt ?? .distantPast) - row.scheduledTime
        require(late > shortest, "start deadline: \(row.id) was skipped \(late) ms after it was due")
    }
}
