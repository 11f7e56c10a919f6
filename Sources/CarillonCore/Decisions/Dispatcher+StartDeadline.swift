/// How long a due execution may wait for its start. A timer ends the wait, even if no worker has a free slot.
extension Dispatcher {
    /// The latest start of an execution, and the reason of its SKIPPED row afterwards.
    private struct LastStart {
        var time: Timestamp
        var reason: Reason
    }

    /// The latest start of an execution; `nil` if there is no limit or it has already started.
    private func lastStart(of slot: Int32) -> LastStart? {
        let job = executionTable[slot].job
        let limits = jobTable[job].limits
        let isWithoutCatchUp = jobTable[job].catchUpPolicy == .none
        guard limits.startDeadlineMs > 0 || isWithoutCatchUp else { return nil }
        let scheduled = executionTable[slot].execution.scheduledTime
        let isAdoptable = executionTable[slot].isAdoptable
        var last: LastStart?
        // Also for a returned claim and a row from before an outage: no worker has reported their start.
        let hasBegun =
            executionTable[slot].execution.attempts > 0 || executionTable[slot].execution.lostAttempts > 0
        let mayStart = !hasBegun || InjectedFault.skipsRetriesAfterTheStartDeadline.isActive
        let isIgnored = InjectedFault.startsLateAfterATakeOver.isActive && isAdoptable
        if limits.startDeadlineMs > 0, mayStart, !isIgnored {
            last = LastStart(time: scheduled + Int64(limits.startDeadlineMs), reason: .startDeadline)
        }
        // Without catch-up, only due times of the schedule are limited. A recovered execution may already have been
        // called.
        if isWithoutCatchUp, executionTable[slot].execution.trigger == .schedule, !executionTable[slot].hasBegun,
            !isAdoptable
        {
            let time = scheduled + max(1_000, Int64(limits.catchUpWindowMs))
            if last.map({ time < $0.time }) ?? true { last = LastStart(time: time, reason: .catchUp) }
        }
        return last
    }

    /// Ends a ready execution that is too late to start; otherwise sets its timer. Returns whether it ended.
    @discardableResult
    mutating func endLateStart(_ slot: Int32) -> Bool {
        // A staged change affects the execution: the timer is set when the change is durable or refused.
        guard let last = lastStart(of: slot), !isHeld(slot) else { return false }
        guard now > last.time else {
            executionTable.setTimer(slot, to: last.time + 1)
            return false
        }
        // If the job was paused or deleted meanwhile, the execution ends for that reason.
        if jobTable[executionTable[slot].job].hasEnded(for: executionTable[slot].execution.trigger) {
            endWithJob(slot)
            return true
        }
        if last.reason == .catchUp {
            executionTable[slot].execution.skippedCount = 1
            executionTable[slot].execution.skippedFrom = executionTable[slot].execution.scheduledTime
        }
        // A claim may have recorded a start that never happened.
        executionTable[slot].execution.actualStartTime = nil
        conclude(slot, as: .skipped, reason: last.reason)
        return true
    }

    /// Sets the timers of a job's ready executions again after the job's definition changed or was released.
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

    /// The first inconsistent timer of a ready execution; `nil` if there is none.
    var startTimerInconsistency: String? {
        for slot in executionTable.allSlots where executionTable[slot].state == .ready && !isHeld(slot) {
            guard (lastStart(of: slot) != nil) == (executionTable.timer(of: slot) != nil) else {
                return "\(executionTable[slot].execution.id) is ready, but its timer does not match its latest start"
            }
        }
        return nil
    }
}
