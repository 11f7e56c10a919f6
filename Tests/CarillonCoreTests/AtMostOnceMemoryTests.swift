import Testing

@testable import CarillonCore

/// A worker starts each AT_MOST_ONCE attempt once, even if schedulers dispatch it repeatedly.
@Suite struct AtMostOnceMemoryTests {
    private typealias Bench = WorkerBench

    private func call(_ sequence: UInt64, epoch: Int64 = 1, execution: UInt64 = 1) -> DispatchedCall {
        var call = Bench.call(sequence, epoch: epoch)
        call.executionID = ExecutionID(UniqueID(high: 0x0199_0000_0000_8000, low: 0x8000_0000_0000_0000 | execution))
        call.atMostOnce = true
        call.code = AuthenticationCode(high: 1, low: sequence)
        return call
    }

    private func query(_ call: DispatchedCall) -> WorkerEvent {
        .claimsQueried(
            1,
            [
                QueriedClaim(
                    token: call.token,
                    executionID: call.executionID,
                    attempt: call.attempt,
                    shard: call.shard
                )
            ]
        )
    }

    @Test func `a repeated dispatch gets the outcome under its own token`() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [call(1)])
        bench.end(call(1).token, status: 204)
        bench.turn(.acknowledged(1, [AcknowledgedOutcome(call(1).token, .recorded)]))
        // A leader of a restored database does not know the earlier dispatch.
        bench.lead(2, epoch: 2)
        let repeated = bench.dispatch(2, [call(9, epoch: 2)])
        #expect(repeated.started.isEmpty)
        let outcome = repeated.reported(to: 2).first
        #expect(outcome?.token == call(9, epoch: 2).token && outcome?.code == call(9).code)
        #expect(outcome?.kind == .answered && outcome?.httpStatus == 204)
        #expect(bench.engine.counters.refusedRepeats == 1)
    }

    @Test func `a repeated dispatch of a running call waits for its end`() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [call(1)])
        bench.lead(2, epoch: 2)
        let repeated = bench.dispatch(2, [call(9, epoch: 2)])
        #expect(repeated.started.isEmpty && repeated.reported(to: 2).isEmpty)
        let ended = bench.end(call(1).token)
        #expect(ended.reported(to: 2).map(\.token) == [call(1).token, call(9, epoch: 2).token])
        #expect(ended.reported(to: 2).allSatisfy { $0.kind == .answered })
    }

    @Test func `an earlier attempt is refused with the outcome of the later attempt`() {
        var bench = Bench()
        var later = call(1)
        later.attempt += 1
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [later])
        bench.end(later.token, status: 204)
        bench.turn(.acknowledged(1, [AcknowledgedOutcome(later.token, .recorded)]))
        // The first attempt failed at another worker without a request. A leader of a restored database dispatches it again.
        bench.lead(2, epoch: 2)
        let repeated = bench.dispatch(2, [call(9, epoch: 2)])
        #expect(repeated.started.isEmpty)
        let outcome = repeated.reported(to: 2).first
        #expect(outcome?.token == call(9, epoch: 2).token && outcome?.attempt == later.attempt - 1)
        #expect(outcome?.kind == .answered && outcome?.httpStatus == 204)
    }

    @Test func `an earlier attempt waits for the end of the later attempt, and a later attempt starts`() {
        var bench = Bench()
        var (later, next) = (call(1), call(2, epoch: 2))
        later.attempt += 1
        next.attempt += 2
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [later])
        bench.lead(2, epoch: 2)
        let repeated = bench.dispatch(2, [call(9, epoch: 2)])
        #expect(repeated.started.isEmpty && repeated.reported(to: 2).isEmpty)
        #expect(bench.turn(query(call(8))).answeredClaims.isEmpty)
        let ended = bench.end(later.token)
        #expect(ended.reported(to: 2).map(\.token) == [later.token, call(9, epoch: 2).token])
        #expect(bench.dispatch(2, [next]).started.count == 1)
    }

    @Test func `a call reported as never started is refused later`() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.wait(milliseconds: 5_000)
        let answer = bench.turn(query(call(1)))
        #expect(answer.answeredClaims.map(\.state) == [.neverBegun])
        #expect(answer.rememberedMs == 5_000)
        // This dispatch was delayed on a connection that seemed dead.
        #expect(bench.dispatch(1, [call(1)]).started.isEmpty)
        #expect(bench.dispatch(1, [call(2)]).started.count == 1)
    }

    @Test func `a started call is never reported as never started`() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [call(1)])
        #expect(bench.turn(query(call(1))).answeredClaims.map(\.state) == [.running])
        bench.end(call(1).token)
        let ended = bench.turn(query(call(1)))
        #expect(ended.answeredClaims.map(\.state) == [.ended])
        #expect(ended.reported(to: 1).map(\.token) == [call(1).token])
        bench.turn(.acknowledged(1, [AcknowledgedOutcome(call(1).token, .recorded)]))
        let forgotten = bench.turn(query(call(1)))
        #expect(forgotten.answeredClaims.map(\.state) == [.ended])
        #expect(forgotten.reported(to: 1).map(\.token) == [call(1).token])
        // The attempt was started, even though the query names another token.
        #expect(bench.turn(query(call(5))).answeredClaims.map(\.state) == [.ended])
    }

    @Test func `the oldest call is forgotten at the limit, and the reported memory starts after it`() {
        var memory = AtMostOnceMemory()
        let start = BootTime(nanoseconds: 1_000_000_000)
        memory.begin(at: start)
        for number in 0...UInt64(AtMostOnceMemory.limit) {
            let id = ExecutionID(UniqueID(high: 1, low: number))
            memory.began(
                id,
                1,
                DispatchToken(epoch: 1, sequence: number),
                timeoutMs: 1_000,
                at: start + Int64(number) * 10
            )
        }
        #expect(memory.count == AtMostOnceMemory.limit)
        #expect(!memory.knows(ExecutionID(UniqueID(high: 1, low: 0)), 1))
        #expect(memory.knows(ExecutionID(UniqueID(high: 1, low: 1)), 1))
        let now = start + Int64(AtMostOnceMemory.limit) * 10
        #expect(memory.rememberedMs(at: now) == UInt64(AtMostOnceMemory.limit) * 10 - 1)
    }

    @Test func `a call is forgotten an hour after its timeout`() {
        var memory = AtMostOnceMemory()
        let start = BootTime(nanoseconds: 0)
        memory.begin(at: start)
        let (first, second) = (ExecutionID(UniqueID(high: 1, low: 1)), ExecutionID(UniqueID(high: 1, low: 2)))
        memory.began(first, 1, DispatchToken(epoch: 1, sequence: 1), timeoutMs: 30_000, at: start)
        memory.began(second, 1, DispatchToken(epoch: 1, sequence: 2), timeoutMs: 30_000, at: start + 3_629_000)
        #expect(memory.knows(first, 1))
        memory.began(second, 2, DispatchToken(epoch: 1, sequence: 3), timeoutMs: 30_000, at: start + 3_630_000)
        #expect(!memory.knows(first, 1) && memory.knows(second, 1))
    }
}
