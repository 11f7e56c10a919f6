/// What waits only so long: calls whose workers say nothing, cancel requests, and changes that the database does not answer.
extension Dispatcher {
    /// How long after its timeout a call may be reported before its worker is told to stop it, and how long after that before
    /// the attempt counts as lost.
    private static var graceMs: Int64 { 10_000 }

    /// How long a cancel request waits for the worker's report.
    private static var cancelMs: Int64 { 5_000 }

    /// A worker has got a call: it must report it in time.
    mutating func setDeadline(_ slot: Int32) {
        let timeout = Int64(jobTable[executionTable[slot].job].timeoutMs)
        executionTable[slot].isOverdue = false
        executionTable[slot].deadline = leadership.nowBoot + (timeout + Self.graceMs)
        resumeDeadline(slot)
    }

    /// A worker says that it still has a call. Its time does not begin anew, unless an earlier leader dispatched the call.
    mutating func resumeDeadline(_ slot: Int32) {
        guard let deadline = executionTable[slot].deadline else { return setDeadline(slot) }
        executionTable.setDeadline(slot, at: deadline)
    }

    /// Stops calls that exceed their timeout, and gives up those that their workers do not report even then.
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

    /// A cancel request of a call that runs: answered when it is over.
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

    /// The worker has not reported yet: the execution is answered as it stands.
    mutating func answerLateCancels(into actions: inout [Action]) {
        guard !changes.cancels.isEmpty else { return }
        for cancel in changes.cancels where cancel.until <= leadership.nowBoot {
            actions.append(.reply(cancel.requestID, lateAnswer(to: cancel)))
        }
        changes.cancels.removeAll { $0.until <= leadership.nowBoot }
    }

    private func lateAnswer(to cancel: PendingCancel) -> ChangeResult {
        guard let slot = executionTable.slot(of: cancel.id) else { return .notOpen }
        // Nobody is told of an end that is not durable.
        guard executionTable[slot].state != .recording else { return .refused(.outcomeUnknown) }
        return .execution(executionTable[slot].execution)
    }

    /// A change that the database has not answered for a lease is answered: its outcome is unknown. It may still be made.
    mutating func answerLateChanges(into actions: inout [Action]) {
        guard let sent = log.inFlight, leadership.nowBoot >= sent.sentAt + Int64(configuration.leaseMs) else { return }
        for requestID in log.takeRequestIDs() + changes.takeRequestIDs() {
            actions.append(.reply(requestID, .refused(.outcomeUnknown)))
        }
    }

    /// When `answerLateChanges` has something to say.
    var unansweredWake: BootTime? {
        guard let sentAt = log.inFlight?.sentAt else { return nil }
        let until = sentAt + Int64(configuration.leaseMs)
        // Whether somebody waits is looked up at that time only: a batch has thousands of rows.
        return leadership.nowBoot < until || log.hasRequestIDs || changes.hasRequestIDs ? until : nil
    }
}
