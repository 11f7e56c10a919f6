/// How long a due execution may wait for its start. A timer ends the waiting, whether or not a worker has a free slot.
extension Dispatcher {
    /// An execution starts at this time at the latest, or is SKIPPED for this reason.
    private struct LastStart {
        var time: Timestamp
        var reason: Reason
    }

    /// `nil`: the execution may start at any time, or has begun already.
    private func lastStart(of slot: Int32) -> LastStart? {
        let job = executionTable[slot].job
        let limits = jobTable[job].limits
        let isWithoutCatchUp = jobTable[job].catchUpPolicy == .none
        guard limits.startDeadlineMs > 0 || isWithoutCatchUp else { return nil }
        let scheduled = executionTable[slot].execution.scheduledTime
        let isAdoptable = executionTable[slot].isAdoptable
        var last: LastStart?
        // Also for a claim that was given back, and for a row from before an outage: no worker has said that it began.
        let hasBegun =
            executionTable[slot].execution.attempts > 0 || executionTable[slot].execution.lostAttempts > 0
        let mayStart = !hasBegun || InjectedFault.skipsRetriesAfterTheStartDeadline.isActive
        let isIgnored = InjectedFault.startsLateAfterATakeOver.isActive && isAdoptable
        if limits.startDeadlineMs > 0, mayStart, !isIgnored {
            last = LastStart(time: scheduled + Int64(limits.startDeadlineMs), reason: .startDeadline)
        }
        // Without catch-up: only due times of the schedule. A row that was taken over may have been called already.
        if isWithoutCatchUp, executionTable[slot].execution.trigger == .schedule, !executionTable[slot].hasBegun,
            !isAdoptable
        {
            let time = scheduled + max(1_000, Int64(limits.catchUpWindowMs))
            if last.map({ time < $0.time }) ?? true { last = LastStart(time: time, reason: .catchUp) }
        }
        return last
    }

    /// Ends a ready execution that is too late to start; sets the timer of one that is not. Returns whether it has ended.
    @discardableResult
    mutating func endLateStart(_ slot: Int32) -> Bool {
        // A staged change decides about the execution: the timer is set again once that change is durable or refused.
        guard let last = lastStart(of: slot), !isHeld(slot) else { return false }
        guard now > last.time else {
            executionTable.setTimer(slot, to: last.time + 1)
            return false
        }
        // An execution that came back to a job that was paused or deleted meanwhile ends for that reason.
        if jobTable[executionTable[slot].job].hasEnded(for: executionTable[slot].execution.trigger) {
            endWithJob(slot)
            return true
        }
        if last.reason == .catchUp {
            executionTable[slot].execution.skippedCount = 1
            executionTable[slot].execution.skippedFrom = executionTable[slot].execution.scheduledTime
        }
        // A claim may have noted a start that never came.
        executionTable[slot].execution.actualStartTime = nil
        conclude(slot, as: .skipped, reason: last.reason)
        return true
    }

    /// Sets the timers of a job's ready executions by its definition, which has changed or is no longer held by a change.
    mutating func resetStartTimers(of job: Int32, before: JobRecord) {
        let record = jobTable[job]
        guard before.isHeld || record.limits != before.limits || record.catchUpPolicy != before.catchUpPolicy else {
            return
        }
        guard record.executionCount > 0 else { return }
        for slot in executionTable.slots(ofJob: job) where executionTable[slot].state == .ready {
            executionTable.clearTimer(slot)
            endLateStart(slot)
        }
    }

    /// What contradicts the timers of ready executions; `nil` while all is well.
    var startTimerInconsistency: String? {
        for slot in executionTable.allSlots where executionTable[slot].state == .ready && !isHeld(slot) {
            guard (lastStart(of: slot) != nil) == (executionTable.timer(of: slot) != nil) else {
                return "\(executionTable[slot].execution.id) is ready, and its timer does not fit its last start"
            }
        }
        return nil
    }
}
