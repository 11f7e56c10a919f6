import CarillonCore
import TestSupport
import Testing

@Suite("Due executions that cannot start in time")
struct StartDeadlineTests {
    private static let due = DispatcherBench.beginning + 60_000

    /// A job that is due once a minute.
    private func job(_ change: (inout Job) -> Void) -> Job {
        var job = DispatcherBench.job(1, every: 60)
        change(&job)
        return job
    }

    private func row(_ store: MemoryStore) -> Execution? {
        store.executions.values.first { $0.scheduledTime == Self.due }
    }

    @Test("a job without catch-up skips an execution when it is too late, also while no slot is free")
    func noCatchUp() {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job { ($0.catchUpPolicy, $0.catchUpWindowMs) = (.none, 0) })
        bench.pass(ms: 60_950)
        #expect(row(bench.store)?.status == .pending)
        bench.pass(ms: 150)
        #expect(
            row(bench.store)?.status == .skipped && row(bench.store)?.reason == .catchUp
                && row(bench.store)?.skippedCount == 1
        )
        #expect(bench.dispatched.isEmpty && bench.dispatcher.inconsistency == nil)
    }

    @Test("an execution that waits follows the limit of the job's new definition")
    func newLimit() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job { $0.catchUpPolicy = .none })
        bench.pass(ms: 62_000)
        var changed = try #require(bench.store.jobs.values.first)
        changed.version += 1
        changed.catchUpWindowMs = 5_000
        bench.tell(.changeRequested(1, .update(DispatcherBench.planned(changed), scheduleChanged: false)))
        #expect(bench.dispatcher.inconsistency == nil)
        bench.pass(ms: 2_500)
        #expect(row(bench.store)?.status == .pending)
        bench.pass(ms: 700)
        #expect(row(bench.store)?.status == .skipped)
    }

    @Test("a limit that the database refuses skips nothing")
    func refusedLimit() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job { $0.catchUpPolicy = .none })
        bench.pass(ms: 62_000)
        bench.commitsAreHeld = true
        var changed = try #require(bench.store.jobs.values.first)
        changed.version += 1
        changed.catchUpWindowMs = 0
        bench.tell(.changeRequested(1, .update(DispatcherBench.planned(changed), scheduleChanged: false)))
        bench.pass(ms: 2_000)
        #expect(row(bench.store)?.status == .pending && bench.dispatcher.inconsistency == nil)
        while let batch = bench.heldCommits.popLast() { bench.answer(batch, refusing: !batch.changes.isEmpty) }
        bench.commitsAreHeld = false
        bench.pass(ms: 500)
        bench.tell(.workerGranted(1, 10))
        bench.pass(ms: 100)
        #expect(bench.dispatched.count == 1 && bench.dispatcher.inconsistency == nil)
    }
}
