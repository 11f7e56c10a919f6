import TestSupport
import Testing

@testable import CarillonCore

/// The database's history went back: a restored backup, or a standby without the last commits.
@Suite struct HistoryLossTests {
    @Test func `a batch is not written behind batches that the database lost`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(2, every: 1))
        let (backup, beginning) = (bench.store, bench.time)
        bench.pass(ms: 2_000)
        bench.commitsAreHeld = true
        bench.pass(ms: 1_000)
        // The backup names the same owner and epoch.
        bench.store = backup
        bench.releaseCommits()
        #expect(bench.store.executions == backup.executions)
        #expect(bench.store.shards[0].materializedThrough == backup.shards[0].materializedThrough)
        bench.pass(ms: 3_000)
        let times = Set(bench.store.executions.values.map(\.scheduledTime))
        for second in 1...5 as ClosedRange<Int64> {
            #expect(times.contains(beginning + second * 1_000), "second \(second)")
        }
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a process does not lead twice under one epoch`() {
        var bench = DispatcherBench()
        // The database's clock is behind the epochs that it stores.
        let ahead = bench.time.milliseconds * 1_000 + 60_000_000
        let other = UniqueID(high: 9, low: 9)
        _ = bench.store.acquireLease(
            session: 9,
            owner: other,
            address: "",
            leaseMs: 5_000,
            above: ahead,
            now: bench.time
        )
        bench.store.sessionEnded(9)
        let backup = bench.store
        bench.lead()
        let first = bench.store.shards[0].epoch
        bench.store = backup
        bench.loseLead()
        #expect(bench.store.shards[0].epoch > first)
    }
}
