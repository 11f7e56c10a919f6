import CarillonCore
import TestSupport
import Testing

/// A batch that the database does not answer for long is an outage for the due times after it.
@Suite struct StalledBatchTests {
    private func job(_ policy: CatchUpPolicy, windowMs: Int32 = 0) -> Job {
        var job = DispatcherBench.job(2, every: 1)
        (job.catchUpPolicy, job.catchUpWindowMs) = (policy, Int(windowMs))
        return job
    }

    /// Runs a job every second, and delays one batch by this time.
    private func stalled(_ job: Job, seconds: Int64) -> DispatcherBench {
        var bench = DispatcherBench()
        bench.lead(slots: 100)
        bench.create(job)
        bench.pass(ms: 3_000)
        bench.commitsAreHeld = true
        bench.pass(ms: seconds * 1_000)
        bench.releaseCommits()
        bench.pass(ms: 3_000)
        return bench
    }

    /// The number of due times covered by SKIPPED rows.
    private static func skippedTimes(_ bench: borrowing DispatcherBench) -> Int64 {
        var count: Int64 = 0
        for row in bench.store.executions.values { count += row.skippedCount ?? 0 }
        return count
    }

    @Test func `a job with catch-up policy NONE skips missed times`() throws {
        let bench = stalled(job(.none), seconds: 60)
        let skipped = Self.skippedTimes(bench)
        #expect((50...62).contains(skipped))
        let called = Set(bench.dispatched.map(\.call.executionID)).count
        // Every due time was called or skipped, or its row waits for the horizon.
        let times = (bench.time - DispatcherBench.beginning) / 1_000
        #expect((times - 1...times + 1).contains(Int64(called) + skipped))
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a job with catch-up policy LATEST runs the latest missed time`() throws {
        let bench = stalled(job(.latest), seconds: 60)
        let skipped = Self.skippedTimes(bench)
        #expect((50...61).contains(skipped))
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a job with catch-up policy ALL runs all missed times`() throws {
        let bench = stalled(job(.all, windowMs: 60_000), seconds: 30)
        let rows = bench.store.executions.values.filter { $0.trigger == .schedule }
        #expect(rows.allSatisfy { $0.skippedCount == nil })
        let times = rows.map(\.scheduledTime.seconds).sorted()
        #expect(times == Array(times.first!...times.last!))
    }

    @Test func `a change that waits for the batch keeps the rows of its old definition`() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 100)
        bench.create(job(.all, windowMs: 60_000))
        bench.pass(ms: 3_000)
        bench.commitsAreHeld = true
        bench.pass(ms: 2_000)
        var changed = try #require(bench.store.jobs[job(.all).id])
        changed.version += 1
        changed.schedule = "@every 60s"
        bench.tell(.changeRequested(5, .update(DispatcherBench.planned(changed), scheduleChanged: true)))
        let changedAt = bench.time
        bench.pass(ms: 28_000)
        bench.releaseCommits()
        bench.pass(ms: 3_000)
        #expect(bench.store.jobs[changed.id]?.schedule == "@every 60s")
        let times = bench.store.executions.values.filter { $0.trigger == .schedule }.map(\.scheduledTime).sorted()
        let before = times.filter { $0 <= changedAt }.map(\.seconds)
        #expect(before == Array(DispatcherBench.beginning.seconds + 1...changedAt.seconds))
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `clients of a pending change get an unknown outcome, and later changes are rejected`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.commitsAreHeld = true
        bench.create(DispatcherBench.job(1, every: 60))
        bench.tell(.changeRequested(7, .create(DispatcherBench.planned(DispatcherBench.job(3, every: 60)), nil)))
        bench.pass(ms: 4_900)
        #expect(bench.replies.isEmpty)
        bench.pass(ms: 200)
        for requestID in [900, 7] as [RequestID] {
            guard case .refused(let error)? = bench.replies.first(where: { $0.requestID == requestID })?.result else {
                Issue.record("\(requestID) has no answer")
                continue
            }
            #expect(error.reason == .outcomeUnknown)
        }
        bench.tell(.changeRequested(8, .create(DispatcherBench.planned(DispatcherBench.job(4, every: 60)), nil)))
        guard case .refused(let error)? = bench.replies.first(where: { $0.requestID == 8 })?.result else {
            Issue.record("8 has no answer")
            return
        }
        #expect(error.code == .unavailable && error.reason == nil)
        bench.releaseCommits()
        bench.pass(ms: 500)
        #expect(bench.store.jobs.count == 2)
        #expect(bench.replies.count == 3)
    }
}
