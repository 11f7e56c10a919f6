/// The worker starts each AT_MOST_ONCE attempt at most once.
extension WorkerEngine {
    /// Handles a repeated dispatch of an attempt that started earlier under another token, or after which a later attempt
    /// started: answers with the present or future outcome of the latest attempt.
    mutating func refuseRepeat(_ call: DispatchedCall, clusterTime: Timestamp, receivedAt: BootTime) {
        counters.refusedRepeats += 1
        let repeated = Held(call, clusterTime: clusterTime, receivedAt: receivedAt, state: .waiting(call))
        switch memory.state(of: call.executionID, call.attempt) {
        case .ended(let outcome): answer(repeated, with: outcome)
        case .running:
            if !memory.addRepeat(repeated) { answer(repeated, with: nil) }
        case nil: break
        }
    }

    /// Reports the outcome of an attempt under the token of a repeated dispatch.
    mutating func answer(_ repeated: Held, with outcome: CallOutcome?) {
        guard slots[repeated.token] == nil else { return }
        var answer =
            outcome
            ?? CallOutcome(
                token: repeated.token,
                shard: repeated.shard,
                executionID: repeated.executionID,
                jobID: repeated.jobID,
                attempt: repeated.attempt,
                kind: .unknown
            )
        answer.token = repeated.token
        answer.code = repeated.code
        answer.shard = repeated.shard
        answer.attempt = repeated.attempt
        var held = repeated
        held.state = .unacknowledged(answer)
        _ = hold(held)
        unreported.append(answer.token)
    }

    /// Answers a leader's query about claims of its shards. After the answer "never begun" the worker refuses any later
    /// dispatch with that token.
    mutating func claimsQueried(
        _ link: ConnectionID,
        _ claims: [QueriedClaim],
        at now: BootTime,
        into actions: inout [WorkerAction]
    ) {
        guard leaders.isLeading(link) else { return }
        var answers: [AnsweredClaim] = []
        var ended: [DispatchToken] = []
        for claim in claims where leaders.leads(link, claim.shard) {
            if let slot = slots[claim.token] {
                guard held[slot].shard == claim.shard else { continue }
                switch held[slot].state {
                case .waiting, .running: answers.append(AnsweredClaim(claim, .running))
                case .unacknowledged:
                    ended.append(claim.token)
                    answers.append(AnsweredClaim(claim, .ended))
                }
                continue
            }
            switch memory.state(of: claim.executionID, claim.attempt) {
            case .running: answers.append(AnsweredClaim(claim, .running))
            case .ended(let outcome):
                // The outcome was acknowledged before, but the database may have lost it: report it again.
                if outcome.token == claim.token, outcome.shard == claim.shard {
                    answer(Held(outcome, receivedAt: now), with: outcome)
                    ended.append(claim.token)
                }
                answers.append(AnsweredClaim(claim, .ended))
            case nil:
                if memory.promise(claim.token, at: now) { answers.append(AnsweredClaim(claim, .neverBegun)) }
            }
        }
        let asked = Set(ended)
        unreported = unreported.filter { !asked.contains($0) }
        report(ended, over: link, into: &actions)
        report(becameLong: [], into: &actions)
        actions.append(.answerClaims(link, rememberedMs: memory.rememberedMs(at: now), answers))
    }
}

extension WorkerEngine.Held {
    init(_ call: DispatchedCall, clusterTime: Timestamp, receivedAt: BootTime, state: WorkerEngine.State) {
        token = call.token
        code = call.code
        shard = call.shard
        executionID = call.executionID
        jobID = call.jobID
        attempt = call.attempt
        self.receivedAt = receivedAt
        self.clusterTime = clusterTime
        responseLimit = max(0, call.responseLimit)
        atMostOnce = call.atMostOnce
        self.state = state
    }

    /// The remaining data of a call that was acknowledged.
    init(_ outcome: CallOutcome, receivedAt: BootTime) {
        token = outcome.token
        code = outcome.code
        shard = outcome.shard
        executionID = outcome.executionID
        jobID = outcome.jobID
        attempt = outcome.attempt
        self.receivedAt = receivedAt
        clusterTime = outcome.dispatchTime ?? .distantPast
        responseLimit = 0
        atMostOnce = true
        state = .unacknowledged(outcome)
    }
}
