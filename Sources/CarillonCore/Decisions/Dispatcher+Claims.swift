/// What became of an AT_MOST_ONCE call that nobody has reported: its worker is asked (design § 5, AT_MOST_ONCE at the worker).
extension Dispatcher {
    /// Asks each worker process about the claims that were made for it and are held by nobody.
    mutating func queryClaims(into actions: inout [Action]) {
        guard pool.isClaimQueryDue else { return }
        pool.isClaimQueryDue = false
        var queries: [LinkID: [QueriedClaim]] = [:]
        for slot in ledger.slots(heldBy: .nobody) {
            let execution = ledger[slot].execution
            guard let token = execution.token, let name = execution.worker, let bootID = execution.workerBootID,
                let link = pool.roster.link(of: name, bootID), ledger[slot].queriedLink != link
            else { continue }
            ledger[slot].queriedLink = link
            queries[link, default: []].append(
                QueriedClaim(
                    token: token,
                    executionID: execution.id,
                    attempt: ledger[slot].attemptNumber,
                    shard: execution.jobID.shard
                )
            )
        }
        for (link, claims) in queries.sorted(by: { $0.key < $1.key }) { actions.append(.queryClaims(link, claims)) }
    }

    /// A call that was never begun, and never will be, is given out again. Only the process that the claim was made for can
    /// say so, and only if it remembers all calls since before the claim.
    mutating func workerAnsweredClaims(_ link: LinkID, rememberedMs: UInt64, _ claims: [AnsweredClaim]) {
        guard case .leading = leadership.phase, let worker = pool.roster.workers[link] else { return }
        var since = now - Int64(clamping: min(rememberedMs, UInt64(max(0, now.milliseconds))))
        if Canary.trustsAnyProcessAboutAClaim.sings { since = .distantPast }
        for answer in claims where answer.state == .neverBegun {
            guard let slot = ledger.slot(of: answer.claim.executionID), ledger[slot].state == .missing,
                ledger[slot].queriedLink == link, ledger[slot].execution.token == answer.claim.token,
                ledger[slot].attemptNumber == answer.claim.attempt, ledger[slot].execution.worker == worker.name,
                let claimed = Canary.trustsAnyProcessAboutAClaim.sings
                    ? .distantFuture : knownClaimTime(of: ledger[slot]),
                ledger[slot].execution.workerBootID == worker.bootID || Canary.trustsAnyProcessAboutAClaim.sings,
                claimed > since
            else { continue }
            figures.returnedAttempts += 1
            ledger.clearTimer(slot)
            ledger[slot].execution.token = nil
            if let reason = ledger[slot].cancelReason {
                conclude(slot, as: .cancelled, reason: reason)
            } else {
                makeReady(slot)
            }
        }
    }
}
