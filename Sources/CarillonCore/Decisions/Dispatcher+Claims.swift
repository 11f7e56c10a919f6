/// Queries to workers about AT_MOST_ONCE calls without a report.
extension Dispatcher {
    /// Asks each worker process about claims that were made for it and that no connection holds.
    mutating func queryClaims(into actions: inout [Action]) {
        guard pool.isClaimQueryDue else { return }
        pool.isClaimQueryDue = false
        var queries: [ConnectionID: [QueriedClaim]] = [:]
        for slot in executionTable.slots(heldBy: .unassigned) {
            let execution = executionTable[slot].execution
            guard let token = execution.token, let name = execution.worker, let bootID = execution.workerBootID,
                let link = pool.roster.link(of: name, bootID), executionTable[slot].queriedLink != link
            else { continue }
            executionTable[slot].queriedLink = link
            queries[link, default: []].append(
                QueriedClaim(
                    token: token,
                    executionID: execution.id,
                    attempt: executionTable[slot].attemptNumber,
                    shard: execution.jobID.shard
                )
            )
        }
        for (link, claims) in queries.sorted(by: { $0.key < $1.key }) { actions.append(.queryClaims(link, claims)) }
    }

    /// Dispatches a call again that never started and never will. Only the process that the claim was made for can say
    /// so, and only if its memory reaches back before the claim.
    mutating func workerAnsweredClaims(_ link: ConnectionID, rememberedMs: UInt64, _ claims: [AnsweredClaim]) {
        guard case .leading = leadership.phase, let worker = pool.roster.workers[link] else { return }
        var since = now - Int64(clamping: min(rememberedMs, UInt64(max(0, now.milliseconds))))
        if InjectedFault.trustsAnyProcessAboutAClaim.isActive { since = .distantPast }
        for answer in claims where answer.state == .neverBegun {
            guard let slot = executionTable.slot(of: answer.claim.executionID),
                executionTable[slot].state == .outcomePending,
                executionTable[slot].queriedLink == link, executionTable[slot].execution.token == answer.claim.token,
                executionTable[slot].attemptNumber == answer.claim.attempt,
                executionTable[slot].execution.worker == worker.name,
                let claimed = InjectedFault.trustsAnyProcessAboutAClaim.isActive
                    ? .distantFuture : knownClaimTime(of: executionTable[slot]),
                executionTable[slot].execution.workerBootID == worker.bootID
                    || InjectedFault.trustsAnyProcessAboutAClaim.isActive,
                claimed > since
            else { continue }
            counters.returnedAttempts += 1
            executionTable.clearTimer(slot)
            executionTable[slot].execution.token = nil
            if let reason = executionTable[slot].cancelReason {
                conclude(slot, as: .cancelled, reason: reason)
            } else {
                makeReady(slot)
            }
        }
    }
}
