import CarillonCore
import TestSupport
import Testing

/// AT_MOST_ONCE calls without a report: the leader asks the worker, which remembers its calls.
@Suite struct ClaimQueryTests {
    private var job: Job {
        var job = DispatcherBench.job(1, every: 3_600)
        job.executionType = .atMostOnce
        return job
    }

    /// A dispatched call whose worker connection ended.
    private func lostCall(_ bench: inout DispatcherBench) throws -> DispatchedCall {
        bench.lead()
        bench.pass(ms: 1_000)
        bench.create(job)
        bench.run(job, requestID: 1)
        let call = try #require(bench.dispatched.last?.call)
        bench.tell(.workerLeft(1))
        return call
    }

    private func answer(_ state: ClaimState, to query: QueriedClaim, rememberedMs: UInt64 = 3_600_000) -> Event {
        .workerAnsweredClaims(2, rememberedMs: rememberedMs, [AnsweredClaim(query, state)])
    }

    @Test func `a call that never started is dispatched again`() throws {
        var bench = DispatcherBench()
        let call = try lostCall(&bench)
        bench.join(2)
        let query = try #require(bench.queried.first)
        #expect(query.link == 2 && query.claim.token == call.token && query.claim.attempt == 1)
        bench.tell(answer(.neverBegun, to: query.claim))
        let again = try #require(bench.dispatched.last?.call)
        #expect(bench.dispatched.count == 2 && again.executionID == call.executionID && again.token != call.token)
        bench.report(again, over: 2)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .success && row.attempts == 1 && row.lostAttempts == 0)
    }

    @Test(arguments: [ClaimState.running, .ended]) func `a call that started is not dispatched again`(
        state: ClaimState
    ) throws {
        var bench = DispatcherBench()
        let call = try lostCall(&bench)
        bench.join(2)
        let query = try #require(bench.queried.first)
        bench.tell(answer(state, to: query.claim))
        bench.pass(ms: 95_000)
        #expect(bench.dispatched.count == 1)
        #expect(bench.store.executions[call.executionID]?.status == .unknown)
    }

    @Test func `a worker whose memory starts after the claim is not trusted`() throws {
        var bench = DispatcherBench()
        _ = try lostCall(&bench)
        bench.pass(ms: 1_500)
        bench.join(2)
        let query = try #require(bench.queried.first)
        bench.tell(answer(.neverBegun, to: query.claim, rememberedMs: 1_000))
        bench.pass(ms: 5_000)
        #expect(bench.dispatched.count == 1)
    }

    @Test func `another process with the same name is neither asked nor trusted`() throws {
        var bench = DispatcherBench()
        let call = try lostCall(&bench)
        bench.join(2, boot: 2)
        bench.pass(ms: 3_000)
        #expect(bench.queried.isEmpty)
        bench.tell(
            answer(
                .neverBegun,
                to: QueriedClaim(token: call.token, executionID: call.executionID, attempt: 1, shard: call.shard)
            )
        )
        bench.pass(ms: 1_000)
        #expect(bench.dispatched.count == 1)
    }

    @Test func `the next leader asks the process named in the claim`() throws {
        var bench = DispatcherBench()
        let call = try lostCall(&bench)
        #expect(bench.store.executions[call.executionID]?.workerBootID == UniqueID(high: 0, low: 1))
        bench.loseLead()
        bench.join(2)
        bench.pass(ms: 3_000)
        let query = try #require(bench.queried.last)
        #expect(query.claim.token == call.token)
        bench.tell(answer(.neverBegun, to: query.claim))
        #expect(bench.dispatched.count == 2)
    }

    @Test func `a claim whose worker left before the dispatch is returned`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job)
        bench.commitsAreHeld = true
        bench.run(job, requestID: 1)
        // The row is inserted first, then the claim.
        let row = bench.heldCommits.removeLast()
        bench.answer(row)
        let claim = bench.heldCommits.removeLast()
        #expect(claim.starts.map(\.isClaim) == [true])
        bench.tell(.workerLeft(1))
        bench.commitsAreHeld = false
        bench.answer(claim)
        let id = try #require(claim.starts.first?.id)
        let given = try #require(bench.store.executions[id])
        #expect(given.status == .retrying && !given.isClaimed && given.attempts == 0)
        bench.join(2, boot: 2)
        bench.pass(ms: 500)
        #expect(bench.dispatched.count == 1)
    }
}
