import CarillonCore
import TestSupport
import Testing

/// A cancel request is answered with the resulting state of the execution.
@Suite struct CancelTests {
    private let job = DispatcherBench.job(1, every: 3_600)

    private func call(_ bench: inout DispatcherBench) throws -> DispatchedCall {
        bench.lead()
        bench.create(job)
        bench.run(job, requestID: 1)
        return try #require(bench.dispatched.last?.call)
    }

    private func answer(_ requestID: RequestID, _ bench: borrowing DispatcherBench) -> Execution? {
        guard case .execution(let execution)? = bench.replies.first(where: { $0.requestID == requestID })?.result else {
            return nil
        }
        return execution
    }

    @Test func `the answer is the state after the cancel`() throws {
        var bench = DispatcherBench()
        let call = try call(&bench)
        bench.tell(.changeRequested(5, .cancel(job.id, call.executionID)))
        #expect(bench.cancelled == [call.token])
        #expect(answer(5, bench) == nil)
        bench.report(call, .cancelled)
        #expect(answer(5, bench)?.status == .cancelled)
    }

    @Test func `a worker that does not report does not delay the answer`() throws {
        var bench = DispatcherBench()
        let call = try call(&bench)
        bench.tell(.changeRequested(5, .cancel(job.id, call.executionID)))
        bench.pass(ms: 5_100)
        #expect(answer(5, bench)?.status == .pending)
        bench.report(call, .cancelled)
        #expect(bench.replies.count { $0.requestID == 5 } == 1)
    }

    @Test func `a cancelled attempt of a disconnected worker counts as lost and is stopped on reconnect`()
        throws
    {
        var bench = DispatcherBench()
        let call = try call(&bench)
        bench.tell(.workerLeft(1))
        bench.tell(.changeRequested(5, .cancel(job.id, call.executionID)))
        bench.pass(ms: 2_500)
        #expect(answer(5, bench)?.status == .cancelled)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .cancelled && row.lostAttempts == 1)
        bench.join(
            2,
            held: [
                HeldCall(
                    token: call.token,
                    code: call.code,
                    shard: call.shard,
                    executionID: call.executionID,
                    jobID: call.jobID,
                    attempt: 1
                )
            ]
        )
        #expect(bench.cancelled == [call.token])
    }
}
