import Testing

@testable import CarillonCore

/// A worker that serves the leaders of different shards.
@Suite struct WorkerLeadersTests {
    private typealias Bench = WorkerBench

    /// Connection 1 leads shards 0 and 1 under epoch 10, connection 2 shard 2 under epoch 5.
    private func bench(maxWorkers: Int = 4) -> Bench {
        var bench = Bench(maxWorkers: maxWorkers)
        bench.lead(1, epoch: 10, shards: [0, 1])
        bench.lead(2, epoch: 5, shards: [2])
        return bench
    }

    private func token(_ sequence: UInt64, _ epoch: Int64) -> DispatchToken {
        DispatchToken(epoch: epoch, sequence: sequence)
    }

    private func recorded(_ token: DispatchToken) -> [AcknowledgedOutcome] { [AcknowledgedOutcome(token, .recorded)] }

    @Test func `both leaders dispatch, and each outcome goes to the leader of its shard`() {
        var bench = bench()
        #expect(bench.dispatch(1, [Bench.call(1, epoch: 10, shard: 1)]).started.count == 1)
        #expect(bench.dispatch(2, [Bench.call(2, epoch: 5, shard: 2)]).started.count == 1)
        let ended = bench.turn(.ended([bench.result(token(1, 10)), bench.result(token(2, 5))]))
        #expect(ended.reported(to: 1).map(\.token) == [token(1, 10)] && ended.reported(to: 1).map(\.shard) == [1])
        #expect(ended.reported(to: 2).map(\.token) == [token(2, 5)])
    }

    @Test func `a call for a shard that its sender does not lead is ignored but counts as received`() {
        var bench = bench()
        let done = bench.dispatch(2, [Bench.call(1, epoch: 10, shard: 0), Bench.call(2, epoch: 5, shard: 0)])
        #expect(done.started.isEmpty && done.reported(to: 2).isEmpty && bench.engine.counters.stale == 2)
        // Both offers to the sender are used, so the slots are offered again.
        #expect(done.granted(to: 2) == 4)
    }

    @Test func `a leader cannot stop, acknowledge or query calls of another leader`() {
        var bench = bench()
        var call = Bench.call(1, epoch: 10, shard: 0)
        call.atMostOnce = true
        bench.dispatch(1, [call])
        #expect(bench.turn(.cancelRequested(2, [call.token])).cut.isEmpty)
        let claim = QueriedClaim(token: call.token, executionID: call.executionID, attempt: 2, shard: 0)
        #expect(bench.turn(.claimsQueried(2, [claim])).answeredClaims.isEmpty)
        bench.end(call.token)
        bench.turn(.acknowledged(2, recorded(call.token)))
        #expect(bench.engine.heldCount == 1 && bench.engine.counters.strayAcknowledgements == 1)
        bench.turn(.acknowledged(1, recorded(call.token)))
        #expect(bench.engine.heldCount == 0)
    }

    @Test func `a new leader gets only the calls and outcomes of its shard`() {
        var bench = bench()
        bench.dispatch(1, [Bench.call(1, epoch: 10, shard: 0), Bench.call(2, epoch: 10, shard: 1)])
        bench.dispatch(2, [Bench.call(3, epoch: 5, shard: 2)])
        bench.end(token(2, 10))
        let taken = bench.lead(3, epoch: 11, shards: [1])
        #expect(taken.held(for: 3).isEmpty && taken.reported(to: 3).map(\.token) == [token(2, 10)])
        #expect(taken.order(for: 3) == ["holding", "outcome", "credit"])
        // The old leader's messages about this shard are too late.
        bench.turn(.acknowledged(1, recorded(token(2, 10))))
        #expect(bench.engine.heldCount == 3)
        let all = bench.turn(.leadAnnounced(3, LeadProof(epoch: 12), shards: [0, 2]))
        #expect(all.held(for: 3).map(\.token) == [token(1, 10), token(3, 5)])
        #expect(bench.engine.leader == 3 && bench.engine.leaderEpoch == 12)
    }

    @Test func `a Lead can be refused for some shards and accepted for others`() throws {
        var bench = bench()
        bench.lead(3, epoch: 11, shards: [1])
        let done = bench.turn(.leadAnnounced(1, LeadProof(epoch: 10), shards: [0, 1]))
        let refusal = try #require(
            done.actions.compactMap { action -> [UInt8]? in
                if case .refuseLead(1, 10, let shards, LeadProof(epoch: 11)) = action { shards } else { nil }
            }.first
        )
        #expect(refusal == [1] && done.order(for: 1) == ["holding", "credit"])
    }

    @Test func `slots are shared and move to the leader that has work`() {
        var bench = Bench()
        #expect(bench.lead(1, epoch: 10, shards: [0]).granted(to: 1) == 4)
        let second = bench.lead(2, epoch: 5, shards: [1])
        #expect(second.granted(to: 1) == 2 && second.granted(to: 2) == 2)
        let used = bench.dispatch(2, [Bench.call(1, epoch: 5, shard: 1), Bench.call(2, epoch: 5, shard: 1)])
        #expect(used.granted(to: 1) == 1 && used.granted(to: 2) == 3)
        let more = bench.dispatch(2, [Bench.call(3, epoch: 5, shard: 1)])
        #expect(more.started.count == 1 && more.granted(to: 1) == nil && more.granted(to: 2) == nil)
        bench.wait(milliseconds: 1_000)
        let moved = bench.turn()
        #expect(moved.granted(to: 1) == 0 && moved.granted(to: 2) == 4)
    }

    @Test func `a call sent before its credit was withdrawn takes no slot offered to another leader`() {
        var bench = Bench()
        bench.lead(1, epoch: 10, shards: [0])
        bench.lead(2, epoch: 5, shards: [1])
        // All four slots were once offered to the first leader.
        let done = bench.dispatch(1, (1...4).map { Bench.call($0, epoch: 10) })
        #expect(done.started.count == 2)
        #expect(done.reported(to: 1).map(\.kind) == [.notStarted, .notStarted])
        #expect(bench.dispatch(2, [Bench.call(9, epoch: 5, shard: 1)]).started.count == 1)
    }
}
