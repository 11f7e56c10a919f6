import CarillonRuntime
import Testing

@testable import CarillonPostgres

/// When a waiting session abandons its server: a server that hangs, but not a slow server.
@Suite struct WaitTests {
    private let server = LeaseWatch.Server(address: "10.0.0.1:5432", startedAt: "2026")

    private func isPoll(_ step: Wait.Step) -> Bool {
        if case .poll = step { true } else { false }
    }

    private func isGivenUp(_ step: Wait.Step) -> Bool {
        if case .giveUp = step { true } else { false }
    }

    @Test func `a server that answers on no connection is abandoned soon after the limit`() {
        let asked = Collected<Int>()
        let watch = LeaseWatch()
        watch.onAsk { asked.add(1) }
        let now = SystemClock.bootMilliseconds()
        var wait = Wait(Patience(silenceMs: 5_000, watch: watch, slowness: .cancel), now: now)
        #expect(isPoll(wait.next(server, now: now + 4_999)))
        #expect(asked.values.isEmpty)
        #expect(isPoll(wait.next(server, now: now + 5_000)))
        #expect(asked.values.count == 1)
        #expect(isPoll(wait.next(server, now: now + 6_499)))
        #expect(isGivenUp(wait.next(server, now: now + 6_500)))
    }

    @Test func `answers of another server, at the same or another address, do not count`() {
        let watch = LeaseWatch()
        let now = SystemClock.bootMilliseconds()
        var wait = Wait(Patience(silenceMs: 1_000, watch: watch), now: now - 1_000)
        #expect(isPoll(wait.next(server, now: now)))
        watch.heard(.init(address: server.address, startedAt: "2027"))
        watch.heard(.init(address: "10.0.0.2:5432", startedAt: server.startedAt))
        #expect(isGivenUp(wait.next(server, now: now + LeaseWatch.answerMs)))
    }

    @Test func `reads wait for a slow server without a limit`() {
        let watch = LeaseWatch()
        let start = SystemClock.bootMilliseconds() - 600_000
        var wait = Wait(Patience(silenceMs: 5_000, watch: watch), now: start)
        watch.onAsk { [server] in watch.heard(server) }
        for second in Int64(0)..<600 { #expect(isPoll(wait.next(server, now: start + second * 1_000))) }
        #expect(wait.cancelledAt == nil)
    }

    @Test func `the writer's statement is cancelled on a slow server, which is abandoned if it does not cancel`() {
        let watch = LeaseWatch()
        watch.onAsk { [server] in watch.heard(server) }
        let now = SystemClock.bootMilliseconds()
        var wait = Wait(Patience(silenceMs: 5_000, watch: watch, slowness: .cancel), now: now - 5_000)
        #expect(isPoll(wait.next(server, now: now - 1_000)))
        #expect(isPoll(wait.next(server, now: now)))
        guard case .cancel = wait.next(server, now: now + 1) else {
            Issue.record("it was not cancelled")
            return
        }
        #expect(isPoll(wait.next(server, now: now + 1_000)))
        #expect(isGivenUp(wait.next(server, now: now + 1 + Patience.cancellationMs)))
    }

    @Test func `every received byte restarts the limit`() {
        var wait = Wait(Patience(silenceMs: 1_000), now: 0)
        for step in Int64(1)...100 {
            #expect(isPoll(wait.next(server, now: step * 900)))
            wait.progressed(at: step * 900)
        }
        #expect(isGivenUp(wait.next(server, now: 91_000)))
    }

    @Test func `the writer's limit doubles up to a minute, above which nothing is cancelled`() {
        let watch = LeaseWatch()
        var limit = WriteLimit(watch: watch)
        var limits = [limit.ms]
        for _ in 0..<5 {
            #expect(limit.patience.slowness == (limit.ms < 60_000 ? .cancel : .wait))
            limit.wasTooShort()
            limits.append(limit.ms)
        }
        #expect(limits == [5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
        #expect(limit.patience.slowness == .wait)
        limit.sufficed(tookMs: 12_000)
        #expect(limit.ms == 24_000)
        limit.sufficed(tookMs: 10)
        #expect(limit.ms == 5_000)
        watch.setLease(ms: 20_000)
        #expect(limit.ms == 20_000)
    }
}
