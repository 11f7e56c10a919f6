import CarillonCore
import TestSupport
import Testing

/// A change of a job is staged, then applied at commit, or dropped if the database refuses it.
@Suite struct StagedChangeTests {
    private static let beginning = DispatcherBench.beginning

    private func id(_ job: Job, second: Int64) -> ExecutionID {
        ExecutionID(job: job.id, scheduledTime: Self.beginning + second * 1_000, trigger: .schedule)
    }

    /// Leads with a job `other` that is due every second, and a job with the name `taken`.
    private func lead(_ bench: inout DispatcherBench, slots: UInt64 = 100, type: ExecutionType = .atLeastOnce) -> Job {
        bench.lead(slots: slots)
        bench.create(DispatcherBench.job(1, every: 3_600, name: "taken"))
        var job = DispatcherBench.job(2, every: 1, name: "other")
        job.executionType = type
        bench.create(job)
        return job
    }

    /// The request of a client that has read the committed row.
    private func update(
        _ job: Job,
        _ bench: borrowing DispatcherBench,
        after committed: Int64 = 0,
        _ edit: (inout Job) -> Void
    ) throws -> ChangeRequest {
        var changed = try #require(bench.store.jobs[job.id])
        changed.version += 1 + committed
        edit(&changed)
        return .update(DispatcherBench.planned(changed), scheduleChanged: false)
    }

    private func pause(_ job: Job, _ bench: borrowing DispatcherBench) throws -> ChangeRequest {
        var paused = try #require(bench.store.jobs[job.id])
        paused.version += 1
        return .pause(paused)
    }

    private func calls(of job: Job, _ bench: borrowing DispatcherBench) -> [Int64] {
        bench.dispatched.filter { $0.call.jobID == job.id }.map { $0.call.scheduledTime - Self.beginning }
    }

    private func pass(_ bench: inout DispatcherBench, until milliseconds: Int64) {
        while bench.time - Self.beginning < milliseconds { bench.pass(ms: 50) }
    }

    private func refusal(_ requestID: RequestID, _ bench: borrowing DispatcherBench) -> ClientError? {
        guard case .refused(let error)? = bench.replies.first(where: { $0.requestID == requestID })?.result else {
            return nil
        }
        return error
    }

    private func isStale(_ requestID: RequestID, _ bench: borrowing DispatcherBench) -> Bool {
        if case .stale? = bench.replies.first(where: { $0.requestID == requestID })?.result { true } else { false }
    }

    // MARK: Held executions

    @Test func `later rows of the old definition are not dispatched while a change is staged`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        pass(&bench, until: 2_700)
        #expect(calls(of: job, bench) == [1_000, 2_000])
        #expect(bench.store.executions[id(job, second: 3)]?.status == .pending)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try update(job, bench) { $0.schedule = "*/5 * * * * *" }))
        pass(&bench, until: 4_500)
        #expect(calls(of: job, bench) == [1_000, 2_000])
        #expect(bench.dispatcher.inconsistency == nil)
        bench.releaseCommits()
        pass(&bench, until: 5_500)
        #expect(bench.store.executions[id(job, second: 3)] == nil)
        #expect(calls(of: job, bench) == [1_000, 2_000, 5_000])
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a refused change releases the held rows and inserts the missing ones`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        pass(&bench, until: 2_700)
        bench.commitsAreHeld = true
        bench.tell(
            .changeRequested(
                5,
                try update(job, bench) {
                    $0.schedule = "*/5 * * * * *"
                    $0.name = "taken"
                }
            )
        )
        pass(&bench, until: 5_300)
        #expect(calls(of: job, bench) == [1_000, 2_000])
        bench.releaseCommits()
        pass(&bench, until: 6_500)
        #expect(refusal(5, bench)?.reason == .nameTaken)
        #expect(calls(of: job, bench).sorted() == [1_000, 2_000, 3_000, 4_000, 5_000, 6_000])
        #expect(bench.store.jobs[job.id]?.version == 1)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a change without a new schedule holds nothing`() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 100)
        let job = DispatcherBench.job(2, every: 1)
        let planned = DispatcherBench.planned(job)
        bench.tell(.changeRequested(4, .create(planned, nil)))
        pass(&bench, until: 1_700)
        bench.commitsAreHeld = true
        var changed = try #require(bench.store.jobs[job.id])
        changed.version += 1
        changed.call.url = "http://new/"
        let change = PlannedJob(job: changed, plan: planned.plan)
        bench.tell(.changeRequested(5, .update(change, scheduleChanged: false)))
        pass(&bench, until: 2_100)
        #expect(calls(of: job, bench) == [1_000, 2_000])
        // The change is not durable: the committed definition applies.
        #expect(bench.dispatched.last?.call.kind == .http(job.call))
        bench.releaseCommits()
        pass(&bench, until: 3_100)
        #expect(bench.dispatched.last?.call.kind == .http(changed.call))
    }

    @Test func `a row in both definitions is kept and called after the commit`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        pass(&bench, until: 1_700)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try update(job, bench) { $0.schedule = "*/2 * * * * *" }))
        pass(&bench, until: 2_300)
        #expect(calls(of: job, bench) == [1_000])
        let batch = try #require(bench.heldCommits.first)
        #expect(batch.changes.first?.withdrawals == [] && batch.changes.first?.inserts == [])
        bench.releaseCommits()
        pass(&bench, until: 4_100)
        #expect(calls(of: job, bench) == [1_000, 2_000, 4_000])
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `the transaction of a change has a row for each due time before it`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench, slots: 0)
        pass(&bench, until: 1_100)
        // The process is suspended for three seconds; the change is the first event afterwards.
        bench.bootMs += 3_000
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try update(job, bench) { $0.schedule = "@every 300s" }))
        let batch = try #require(bench.heldCommits.first)
        let times = batch.changes.flatMap(\.inserts).map { $0.scheduledTime - Self.beginning }
        #expect(times == [2_000, 3_000, 4_000])
    }

    @Test func `a report about a held execution counts after the change is refused`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        pass(&bench, until: 1_100)
        let call = try #require(bench.dispatched.first?.call)
        bench.report(call, status: 500)
        #expect(bench.store.executions[call.executionID]?.status == .retrying)
        pass(&bench, until: 3_000)
        let second = try #require(bench.dispatched.last?.call)
        // The worker is lost and reconnects while a pause is staged.
        bench.tell(.workerLeft(1))
        bench.pass(ms: 2_050)
        bench.commitsAreHeld = true
        var paused = try #require(bench.store.jobs[job.id])
        paused.version += 1
        paused.name = "taken"
        bench.tell(.changeRequested(5, .pause(paused)))
        bench.join(2)
        bench.report(second, over: 2)
        #expect(!bench.acknowledged.contains(second.token))
        bench.releaseCommits()
        bench.pass(ms: 50)
        #expect(bench.acknowledged.contains(second.token))
        #expect(bench.store.executions[second.executionID]?.status == .success)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    // MARK: Pause and delete

    @Test func `a pause lets running calls finish and ends waiting executions`() throws {
        var bench = DispatcherBench()
        // One call runs, one waits for its retry, one for a slot.
        let job = lead(&bench, slots: 2)
        pass(&bench, until: 1_000)
        let retried = try #require(bench.dispatched.last?.call)
        bench.report(retried, status: 500)
        pass(&bench, until: 2_000)
        let running = try #require(bench.dispatched.last?.call)
        #expect(running.executionID == id(job, second: 2))
        pass(&bench, until: 3_100)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try pause(job, bench)))
        bench.tell(.workerGranted(1, 100))
        pass(&bench, until: 6_000)
        #expect(calls(of: job, bench) == [1_000, 2_000])
        bench.releaseCommits()
        bench.report(running)
        bench.pass(ms: 100)
        #expect(bench.store.executions[running.executionID]?.status == .success)
        let waiting = try #require(bench.store.executions[id(job, second: 3)])
        #expect(waiting.status == .skipped && waiting.reason == .jobPaused)
        let cancelled = try #require(bench.store.executions[retried.executionID])
        #expect(cancelled.status == .cancelled && cancelled.reason == .jobPaused)
        #expect(bench.dispatcher.openExecutionCount == 0)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a pause keeps manual runs, and a delete ends them`() throws {
        for isDeleted in [false, true] {
            var bench = DispatcherBench()
            let job = lead(&bench, slots: 0)
            bench.run(job, requestID: 4)
            var ended = try #require(bench.store.jobs[job.id])
            ended.version += 1
            bench.tell(.changeRequested(5, isDeleted ? .delete(ended) : .pause(ended)))
            let run = try #require(bench.store.executions.values.first { $0.trigger == .manual })
            #expect(run.status == (isDeleted ? .skipped : .pending))
            #expect(run.reason == (isDeleted ? .jobDeleted : nil))
            bench.tell(.workerGranted(1, 10))
            #expect(bench.dispatched.count == (isDeleted ? 0 : 1))
            #expect(bench.dispatcher.inconsistency == nil)
        }
    }

    @Test func `a claim in a batch is sent although its job is paused meanwhile`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench, type: .atMostOnce)
        pass(&bench, until: 900)
        bench.commitsAreHeld = true
        pass(&bench, until: 1_050)
        #expect(bench.heldCommits.contains { !$0.starts.isEmpty })
        bench.tell(.changeRequested(5, try pause(job, bench)))
        bench.releaseCommits()
        #expect(bench.store.jobs[job.id]?.active == false)
        #expect(calls(of: job, bench) == [1_000])
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test(arguments: ExecutionType.allCases)
    func `a call lost after its job was paused ends`(_ type: ExecutionType) throws {
        var bench = DispatcherBench()
        let job = lead(&bench, type: type)
        pass(&bench, until: 1_100)
        let call = try #require(bench.dispatched.first?.call)
        bench.tell(.workerLeft(1))
        bench.tell(.changeRequested(5, try pause(job, bench)))
        bench.join(2, boot: 2)
        bench.pass(ms: type == .atMostOnce ? 95_000 : 5_000)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == (type == .atMostOnce ? .unknown : .cancelled))
        #expect(row.reason == (type == .atMostOnce ? .outcomeLost : .jobPaused))
        #expect(calls(of: job, bench) == [1_000])
    }

    // MARK: The queue

    @Test func `three changes of a job are applied one after the other`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        bench.commitsAreHeld = true
        for (number, name) in ["first", "second", "third"].enumerated() {
            let request = try update(job, bench, after: Int64(number)) { $0.name = name }
            bench.tell(.changeRequested(5 + RequestID(number), request))
        }
        for (number, name) in ["first", "second", "third"].enumerated() {
            #expect(bench.heldCommits.count == 1)
            #expect(bench.heldCommits[0].changes.map(\.job?.name) == [name])
            bench.answer(bench.heldCommits.removeFirst())
            #expect(bench.replies.last?.requestID == 5 + RequestID(number))
        }
        #expect(bench.store.jobs[job.id]?.version == 4)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a queued request is checked against the job committed meanwhile`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try update(job, bench) { $0.priority = 1 }))
        bench.tell(.changeRequested(6, try update(job, bench) { $0.priority = 2 }))
        var gone = try #require(bench.store.jobs[job.id])
        gone.version += 2
        bench.tell(.changeRequested(7, .delete(gone)))
        bench.run(job, requestID: 8)
        #expect(bench.replies.filter { (5...8).contains($0.requestID) }.isEmpty)
        bench.releaseCommits()
        bench.pass(ms: 100)
        for (requestID, expected) in [(5, false), (6, true), (7, false), (8, true)] as [(RequestID, Bool)] {
            #expect(isStale(requestID, bench) == expected, "\(requestID)")
        }
        #expect(bench.store.jobs[job.id]?.deletedAt != nil)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a cancel waits for the change in flight`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench, slots: 0)
        bench.run(job, requestID: 4)
        let run = try #require(bench.store.executions.values.first { $0.trigger == .manual })
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try pause(job, bench)))
        bench.tell(.changeRequested(6, .cancel(job.id, run.id)))
        bench.releaseCommits()
        #expect(bench.store.executions[run.id]?.status == .cancelled)
        #expect(bench.replies.suffix(2).map(\.requestID) == [5, 6])
    }

    @Test func `an edit found by a re-read waits for the change in flight`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try update(job, bench) { $0.priority = 1 }))
        let batch = try #require(bench.heldCommits.first)
        _ = bench.store.commit(batch, now: bench.time)
        // The answer is in flight when the row is edited with SQL and the re-read finds it.
        var edited = try #require(bench.store.jobs[job.id])
        edited.priority = 7
        edited.version += 1
        _ = bench.store.editByHand(edited, now: bench.time)
        bench.tell(.jobsRefreshed([DispatcherBench.planned(edited)]))
        bench.releaseCommits()
        bench.pass(ms: 100)
        #expect(bench.store.jobs[job.id]?.priority == 7)
        #expect(bench.store.jobs[job.id]?.version == edited.version + 1)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a leader that loses the lease drops staged changes`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        pass(&bench, until: 1_500)
        bench.commitsAreHeld = true
        bench.run(DispatcherBench.job(1, every: 3_600), requestID: 4)
        bench.tell(.changeRequested(5, try pause(job, bench)))
        bench.tell(.changeRequested(6, try pause(job, bench)))
        bench.tell(.leaseConnectionLost("test"))
        #expect(refusal(5, bench)?.reason == .outcomeUnknown)
        #expect(refusal(6, bench)?.code == .notLeader)
        #expect(bench.dispatcher.inconsistency == nil)
        (bench.commitsAreHeld, bench.heldCommits) = (false, [])
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        bench.answerLead(1, slots: 200)
        bench.pass(ms: 3_000)
        #expect(bench.store.jobs[job.id]?.active == true)
        #expect(calls(of: job, bench).count > 3)
    }

    @Test func `a change queued behind a stalled batch is answered as unknown and stays queued`() throws {
        var bench = DispatcherBench()
        let job = lead(&bench)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try update(job, bench) { $0.priority = 1 }))
        bench.tell(.changeRequested(6, try update(job, bench, after: 1) { $0.priority = 2 }))
        bench.pass(ms: 5_100)
        #expect(refusal(5, bench)?.reason == .outcomeUnknown && refusal(6, bench)?.reason == .outcomeUnknown)
        bench.releaseCommits()
        bench.pass(ms: 100)
        #expect(bench.store.jobs[job.id]?.priority == 2)
        #expect(bench.replies.count { $0.requestID == 5 || $0.requestID == 6 } == 2)
    }

    @Test func `the new definition catches up on an outage that opens during a staged change`() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 100)
        var job = DispatcherBench.job(2, every: 1)
        (job.catchUpPolicy, job.catchUpWindowMs) = (.none, 0)
        bench.create(job)
        pass(&bench, until: 1_500)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, try update(job, bench) { $0.schedule = "*/2 * * * * *" }))
        bench.databaseAheadMs += 60_000
        bench.pass(ms: 1_500)
        bench.releaseCommits()
        bench.pass(ms: 3_000)
        let rows = bench.store.executions.values.filter {
            $0.jobID == job.id && $0.scheduledTime > Self.beginning + 2_000
        }
        let skipped = rows.reduce(Int64(0)) { $0 + ($1.skippedCount ?? 0) }
        #expect((28...31).contains(skipped))
        #expect(rows.allSatisfy { $0.scheduledTime.seconds % 2 == 0 })
        #expect(bench.dispatcher.inconsistency == nil)
    }
}
