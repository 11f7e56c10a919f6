import CarillonCore
import CarillonWire
import TestSupport

/// A worker that sends false reports: about other calls than it was given, with numbers out of range, about calls that
/// never started, or no reports.
struct Liar {
    unowned let world: World

    /// The messages that replace a message.
    func twisted(_ message: Message) -> [Message] {
        guard world.faultsAreOn, world.random.happens(world.options.lies) else { return [message] }
        world.count("worker lied")
        switch message {
        case .outcome(let outcomes): return twisted(outcomes)
        case .holding(let epoch, let running):
            return [.holding(epoch: epoch, running: running + foreignCalls.map(Self.held))]
        case .started(let tokens): return [.started(tokens + foreignCalls.map(\.token))]
        case .credit: return [.credit(granted: extreme())]
        case .claimAnswer(_, let claims):
            return [.claimAnswer(rememberedMs: extreme(), claims.map { AnsweredClaim($0.claim, .neverBegun) })]
        default: return [message]
        }
    }

    private func twisted(_ outcomes: [CallOutcome]) -> [Message] {
        switch Int.random(in: 0...5, using: &world.random) {
        case 0: return []
        case 1: return [.outcome(outcomes), .outcome(outcomes)]
        case 2: return [.outcome(outcomes + foreignCalls.map { CallOutcome($0, .notStarted) })]
        case 3: return [.outcome(outcomes + foreignCalls.map { CallOutcome($0, .answered, status: 200) })]
        case 4: return [.started(outcomes.map(\.token)), .outcome(outcomes.map(twisted)), fakedLead]
        default: return [.outcome(outcomes.map(twisted))]
        }
    }

    private func twisted(_ outcome: CallOutcome) -> CallOutcome {
        var lie = outcome
        lie.kind = OutcomeKind.allCases.randomElement(using: &world.random) ?? outcome.kind
        lie.startedAfterMicroseconds = extreme()
        lie.durationMicroseconds = extreme()
        lie.startedClockMicroseconds = extreme()
        lie.retryAfterMs = extreme()
        lie.httpStatus = [nil, 0, 99, 200, 600, 70_000].randomElement(using: &world.random) ?? nil
        lie.response = String(repeating: "\u{0}é", count: Int.random(in: 0...5_000, using: &world.random))
        if world.random.happens(0.2) { lie.attempt += 1 }
        if world.random.happens(0.2) { lie.token.sequence &+= 1 }
        if world.random.happens(0.1) { lie.shard &+= 1 }
        return lie
    }

    private var fakedLead: Message {
        .leadRefused(
            epoch: world.database.store.shards[0].epoch,
            shards: Array(0..<16),
            highest: LeadProof(epoch: .max - 1)
        )
    }

    /// Calls dispatched to other workers.
    private var foreignCalls: [DispatchedCall] {
        world.recentCalls.filter { _ in world.random.happens(0.2) }
    }

    private static func held(_ call: DispatchedCall) -> HeldCall {
        HeldCall(
            token: call.token,
            code: call.code,
            shard: call.shard,
            executionID: call.executionID,
            jobID: call.jobID,
            attempt: call.attempt
        )
    }

    private func extreme() -> UInt64 {
        let highest = UInt64.max
        let shifts: [UInt64] = [0, 1, 2, 5, 11, 31, 32, 63]
        return (highest >> (shifts.randomElement(using: &world.random) ?? 0)) - (world.random.happens(0.5) ? 1 : 0)
    }
}
