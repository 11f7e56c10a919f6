import CarillonCore
import Testing

@Suite("LeaseKeeper and ClusterClock")
struct LeaseKeeperTests {
    private func boot(_ milliseconds: Int64) -> BootTime { BootTime(nanoseconds: milliseconds * 1_000_000) }

    @Test("the deadline is counted from the sending of the request, minus a second")
    func deadline() {
        var keeper = LeaseKeeper(leaseMs: 5_000)
        let first = keeper.next(at: boot(0))
        #expect(first == .acquire)
        let second = keeper.next(at: boot(1))
        #expect(second == nil, "only one request is in flight")
        keeper.held(epoch: 7, at: boot(300))
        #expect(keeper.epoch == 7)
        #expect(keeper.isValid(at: boot(3_999)))
        #expect(!keeper.isValid(at: boot(4_000)))
    }

    @Test("a lease is renewed every second, and expires if a renewal is not answered")
    func renewal() {
        var keeper = LeaseKeeper(leaseMs: 5_000)
        _ = keeper.next(at: boot(0))
        keeper.held(epoch: 1, at: boot(10))
        let early = keeper.next(at: boot(999))
        #expect(early == nil)
        let due = keeper.next(at: boot(1_000))
        #expect(due == .renew(epoch: 1))
        #expect(keeper.isValid(at: boot(3_999)))
        #expect(!keeper.isValid(at: boot(4_001)))
        keeper.held(epoch: 1, at: boot(4_500))
        #expect(keeper.isValid(at: boot(4_999)))
        #expect(!keeper.isValid(at: boot(5_000)), "counted from the sending at 1000, not from the answer")
    }

    @Test("a lost lease is requested again after a short wait")
    func loss() {
        var keeper = LeaseKeeper(leaseMs: 5_000)
        _ = keeper.next(at: boot(0))
        keeper.held(epoch: 1, at: boot(10))
        keeper.lost(at: boot(100))
        #expect(keeper.epoch == nil)
        let early = keeper.next(at: boot(200))
        #expect(early == nil)
        let later = keeper.next(at: boot(351))
        #expect(later == .acquire)
    }

    @Test("a released lease is never requested again")
    func release() {
        var keeper = LeaseKeeper(leaseMs: 5_000)
        _ = keeper.next(at: boot(0))
        keeper.held(epoch: 3, at: boot(10))
        let request = keeper.release()
        #expect(request == .release(epoch: 3))
        keeper.lost(at: boot(20))
        keeper.wasReleased()
        let next = keeper.next(at: boot(10_000))
        #expect(next == nil)
    }

    @Test("a small difference is slewed, a large one is a step")
    func clock() {
        var clock = ClusterClock()
        let base: Int64 = 1_790_000_000_000
        let first = clock.sample(Timestamp(milliseconds: base), sent: boot(0), received: boot(0))
        #expect(first == .set)
        #expect(clock.time(at: boot(1_000)).milliseconds == base + 1_000)
        let slewed = clock.sample(Timestamp(milliseconds: base + 2_400), sent: boot(2_000), received: boot(2_000))
        #expect(slewed == .slewed)
        #expect((clock.time(at: boot(2_000)).milliseconds - base - 2_000) <= 5)
        let stepped = clock.sample(Timestamp(milliseconds: base + 7_203_000), sent: boot(3_000), received: boot(3_000))
        guard case .stepped(let milliseconds) = stepped else {
            Issue.record("a step of two hours was reported as \(stepped)")
            return
        }
        #expect(abs(milliseconds - 7_200_000) < 10)
        #expect(clock.boot(at: clock.time(at: boot(9_000))).nanoseconds <= boot(9_000).nanoseconds)
    }
}
