import CarillonCore
import TestSupport
import Testing

/// A leader without workers hands the lead over to a standby that has workers.
@Suite struct HandOverTests {
    private let other = UniqueID(high: 8, low: 8)

    /// Another scheduler requests the lease and reports its usable workers.
    private func ask(_ bench: inout DispatcherBench, workers: Int) {
        _ = bench.store.acquireLease(
            session: 2,
            owner: other,
            address: "other",
            leaseMs: 5_000,
            usableWorkers: workers,
            now: bench.time
        )
    }

    /// Advances time while the other scheduler requests the lease every second.
    private func pass(seconds: Int, _ bench: inout DispatcherBench, workers: Int) {
        for _ in 0..<seconds {
            ask(&bench, workers: workers)
            bench.pass(ms: 1_000)
        }
    }

    @Test func `a leader without workers hands over within seconds`() {
        var bench = DispatcherBench()
        bench.lead()
        pass(seconds: 10, &bench, workers: 3)
        #expect(bench.handedOver.isEmpty)
        bench.tell(.workerLeft(1))
        pass(seconds: 4, &bench, workers: 3)
        #expect(bench.handedOver.isEmpty)
        pass(seconds: 4, &bench, workers: 3)
        #expect(bench.handedOver == [other])
        #expect(bench.dispatcher.isLeading == false)
    }

    @Test func `a leader keeps the lead while no standby has workers`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.tell(.workerLeft(1))
        pass(seconds: 20, &bench, workers: 0)
        #expect(bench.handedOver.isEmpty && bench.dispatcher.isLeading == true)
    }

    @Test func `an outdated report of a standby is ignored`() {
        var bench = DispatcherBench()
        bench.lead()
        ask(&bench, workers: 3)
        bench.tell(.workerLeft(1))
        bench.pass(ms: 20_000)
        #expect(bench.handedOver.isEmpty)
    }

    @Test func `a scheduler that handed over reports no workers for a minute`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.tell(.workerLeft(1))
        pass(seconds: 8, &bench, workers: 3)
        #expect(bench.handedOver == [other])
        bench.tell(.workerJoined(2, name: "worker", bootID: UniqueID(high: 0, low: 1), maxWorkers: 5))
        #expect(bench.dispatcher.usableWorkers(at: bench.now.boot) == 0)
        #expect(bench.dispatcher.usableWorkers(at: bench.now.boot + 61_000) == 1)
    }
}
