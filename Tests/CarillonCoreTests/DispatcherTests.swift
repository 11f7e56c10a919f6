import CarillonCore
import TestSupport
import Testing

/// Regression tests for errors found by review and simulation.
@Suite struct DispatcherTests {
    @Test func `a create with a duplicate name has no side effect on other rows`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 60, name: "same"))
        bench.commitsAreHeld = true
        bench.create(DispatcherBench.job(2, every: 1, name: "same"))
        // Rows of the new job are inserted while its creation is in flight.
        bench.pass(ms: 1_500)
        bench.releaseCommits()
        bench.pass(ms: 3_000)
        #expect(bench.dispatched.isEmpty)
        #expect(bench.store.executions.values.allSatisfy { $0.jobID != JobID(UniqueID(high: 0, low: 2)) })
        #expect(bench.dispatcher.jobCount == 1)
    }

    /// Advances 2 s with a job that is due every second. Returns a change of the job that the store refuses because of
    /// a duplicate name.
    private func jobToBeRefused(in bench: inout DispatcherBench) throws -> Job {
        bench.create(DispatcherBench.job(1, every: 60, name: "taken"))
        bench.create(DispatcherBench.job(2, every: 1, name: "other"))
        bench.pass(ms: 2_000)
        var job = try #require(bench.store.jobs[JobID(UniqueID(high: 0, low: 2))])
        job.version += 1
        job.name = "taken"
        job.schedule = "@every 7s"
        return job
    }

    @Test(arguments: [0, 3_000] as [Int64])
    func `a refused change loses no due time of the old definition`(clockGoesBackMs: Int64) throws {
        var bench = DispatcherBench()
        // Without a slot due executions do not start, and are withdrawn when the clock steps back.
        bench.lead(slots: 0)
        let job = try jobToBeRefused(in: &bench)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, .update(DispatcherBench.planned(job), scheduleChanged: true)))
        bench.databaseAheadMs -= clockGoesBackMs
        bench.pass(ms: 2_200 + clockGoesBackMs)
        bench.releaseCommits()
        bench.pass(ms: 1_000)
        let times = Set(bench.store.executions.values.filter { $0.jobID == job.id }.map(\.scheduledTime.seconds))
        let first = DispatcherBench.beginning.seconds + 1
        #expect(times.isSuperset(of: first...first + 4))
    }

    @Test func `outcomes are delayed briefly unless something else is written`() {
        var bench = DispatcherBench(recordDelayMs: 20)
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 1))
        bench.create(DispatcherBench.job(2, every: 1))
        bench.pass(ms: 1_000)
        #expect(bench.dispatched.count == 2)
        // Nothing was written for a while: the first outcome is sent immediately, the second with the next batch.
        bench.report(bench.dispatched[0].call)
        bench.report(bench.dispatched[1].call)
        #expect(bench.acknowledged == [bench.dispatched[0].call.token])
        #expect(bench.dispatcher.wake(after: bench.now) == bench.now.boot + 20)
        bench.bootMs += 19
        bench.tell(.tick)
        #expect(bench.acknowledged.count == 1)
        bench.bootMs += 1
        bench.tell(.tick)
        #expect(bench.acknowledged.count == 2)
        // A change is not delayed, and its batch includes the waiting outcomes.
        bench.pass(ms: 1_000)
        bench.report(bench.dispatched[2].call)
        bench.report(bench.dispatched[3].call)
        #expect(bench.acknowledged.count == 3)
        bench.create(DispatcherBench.job(3, every: 60))
        #expect(bench.acknowledged.count == 4)
    }

    @Test func `overlap_policy SKIP counts manual runs and retries that are not durable`() {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        var job = DispatcherBench.job(1, every: 2)
        job.overlapPolicy = .skip
        bench.create(job)
        bench.run(job, requestID: 1)
        bench.run(job, requestID: 2)
        guard case .refused(let error)? = bench.replies.first(where: { $0.requestID == 2 })?.result else {
            Issue.record("the second run was accepted")
            return
        }
        #expect(error.reason == .overlap)
        bench.tell(.workerGranted(1, 10))
        let first = bench.dispatched[0].call
        // The execution fails, and its record is still in flight at the next due time.
        bench.commitsAreHeld = true
        bench.report(first, status: 500)
        bench.pass(ms: 2_500)
        bench.releaseCommits()
        bench.pass(ms: 200)
        #expect(bench.dispatched.count { $0.call.executionID != first.executionID } == 0)
    }

    @Test func `a call lost on a half-open connection is dispatched again`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 1))
        bench.pass(ms: 1_050)
        #expect(bench.dispatched.count == 1)
        // The worker reconnects before the loss of the old connection is detected. The call never arrived.
        bench.join(2)
        bench.tell(.workerLeft(1))
        bench.answerLead(2)
        #expect(bench.leads == [1, 2, 2])
        // One heartbeat after the first dispatch.
        bench.pass(ms: 2_000)
        #expect(bench.dispatched.count { $0.call.executionID == bench.dispatched[0].call.executionID } == 2)
    }

    @Test func `a worker that connects during a late renewal gets the Lead`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.leasesAreHeld = true
        bench.pass(ms: 5_500)
        bench.tell(.workerJoined(2, name: "other", bootID: UniqueID(high: 0, low: 2), maxWorkers: 1))
        #expect(bench.leads.contains(2))
    }

    @Test func `a credit sent before the Lead does not answer it`() {
        var bench = DispatcherBench()
        bench.tell(.tick)
        bench.tell(.workerJoined(1, name: "worker", bootID: UniqueID(high: 0, low: 1), maxWorkers: 10))
        bench.tell(.workerGranted(1, 10))
        #expect(bench.dispatcher.workers.allSatisfy { $0.freeSlots == 0 })
        bench.answerLead(1)
        #expect(bench.dispatcher.workers.allSatisfy { $0.freeSlots == 10 })
    }

    @Test func `a claim is not sent without a lease`() {
        var bench = DispatcherBench()
        bench.lead()
        var job = DispatcherBench.job(1, every: 5)
        job.executionType = .atMostOnce
        bench.create(job)
        bench.pass(ms: 4_900)
        bench.leasesAreHeld = true
        bench.commitsAreHeld = true
        bench.pass(ms: 200)
        #expect(bench.heldCommits.contains { !$0.starts.isEmpty })
        bench.bootMs += 5_000
        bench.releaseCommits()
        #expect(bench.dispatched.isEmpty)
    }

    @Test func `an outcome is acknowledged when it has durably replaced UNKNOWN`() {
        var bench = DispatcherBench()
        bench.lead()
        var job = DispatcherBench.job(1, every: 3_600)
        job.executionType = .atMostOnce
        bench.create(job)
        bench.run(job, requestID: 1)
        let call = bench.dispatched[0].call
        bench.tell(.workerLeft(1))
        bench.pass(ms: 95_000)
        #expect(bench.store.executions[call.executionID]?.status == .unknown)
        let message = bench.store.executions[call.executionID]?.errorMessage
        #expect(
            message
                == "outcome lost: the worker disappeared before reporting; the request may or may not have been delivered"
        )
        #expect(bench.store.executions[call.executionID]?.lostAttempts == 1)
        bench.join(2)
        bench.commitsAreHeld = true
        bench.report(call, over: 2)
        #expect(bench.acknowledged.isEmpty)
        bench.releaseCommits()
        #expect(bench.acknowledged == [call.token])
        let row = bench.store.executions[call.executionID]
        #expect(row?.status == .success && row?.attempts == 1 && row?.lostAttempts == 0)
    }

    @Test func `a late outcome counts before the call is dispatched again`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 3_600))
        bench.run(DispatcherBench.job(1, every: 3_600), requestID: 1)
        let call = bench.dispatched[0].call
        bench.tell(.workerLeft(1))
        bench.pass(ms: 2_500)
        bench.tell(.workerJoined(2, name: "worker", bootID: UniqueID(high: 0, low: 1), maxWorkers: 10))
        bench.report(call, over: 2)
        bench.answerLead(2)
        #expect(bench.dispatched.count == 1)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        #expect(bench.store.executions[call.executionID]?.lostAttempts == 0)
    }

    @Test func `an adopted call has a plausible drift`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 3_600))
        bench.run(DispatcherBench.job(1, every: 3_600), requestID: 1)
        let call = bench.dispatched[0].call
        bench.tell(.leaseConnectionLost("test"))
        bench.pass(ms: 300)
        bench.tell(.workerHeld(1, epoch: bench.store.shards[0].epoch, []))
        bench.report(call)
        let row = bench.store.executions[call.executionID]
        #expect(row?.status == .success)
        #expect((row?.driftMicroseconds ?? .min) >= -1_000)
    }

    @Test func `a pause inserts rows for due times that have none`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 1))
        bench.pass(ms: 1_100)
        // The process is suspended; the pause is the first event afterwards.
        bench.bootMs += 3_000
        var job = try #require(bench.store.jobs.values.first)
        job.version += 1
        bench.tell(.changeRequested(1, .pause(job)))
        let times = Set(bench.store.executions.values.map(\.scheduledTime.seconds))
        let first = DispatcherBench.beginning.seconds + 1
        #expect(times == Set(first...first + 3))
    }

    @Test func `a step back keeps settledThrough before executions that start later`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 3_600))
        bench.pass(ms: 11_000)
        bench.databaseAheadMs -= 9_000
        bench.pass(ms: 1_100)
        bench.run(DispatcherBench.job(1, every: 3_600), requestID: 1)
        let row = bench.store.executions.values.first { $0.trigger == .manual }
        #expect((row?.id.time ?? .distantPast) >= bench.store.shards[0].settledThrough ?? .distantFuture)
    }

    @Test func `a slow answer is not a step of the clock`() {
        var clock = ClusterClock()
        let second: Int64 = 1_000_000_000
        _ = clock.sample(
            Timestamp(milliseconds: 100_000),
            sent: BootTime(nanoseconds: 0),
            received: BootTime(nanoseconds: 0)
        )
        // The clock was read 9 s before the answer was received.
        let late = clock.sample(
            Timestamp(milliseconds: 101_000),
            sent: BootTime(nanoseconds: second),
            received: BootTime(nanoseconds: 10 * second)
        )
        #expect(late == .slewed)
        let step = clock.sample(
            Timestamp(milliseconds: 171_000),
            sent: BootTime(nanoseconds: 11 * second),
            received: BootTime(nanoseconds: 11 * second)
        )
        // In nine seconds without samples the old offset lost 5 ms of accuracy.
        #expect(step == .stepped(60_005))
    }

    @Test func `answers to reads of an earlier leadership are ignored`() {
        var dispatcher = Dispatcher(configuration: DispatcherConfiguration(owner: UniqueID(high: 1, low: 1)))
        var random = SeededGenerator(seed: 1)
        var actions: [Action] = []
        var boot: Int64 = 1_000
        func now() -> Now { Now(wall: Timestamp(milliseconds: 0), boot: BootTime(nanoseconds: boot * 1_000_000)) }
        for epoch: Int64 in [1, 2] {
            dispatcher.handle(.tick, at: now(), using: &random, into: &actions)
            let held = LeaseResult.held(epoch: epoch, shards: [], databaseTime: DispatcherBench.beginning + boot)
            dispatcher.handle(.leaseAnswered(held, sentAt: now().boot), at: now(), using: &random, into: &actions)
            if epoch == 1 {
                dispatcher.handle(.leaseConnectionLost("test"), at: now(), using: &random, into: &actions)
                boot += 1_000
            }
        }
        actions = []
        // The first leadership's read is answered only now.
        dispatcher.handle(.jobsLoaded([], isLast: true), at: now(), using: &random, into: &actions)
        #expect(actions.isEmpty)
        dispatcher.handle(.jobsLoaded([], isLast: true), at: now(), using: &random, into: &actions)
        #expect(actions.count == 1)
    }

    @Test func `a SKIPPED row does not cover a row that exists`() {
        // Only one of two rows of an instant fits; then materialization pauses for a long time.
        var bench = DispatcherBench(maxOpenExecutions: 1)
        bench.lead(slots: 0)
        for number: UInt64 in [1, 2] {
            var job = DispatcherBench.job(number, every: 1)
            job.catchUpWindowMs = 0
            bench.create(job)
        }
        bench.pass(ms: 20_000)
        bench.tell(.workerGranted(1, 1_000))
        while let sent = bench.dispatched.popLast() { bench.report(sent.call) }
        bench.pass(ms: 1_000)
        expectSkippedRowsStandAlone(bench)
        #expect(bench.store.executions.values.contains { $0.skippedCount != nil })
    }

    @Test func `a SKIPPED row does not cover rows from before the clock stepped back`() {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        var job = DispatcherBench.job(1, every: 1)
        job.catchUpWindowMs = 0
        bench.create(job)
        bench.tell(.workerGranted(1, 1_000))
        func work(_ bench: inout DispatcherBench, ms: Int64) {
            for _ in 0..<ms / 50 {
                bench.pass(ms: 50)
                while let sent = bench.dispatched.popLast() { bench.report(sent.call) }
            }
        }
        work(&bench, ms: 10_000)
        let before = bench.store.executions.count
        bench.databaseAheadMs -= 8_000
        work(&bench, ms: 1_100)
        bench.databaseAheadMs += 20_000
        work(&bench, ms: 3_000)
        #expect(bench.store.executions.count > before)
        #expect(bench.store.executions.values.contains { $0.skippedCount != nil })
        expectSkippedRowsStandAlone(bench)
        // Every second from the first due time until now has exactly one row.
        let accounted = bench.store.executions.values.reduce(Int64(0)) { $0 + ($1.skippedCount ?? 1) }
        let last = bench.store.executions.values.map(\.scheduledTime).max() ?? .distantPast
        let first = bench.store.executions.values.map(\.scheduledTime).min() ?? .distantPast
        #expect(accounted == (last - first) / 1_000 + 1)
    }

    @Test(arguments: CatchUpPolicy.allCases)
    func `a pause inserts no rows for future times`(policy: CatchUpPolicy) throws {
        var bench = DispatcherBench()
        var job = DispatcherBench.job(1, every: 1)
        job.catchUpPolicy = policy
        job.catchUpWindowMs = 0
        job.effectiveFrom = DispatcherBench.beginning - 20_000
        // The previous leader stored an outage before the clock stepped back: the outage ends three seconds from now.
        let before = UniqueID(high: 9, low: 9)
        _ = bench.store.acquireLease(session: 9, owner: before, address: "", leaseMs: 5_000, now: bench.time)
        var batch = WriteBatch(sequence: 1, owner: before, epoch: bench.store.shards[0].epoch)
        batch.changes = [JobChange(job: job, isNew: true)]
        batch.outage = Outage(from: bench.time - 20_000, to: bench.time + 3_000)
        batch.materializedThrough = bench.time + 3_000
        _ = bench.store.commit(batch, now: bench.time)
        bench.store.sessionEnded(9)
        bench.commitsAreHeld = true
        bench.lead(slots: 0)
        job.version += 1
        bench.tell(.changeRequested(5, .pause(job)))
        let paused = bench.time
        bench.releaseCommits()
        bench.pass(ms: 5_000)
        bench.tell(.workerGranted(1, 1_000))
        for _ in 0..<20 {
            while let sent = bench.dispatched.popLast() { bench.report(sent.call) }
            bench.pass(ms: 50)
        }
        let rows = bench.store.executions.values
        #expect(rows.contains { $0.scheduledTime > paused - 1_000 })
        #expect(rows.allSatisfy { $0.status.isFinal })
        let early = rows.filter { $0.scheduledTime > paused && $0.status != .skipped }
        #expect(early.isEmpty)
    }

    @Test func `a split batch inserts the rows that were due before the change`() throws {
        var bench = DispatcherBench()
        bench.lead()
        for (number, name) in [(1, "taken"), (2, "paused"), (3, "other")] as [(UInt64, String)] {
            bench.create(DispatcherBench.job(number, every: number == 2 ? 1 : 60, name: name))
        }
        bench.commitsAreHeld = true
        bench.create(DispatcherBench.job(4, every: 60))
        bench.pass(ms: 3_300)
        var paused = try #require(bench.store.jobs[JobID(UniqueID(high: 0, low: 2))])
        paused.version += 1
        bench.tell(.changeRequested(5, .pause(paused)))
        let end = bench.time
        var refused = try #require(bench.store.jobs[JobID(UniqueID(high: 0, low: 3))])
        refused.version += 1
        refused.name = "taken"
        bench.tell(.changeRequested(6, .update(DispatcherBench.planned(refused), scheduleChanged: false)))
        while !bench.heldCommits.isEmpty {
            let batch = bench.heldCommits.removeFirst()
            bench.answer(batch)
            guard bench.store.jobs[paused.id]?.active == false else { continue }
            // A leader that takes over from here inserts no rows for a paused job.
            let rows = bench.store.executions.values.count { $0.jobID == paused.id && $0.scheduledTime <= end }
            #expect(rows == 3)
        }
        #expect(bench.store.jobs[paused.id]?.active == false)
    }

    @Test func `a step back loses no due time of a refused change`() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        let job = try jobToBeRefused(in: &bench)
        // The database does not answer for long: the lease ends, and materialization stops.
        (bench.commitsAreHeld, bench.leasesAreHeld) = (true, true)
        bench.tell(.changeRequested(5, .update(DispatcherBench.planned(job), scheduleChanged: true)))
        bench.pass(ms: 9_000)
        bench.releaseCommits()
        bench.databaseAheadMs -= 5_000
        bench.leasesAreHeld = false
        let epoch = bench.store.shards[0].epoch
        let renewed = bench.store.renewLease(
            session: 1,
            owner: bench.owner,
            epoch: epoch,
            leaseMs: 5_000,
            now: bench.time
        )
        bench.tell(.leaseAnswered(renewed, sentAt: bench.now.boot))
        bench.pass(ms: 8_000)
        let times = Set(bench.store.executions.values.filter { $0.jobID == job.id }.map(\.scheduledTime.seconds))
        let first = DispatcherBench.beginning.seconds + 1
        #expect(times.isSuperset(of: first...bench.time.seconds))
    }

    @Test func `a row read before a deletion does not restore the job`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 60, name: "gone"))
        let id = JobID(UniqueID(high: 0, low: 1))
        var job = try #require(bench.store.jobs[id])
        // The row is edited with SQL more than once while the deletion is in flight; the re-read finds the edit.
        bench.commitsAreHeld = true
        var edited = job
        edited.version += 5
        edited.updatedAt = bench.time
        job.version += 1
        bench.tell(.changeRequested(5, .delete(job)))
        bench.tell(.jobsRefreshed([DispatcherBench.planned(edited)]))
        bench.pass(ms: 100)
        bench.releaseCommits()
        bench.pass(ms: 100)
        bench.tell(.jobsRefreshed([DispatcherBench.planned(edited)]))
        bench.pass(ms: 100)
        #expect(bench.store.jobs[id]?.deletedAt != nil)
        #expect(bench.dispatcher.jobCount == 0)
        // A job restored with SQL later exists again.
        var restored = edited
        restored.version += 5
        restored.updatedAt = bench.time
        bench.tell(.jobsRefreshed([DispatcherBench.planned(restored)]))
        bench.pass(ms: 100)
        #expect(bench.dispatcher.jobCount == 1)
    }

    @Test func `a claim stays a claim when its job becomes AT_LEAST_ONCE`() throws {
        var bench = DispatcherBench()
        bench.lead()
        var job = DispatcherBench.job(1, every: 60)
        job.executionType = .atMostOnce
        bench.create(job)
        bench.run(job, requestID: 1)
        bench.pass(ms: 100)
        let call = try #require(bench.dispatched.first?.call)
        #expect(call.atMostOnce)
        job = try #require(bench.store.jobs[job.id])
        job.version += 1
        job.executionType = .atLeastOnce
        bench.tell(.changeRequested(5, .update(DispatcherBench.planned(job), scheduleChanged: false)))
        // Another scheduler leads, and the outcome of the call is unknown.
        var next = DispatcherBench()
        (next.store, next.bootMs, next.databaseAheadMs) = (bench.store, bench.bootMs, bench.databaseAheadMs)
        next.lead()
        next.pass(ms: 5_000)
        #expect(!next.dispatched.contains { $0.call.executionID == call.executionID })
        next.pass(ms: Int64(job.timeoutMs) + 61_000)
        #expect(next.store.executions[call.executionID]?.status == .unknown)
    }

    @Test func `a change based on an edited row is applied`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 60))
        var job = try #require(bench.store.jobs[JobID(UniqueID(high: 0, low: 1))])
        bench.commitsAreHeld = true
        job.version += 1
        bench.tell(.changeRequested(5, .pause(job)))
        // While the pause is in flight, the row gets another schedule with SQL. A client reads that row and changes
        // another setting.
        job.schedule = "@every 1s"
        job.version += 1
        job.priority += 1
        bench.tell(.changeRequested(6, .update(DispatcherBench.planned(job), scheduleChanged: false)))
        bench.releaseCommits()
        bench.pass(ms: 2_500)
        #expect(bench.store.jobs[job.id]?.active == true)
        #expect(bench.dispatched.count == 2)
    }

    /// Checks that a SKIPPED row for several due times counts only those without a row of their own.
    private func expectSkippedRowsStandAlone(_ bench: borrowing DispatcherBench) {
        let rows = Array(bench.store.executions.values)
        for row in rows where row.skippedCount != nil {
            let first = row.skippedFrom ?? row.scheduledTime
            let count = (row.scheduledTime - first) / 1_000 + 1
            let others = rows.count {
                $0.jobID == row.jobID && $0.id != row.id && $0.scheduledTime >= first
                    && $0.scheduledTime <= row.scheduledTime
            }
            #expect(row.skippedCount == count - Int64(others))
        }
    }

    /// Leads with a job that is due every other second, and a job with the name "taken".
    private func leadWithTwo(_ bench: inout DispatcherBench) -> Job {
        bench.lead()
        var taken = DispatcherBench.job(1, every: 3_600)
        taken.name = "taken"
        let job = DispatcherBench.job(2, every: 2)
        bench.create(taken)
        bench.create(job)
        return job
    }

    /// Edits a job's row with SQL, and then reschedules the edited job to every third second.
    private func editAndReschedule(_ job: Job, _ bench: inout DispatcherBench) throws {
        let row = try #require(bench.store.jobs[job.id])
        _ = bench.store.editByHand(row, now: bench.time)
        try reschedule(job, &bench)
    }

    private func reschedule(_ job: Job, _ bench: inout DispatcherBench) throws {
        var rescheduled = try #require(bench.store.jobs[job.id])
        rescheduled.version += 1
        rescheduled.schedule = "*/3 * * * * *"
        bench.tell(.changeRequested(8, .update(DispatcherBench.planned(rescheduled), scheduleChanged: true)))
    }

    /// The dispatcher does not know the edit yet: the row is passed to it, and the client repeats the change.
    private func askAgain(_ job: Job, _ bench: inout DispatcherBench) throws {
        guard case .stale? = bench.replies.last(where: { $0.requestID == 8 })?.result else {
            Issue.record("the change of the edited row is not stale")
            return
        }
        bench.tell(.jobsRefreshed([DispatcherBench.planned(try #require(bench.store.jobs[job.id]))]))
        try reschedule(job, &bench)
    }

    @Test func `a change after a refused one is applied`() throws {
        var bench = DispatcherBench()
        let job = leadWithTwo(&bench)
        bench.commitsAreHeld = true
        // The name is already taken, so the change will be refused.
        var renamed = try #require(bench.store.jobs[job.id])
        renamed.version += 1
        renamed.name = "taken"
        bench.tell(.changeRequested(7, .update(DispatcherBench.planned(renamed), scheduleChanged: false)))
        try editAndReschedule(job, &bench)
        bench.releaseCommits()
        #expect(bench.dispatcher.inconsistency == nil)
        try askAgain(job, &bench)
        bench.pass(ms: 12_000)
        let changedAt = try #require(bench.store.jobs[job.id]).effectiveFrom
        let times = bench.store.executions.values.filter { $0.jobID == job.id && $0.scheduledTime > changedAt }
            .map(\.scheduledTime.seconds)
        #expect(times.count >= 4 && times.allSatisfy { $0 % 3 == 0 })
    }

    @Test func `a refused change has no effect until the next change is applied`() throws {
        var bench = DispatcherBench()
        let job = leadWithTwo(&bench)
        bench.pass(ms: 1_700)
        bench.commitsAreHeld = true
        var refused = try #require(bench.store.jobs[job.id])
        refused.version += 1
        refused.name = "taken"
        refused.schedule = "*/5 * * * * *"
        bench.tell(.changeRequested(7, .update(DispatcherBench.planned(refused), scheduleChanged: true)))
        // The store answers late, and due times of both schedules pass.
        bench.pass(ms: 3_600)
        try editAndReschedule(job, &bench)
        bench.releaseCommits()
        try askAgain(job, &bench)
        bench.pass(ms: 4_000)
        #expect(bench.dispatcher.inconsistency == nil)
        let changedAt = try #require(bench.store.jobs[job.id]).effectiveFrom
        let times = Set(bench.store.executions.values.filter { $0.jobID == job.id }.map(\.scheduledTime.seconds))
        let first = try #require(times.min())
        let last = changedAt.seconds
        #expect(last - first >= 3)
        #expect(times.filter { $0 <= last } == Set((first...last).filter { $0 % 2 == 0 }))
        #expect(times.filter { $0 > last }.allSatisfy { $0 % 3 == 0 })
    }
}
