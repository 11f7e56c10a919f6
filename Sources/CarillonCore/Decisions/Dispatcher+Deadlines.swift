/// Deadlines for calls that workers do not report, for cancel requests, and for changes that the database does not
/// answer.
extension Dispatcher {
    /// How long after its timeout a call may still be reported before it is cancelled; and how long after that before
    /// the attempt counts as lost.
    private static var graceMs: Int64 { 10_000 }

    /// How long a cancel request waits for the worker's report.
    private static var cancelMs: Int64 { 5_000 }

    /// Sets the deadline for the report of a dispatched call.
    mutating func setDeadline(_ slot: Int32) {
        let timeout = Int64(jobTable[executionTable[slot].job].timeoutMs)
        executionTable[slot].isOverdue = false
        executionTable[slot].deadline = leadership.nowBoot + (timeout + Self.graceMs)
        resumeDeadline(slot)
    }

    /// A worker reports that it still holds a call. The deadline is kept, unless an earlier leader dispatched the call.
    mutating func resumeDeadline(_ slot: Int32) {
        guard let deadline = executionTable[slot].deadline else { return setDeadline(slot) }
        executionTable.setDeadline(slot, at: deadline)
    }

    /// Cancels calls that exceed their timeout, and gives up calls that are still not reported afterwards.
    mutating func endOverdueCalls(into actions: inout [Action]) {
        if InjectedFault.waitsIndefinitelyForASilentWorker.isActive { return }
        while let slot = executionTable.firstOverdue(at: leadership.nowBoot) {
            guard case .dispatched(let link) = executionTable[slot].state,
                let token = executionTable[slot].execution.token
            else {
                executionTable.clearDeadline(slot)
                continue
            }
            guard executionTable[slot].isOverdue else {
                executionTable[slot].isOverdue = true
                executionTable[slot].deadline = leadership.nowBoot + Self.graceMs
                resumeDeadline(slot)
                actions.append(.cancelCalls(link, [token]))
                continue
            }
            counters.overdueCalls += 1
            actions.append(.log(.callOverdue(worker: pool.roster[link]?.name ?? "", executionTable[slot].execution.id)))
            markAcknowledged(slot)
            pool.roster.modify(link) {
                $0.inFlight -= 1
                $0.overdue += 1
            }
            lose(slot)
        }
    }

    /// Registers a cancel request for a running call. The answer follows when the call ends.
    mutating func awaitEnd(of id: ExecutionID, _ requestID: RequestID) {
        changes.cancels.append(PendingCancel(requestID: requestID, id: id, until: leadership.nowBoot + Self.cancelMs))
    }

    mutating func answerCancels(of execution: Execution, into actions: inout [Action]) {
        guard !changes.cancels.isEmpty else { return }
        for cancel in changes.cancels where cancel.id == execution.id {
            actions.append(.reply(cancel.requestID, .execution(execution)))
        }
        changes.cancels.removeAll { $0.id == execution.id }
    }

    /// Answers cancel requests whose calls were not reported in time with the current state of the execution.
    mutating func answerLateCancels(into actions: inout [Action]) {
        guard !changes.cancels.isEmpty else { return }
        for cancel in changes.cancels where cancel.until <= leadership.nowBoot {
            actions.append(.reply(cancel.requestID, lateAnswer(to: cancel)))
        }
        changes.cancels.removeAll { $0.until <= leadership.nowBoot }
    }

    private func lateAnswer(to cancel: PendingCancel) -> ChangeResult {
        guard let slot = executionTable.slot(of: cancel.id) else { return .notOpen }
        // Do not report an end that is not durable.
        guard executionTable[slot].state != .recording else { return .refused(.outcomeUnknown) }
        return .execution(executionTable[slot].execution)
    }

    /// Answers changes that the database has not confirmed within a lease: their outcome is unknown. They may still be
    /// applied.
    mutating func answerLateChanges(into actions: inout [Action]) {
        guard let sent = log.inFlight, leadership.nowBoot >= sent.sentAt + Int64(configuration.leaseMs) else { return }
        for requestID in log.takeRequestIDs() + changes.takeRequestIDs() {
            actions.append(.reply(requestID, .refused(.outcomeUnknown)))
        }
    }

    /// The next time at which `answerLateChanges` has an answer to send.
    var unansweredWake: BootTime? {
        guard let sentAt = log.inFlight?.sentAt else { return nil }
        let until = sentAt + Int64(configuration.leaseMs)
        // Whether somebody waits is looked up at that time only: a batch has thousands of rows.
        return leadership.nowBoot < until || log.hasRequestIDs || changes.hasRequestIDs ? until : nil
    }
}
