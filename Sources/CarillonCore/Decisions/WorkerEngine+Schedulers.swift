/// Announcements of schedulers, and reports to them.
extension WorkerEngine {
    /// The maximum content of one message. The wire layer splits what is still too large for a frame.
    private static var heldCallsPerMessage: Int { 8_192 }
    private static var outcomesPerMessage: Int { 1_024 }
    private static var textBytesPerMessage: Int { 512 << 10 }

    mutating func leadAnnounced(
        _ id: ConnectionID,
        _ lead: LeadProof,
        _ shards: [UInt8],
        into actions: inout [WorkerAction]
    ) {
        guard links[id] != nil else { return }
        let change = leaders.announced(id, lead, shards)
        // The lease of these shards has ended, or the database was restored: report the epoch that the scheduler must
        // exceed.
        for (highest, shards) in change.refused where !InjectedFault.ignoresALowerLead.isActive {
            actions.append(.log(.leadRefused(id, epoch: lead.epoch, highest: highest.epoch)))
            actions.append(.refuseLead(id, epoch: lead.epoch, shards: shards, highest: highest))
        }
        noteLost(change, epoch: lead.epoch, into: &actions)
        let moved = takeUnacknowledged(of: change.moved)
        unreported += moved
        guard !change.obeyed.isEmpty else { return }
        links[id]?.awaitsGrant = true
        if change.isNews { actions.append(.log(.leaderChanged(id, epoch: lead.epoch))) }
        tellHeld(id, epoch: lead.epoch, of: change.obeyed, into: &actions)
        let outcomes = takeUnacknowledged(of: change.obeyed)
        report(outcomes, over: id, into: &actions)
    }

    mutating func disconnected(_ id: ConnectionID, into actions: inout [WorkerAction]) {
        guard links.removeValue(forKey: id) != nil else { return }
        let epoch = leaders.epoch(of: id)
        let change = leaders.ended(id)
        if let epoch { noteLost(change, epoch: epoch, into: &actions) }
        // Outcomes sent over this connection may be lost. A shard without a leader waits for its next Lead.
        let lost = takeUnacknowledged(of: ShardSet(), orReportedTo: id)
        unreported += lost
    }

    private func noteLost(_ change: LeaderTable.Change, epoch: Int64, into actions: inout [WorkerAction]) {
        guard !change.lost.isEmpty, !hasDrained else { return }
        actions.append(.log(.leaderLost(epoch: epoch, shards: change.lost.count)))
    }

    /// Reports the unfinished calls of these shards in messages of bounded size. At least one message is sent, because
    /// the leader waits for it.
    private func tellHeld(_ link: ConnectionID, epoch: Int64, of shards: ShardSet, into actions: inout [WorkerAction]) {
        var calls: [HeldCall] = []
        for slot in held.slots where shards.contains(held[slot].shard) {
            let call = held[slot]
            if case .unacknowledged = call.state { continue }
            calls.append(
                HeldCall(
                    token: call.token,
                    code: call.code,
                    shard: call.shard,
                    executionID: call.executionID,
                    jobID: call.jobID,
                    attempt: call.attempt
                )
            )
        }
        var rest = calls[...]
        repeat {
            actions.append(.hold(link, epoch: epoch, Array(rest.prefix(Self.heldCallsPerMessage))))
            rest = rest.dropFirst(Self.heldCallsPerMessage)
        } while !rest.isEmpty
    }

    /// Removes from `unreported` and returns the unacknowledged outcomes of these shards or of that connection, to send
    /// them again.
    private mutating func takeUnacknowledged(of shards: ShardSet, orReportedTo link: ConnectionID? = nil)
        -> [DispatchToken]
    {
        if InjectedFault.forgetsToReportAgain.isActive || unacknowledgedCount == 0 { return [] }
        guard link != nil || !shards.isEmpty else { return [] }
        var tokens: [DispatchToken] = []
        for slot in held.slots {
            guard case .unacknowledged(let outcome) = held[slot].state else { continue }
            if shards.contains(outcome.shard) || link != nil && held[slot].reportedTo == link {
                tokens.append(outcome.token)
            }
        }
        let taken = Set(tokens)
        unreported.removeAll { taken.contains($0) }
        return tokens
    }

    /// Reports news to the leaders. Outcomes of a shard without a leader wait for its next Lead.
    mutating func report(becameLong: [DispatchToken], into actions: inout [WorkerAction]) {
        if !unreported.isEmpty {
            let tokens = unreported
            unreported.removeAll(keepingCapacity: true)
            report(tokens, into: &actions)
        }
        guard !becameLong.isEmpty else { return }
        var started: [ConnectionID: [DispatchToken]] = [:]
        for token in becameLong {
            guard let slot = slots[token], let link = leaders.leader(of: held[slot].shard) else { continue }
            started[link, default: []].append(token)
        }
        for (link, tokens) in started.sorted(by: { $0.key < $1.key }) { actions.append(.tellStarted(link, tokens)) }
    }

    /// Outcomes for one connection.
    private struct Batch {
        var outcomes: [CallOutcome] = []
        var textBytes = 0
    }

    /// Sends outcomes to the leaders of their shards.
    /// - Parameter over: the connection that requested them, if any.
    mutating func report(_ tokens: [DispatchToken], over asker: ConnectionID? = nil, into actions: inout [WorkerAction])
    {
        var batches: [ConnectionID: Batch] = [:]
        for token in tokens {
            guard let slot = slots[token], case .unacknowledged(let outcome) = held[slot].state,
                let link = asker ?? leaders.leader(of: held[slot].shard)
            else { continue }
            held[slot].reportedTo = link
            var batch = batches.removeValue(forKey: link) ?? Batch()
            batch.outcomes.append(outcome)
            batch.textBytes += (outcome.response?.utf8.count ?? 0) + (outcome.errorMessage?.utf8.count ?? 0)
            if batch.outcomes.count == Self.outcomesPerMessage || batch.textBytes >= Self.textBytesPerMessage {
                actions.append(.report(link, batch.outcomes))
            } else {
                batches[link] = batch
            }
        }
        for (link, batch) in batches.sorted(by: { $0.key < $1.key }) { actions.append(.report(link, batch.outcomes)) }
    }

    /// Divides the free slots among the leading connections. A new leader always gets a Credit, even with an unchanged
    /// number, because it ends the answer to Lead.
    mutating func grant(at now: BootTime, into actions: inout [WorkerAction]) {
        let lines = divided(at: now)
        for line in lines {
            guard var link = links[line.link] else { continue }
            let isChanged = line.offered != link.offered
            guard isChanged || link.awaitsGrant else { continue }
            // The sender may have used an offer before its withdrawal arrived: the number never falls below the calls
            // received.
            link.granted = max(link.received, isChanged ? link.received + UInt64(line.offered) : link.granted)
            link.movedAt = line.movedAt
            if link.awaitsGrant { tellLong(line.link, into: &actions) }
            link.awaitsGrant = false
            links[line.link] = link
            actions.append(.grant(line.link, link.granted))
        }
    }

    /// The offers for each leading connection. A draining worker leaves its offers unchanged.
    private mutating func divided(at now: BootTime) -> [CreditShare.Line] {
        creditWake = nil
        var lines: [CreditShare.Line] = []
        for id in leaders.leading {
            guard let link = links[id] else { continue }
            lines.append(CreditShare.Line(link: id, offered: link.offered, movedAt: link.movedAt))
        }
        if isDraining { return lines }
        let share = CreditShare(lines, free: freeCount, at: now)
        creditWake = share.wake
        return share.lines
    }

    /// Reports long-running calls to a new leader, which has adopted them without knowing that.
    private func tellLong(_ link: ConnectionID, into actions: inout [WorkerAction]) {
        var tokens: [DispatchToken] = []
        for slot in held.slots where leaders.leads(link, held[slot].shard) {
            if case .running(isLong: true) = held[slot].state { tokens.append(held[slot].token) }
        }
        if !tokens.isEmpty { actions.append(.tellStarted(link, tokens)) }
    }
}
