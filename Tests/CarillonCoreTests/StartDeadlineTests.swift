import CarillonCore
import TestSupport
import Testing

@Suite("Start deadlines of due executions")
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

    @Test("a job without catch-up skips a late execution, even while no slot is free")
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

    @Test("a waiting execution follows the limit of the job's new definition")
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

    // MARK: start_deadline_seconds

    private static func deadline(_ milliseconds: Int32) -> (inout Job) -> Void {
        { $0.limits.startDeadlineMs = milliseconds }
    }

    @Test("an execution is skipped at its start deadline while no slot is free")
    func noSlot() {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job(Self.deadline(5_000)))
        bench.pass(ms: 65_000)
        #expect(row(bench.store)?.status == .pending)
        bench.pass(ms: 100)
        #expect(row(bench.store)?.status == .skipped && row(bench.store)?.reason == .startDeadline)
        #expect(row(bench.store)?.skippedCount == nil && row(bench.store)?.attempts == 0)
        #expect(bench.dispatched.isEmpty && bench.dispatcher.inconsistency == nil)
    }

    @Test("0 disables the start deadline")
    func none() {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job(Self.deadline(0)))
        bench.pass(ms: 100_000)
        bench.tell(.workerGranted(1, 10))
        #expect(bench.dispatched.count == 1)
    }

    @Test(
        "a row from before an outage is skipped, not called late",
        arguments: [ExecutionType.atLeastOnce, .atMostOnce]
    )
    func outage(_ type: ExecutionType) {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(
            job {
                $0.limits.startDeadlineMs = 5_000
                $0.executionType = type
            }
        )
        // The row is durable half a second before its due time.
        bench.pass(ms: 59_700)
        #expect(row(bench.store)?.status == .pending)
        bench.tell(.leaseConnectionLost("test"))
        bench.bootMs += 20_000
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        bench.answerLead(1)
        bench.pass(ms: 3_000)
        #expect(row(bench.store)?.status == .skipped && row(bench.store)?.reason == .startDeadline)
        #expect(bench.dispatched.isEmpty && bench.dispatcher.inconsistency == nil)
    }

    @Test("a due time missed in an outage is skipped with the same reason")
    func missed() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job(Self.deadline(5_000)))
        bench.pass(ms: 50_000)
        bench.tell(.leaseConnectionLost("test"))
        bench.bootMs += 30_000
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        bench.answerLead(1)
        bench.pass(ms: 3_000)
        #expect(row(bench.store)?.status == .skipped && row(bench.store)?.reason == .startDeadline)
        bench.pass(ms: 60_000)
        #expect(bench.dispatched.map { $0.call.scheduledTime } == [Self.due + 60_000])
    }

    @Test("a started execution is retried after its start deadline")
    func begun() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job(Self.deadline(1_000)))
        bench.pass(ms: 60_100)
        #expect(bench.dispatched.count == 1)
        bench.report(bench.dispatched[0].call, status: 500)
        bench.pass(ms: 4_000)
        #expect(bench.dispatched.count == 2)
        bench.report(bench.dispatched[1].call)
        bench.pass(ms: 100)
        #expect(row(bench.store)?.status == .success && row(bench.store)?.attempts == 2)
    }

    @Test("an attempt lost with its worker counts as started")
    func lost() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job(Self.deadline(1_000)))
        bench.pass(ms: 60_100)
        bench.tell(.workerLeft(1))
        bench.pass(ms: 5_000)
        bench.join(2, boot: 2)
        bench.pass(ms: 5_000)
        #expect(bench.dispatched.map { $0.link } == [1, 2])
    }

    @Test("a call returned without a start is skipped after the start deadline")
    func returned() {
        var bench = DispatcherBench()
        bench.lead(slots: 1)
        bench.create(job(Self.deadline(1_000)))
        bench.pass(ms: 60_100)
        bench.pass(ms: 2_000)
        bench.report(bench.dispatched[0].call, .notStarted)
        bench.pass(ms: 100)
        #expect(row(bench.store)?.status == .skipped && row(bench.store)?.reason == .startDeadline)
        #expect(bench.dispatched.count == 1 && bench.dispatcher.inconsistency == nil)
    }

    @Test("the scheduled time of a manual run is the time of its request")
    func manual() {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job(Self.deadline(3_000)))
        bench.pass(ms: 1_000)
        bench.run(DispatcherBench.job(1, every: 60), requestID: 1)
        bench.pass(ms: 2_900)
        let id = bench.store.executions.values.first?.id
        #expect(id.map { bench.store.executions[$0]?.status == .pending } == true)
        bench.pass(ms: 300)
        #expect(id.map { bench.store.executions[$0]?.reason == .startDeadline } == true)
    }

    @Test("the earlier of two limits applies, with its reason")
    func both() {
        for (deadline, reason) in [(Int32(500), Reason.startDeadline), (2_000, .catchUp)] {
            var bench = DispatcherBench()
            bench.lead(slots: 0)
            bench.create(
                job {
                    $0.limits.startDeadlineMs = deadline
                    ($0.catchUpPolicy, $0.catchUpWindowMs) = (.none, 0)
                }
            )
            bench.pass(ms: 63_000)
            #expect(row(bench.store)?.status == .skipped && row(bench.store)?.reason == reason)
        }
    }

    @Test("a deadline removed by a change skips nothing")
    func removed() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job(Self.deadline(5_000)))
        bench.pass(ms: 62_000)
        var changed = try #require(bench.store.jobs.values.first)
        changed.version += 1
        changed.limits.startDeadlineMs = 0
        bench.tell(.changeRequested(1, .update(DispatcherBench.planned(changed), scheduleChanged: false)))
        bench.pass(ms: 20_000)
        bench.tell(.workerGranted(1, 10))
        #expect(bench.dispatched.count == 1 && bench.dispatcher.inconsistency == nil)
    }

    @Test("executions held by a staged pause are not skipped before the pause is durable", arguments: [false, true])
    func held(isRefused: Bool) throws {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job(Self.deadline(5_000)))
        bench.pass(ms: 62_000)
        bench.commitsAreHeld = true
        var paused = try #require(bench.store.jobs.values.first)
        paused.version += 1
        bench.tell(.changeRequested(1, .pause(paused)))
        bench.pass(ms: 10_000)
        let batches = bench.heldCommits
        // The transaction of the pause ends the row as JOB_PAUSED.
        #expect(batches.allSatisfy { $0.updates.allSatisfy { $0.reason == .jobPaused } })
        #expect(bench.dispatcher.inconsistency == nil)
        bench.heldCommits = []
        bench.commitsAreHeld = false
        for batch in batches { bench.answer(batch, refusing: isRefused && !batch.changes.isEmpty) }
        bench.pass(ms: 100)
        #expect(row(bench.store)?.status == .skipped)
        #expect(row(bench.store)?.reason == (isRefused ? .startDeadline : .jobPaused))
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test("an execution held by a refused pause is skipped at its start deadline")
    func released() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job(Self.deadline(5_000)))
        bench.pass(ms: 62_000)
        bench.commitsAreHeld = true
        var paused = try #require(bench.store.jobs.values.first)
        paused.version += 1
        bench.tell(.changeRequested(1, .pause(paused)))
        let last = bench.heldCommits.popLast()
        let batch = try #require(last)
        bench.commitsAreHeld = false
        bench.answer(batch, refusing: true)
        bench.pass(ms: 2_900)
        #expect(row(bench.store)?.status == .pending && bench.dispatcher.inconsistency == nil)
        bench.pass(ms: 200)
        #expect(row(bench.store)?.reason == .startDeadline)
    }
}
