/// What schedulers say of themselves and are told (proto § 6).
extension WorkerDesk {
    /// How much goes into one message; the wire splits what is still too large for a frame.
    private static var heldCallsPerMessage: Int { 8_192 }
    private static var outcomesPerMessage: Int { 1_024 }
    private static var textBytesPerMessage: Int { 512 << 10 }

    mutating func leadAnnounced(_ id: LinkID, _ lead: LeadProof, leads: Bool, into actions: inout [WorkerAction]) {
        guard links[id] != nil else { return }
        guard lead.epoch >= highest.epoch else {
            // Its lease is over, or the database's history went back: it learns which epoch it must exceed.
            guard leads else { return }
            actions.append(.note(.leadRefused(id, epoch: lead.epoch, highest: highest.epoch)))
            actions.append(.refuseLead(id, epoch: lead.epoch, highest: highest))
            return
        }
        guard leads else {
            if let link = links[id], link.epoch == lead.epoch, link.incarnation == lead.incarnation {
                links[id]?.epoch = nil
                if leader == nil { actions.append(.note(.leaderLost(epoch: lead.epoch))) }
            }
            return
        }
        let isNews = lead.epoch != highest.epoch || lead.incarnation != highest.incarnation || leader != id
        // Whoever led under a lower one leads no longer, and what it may still send is void.
        highest = lead
        links[id]?.epoch = lead.epoch
        links[id]?.incarnation = lead.incarnation
        links[id]?.awaitsGrant = true
        if isNews { actions.append(.note(.leaderChanged(id, epoch: lead.epoch))) }
        tellHeld(id, epoch: lead.epoch, into: &actions)
        resendOutcomes()
        report(becameLong: [], to: id, into: &actions)
    }

    mutating func disconnected(_ id: LinkID, into actions: inout [WorkerAction]) {
        guard let link = links.removeValue(forKey: id), leads(link) else { return }
        if leader == nil {
            if !hasDrained { actions.append(.note(.leaderLost(epoch: highest.epoch))) }
        } else {
            // The same scheduler by another connection: what was on its way over this one may be lost.
            resendOutcomes()
        }
    }

    /// Everything that is not over yet, in messages of a bounded size; one at least, since the answer is awaited.
    private func tellHeld(_ link: LinkID, epoch: Int64, into actions: inout [WorkerAction]) {
        var calls: [HeldCall] = []
        for slot in held.slots {
            let call = held[slot]
            if case .unacknowledged = call.state { continue }
            calls.append(
                HeldCall(
                    token: call.token,
                    code: call.code,
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

    private mutating func resendOutcomes() {
        if Canary.forgetsToReportAgain.sings { return }
        unreported.removeAll(keepingCapacity: true)
        for slot in held.slots {
            if case .unacknowledged(let outcome) = held[slot].state { unreported.append(outcome.token) }
        }
    }

    /// Tells the leader, if there is one, what it does not know yet.
    mutating func report(becameLong: [Token], into actions: inout [WorkerAction]) {
        guard let leader else { return }
        report(becameLong: becameLong, to: leader, into: &actions)
    }

    private mutating func report(becameLong: [Token], to link: LinkID, into actions: inout [WorkerAction]) {
        var batch: [CallOutcome] = []
        var bytes = 0
        for token in unreported {
            guard let slot = slots[token], case .unacknowledged(let outcome) = held[slot].state else { continue }
            batch.append(outcome)
            bytes += (outcome.response?.utf8.count ?? 0) + (outcome.errorMessage?.utf8.count ?? 0)
            if batch.count == Self.outcomesPerMessage || bytes >= Self.textBytesPerMessage {
                actions.append(.report(link, batch))
                batch = []
                bytes = 0
            }
        }
        unreported.removeAll(keepingCapacity: true)
        if !batch.isEmpty { actions.append(.report(link, batch)) }
        if !becameLong.isEmpty { actions.append(.tellStarted(link, becameLong)) }
    }

    /// Offers every slot that is free and not on offer yet. A scheduler that has just announced itself gets its credit even
    /// when it says nothing new: it ends the answer to Lead.
    mutating func grant(into actions: inout [WorkerAction]) {
        guard let leader else { return }
        let offered = links.values.reduce(0) { leads($1) ? $0 + $1.outstanding : $0 }
        let free = isDraining ? 0 : max(0, freeCount - offered)
        for id in links.keys.sorted() {
            guard var link = links[id], leads(link), link.awaitsGrant || (id == leader && free > 0) else { continue }
            if id == leader, free > 0 { link.granted = max(link.granted, link.received) + UInt64(free) }
            if link.awaitsGrant { tellLong(id, into: &actions) }
            link.awaitsGrant = false
            links[id] = link
            actions.append(.grant(id, link.granted))
        }
    }

    /// A new leader has adopted what runs; that some of it runs for long, it does not know.
    private func tellLong(_ link: LinkID, into actions: inout [WorkerAction]) {
        var tokens: [Token] = []
        for slot in held.slots {
            if case .running(isLong: true) = held[slot].state { tokens.append(held[slot].token) }
        }
        if !tokens.isEmpty { actions.append(.tellStarted(link, tokens)) }
    }
}
