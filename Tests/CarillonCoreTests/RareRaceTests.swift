import CarillonCore
import TestSupport
import Testing

/// Races of three or four events that the simulation rarely produces.
@Suite struct RareRaceTests {
    private static let beginning = DispatcherBench.beginning

    /// Answers held commits one after the other, with a refusal where requested, until none is left.
    private func settle(_ bench: inout DispatcherBench, refusing isRefused: (WriteBatch) -> Bool) {
        while !bench.heldCommits.isEmpty {
            let batch = bench.heldCommits.removeFirst()
            bench.answer(batch, refusing: isRefused(batch))
        }
        bench.commitsAreHeld = false
    }

    private func id(_ job: Job, second: Int64) -> ExecutionID {
        ExecutionID(job: job.id, scheduledTime: Self.beginning + second * 1_000, trigger: .schedule)
    }

    /// An AT_MOST_ONCE job, due at second 2, whose claim is in flight.
    private func claimOnItsWay(_ bench: inout DispatcherBench) -> Job {
        bench.lead(slots: 1)
        var job = DispatcherBench.job(2, every: 2)
        job.executionType = .atMostOnce
        bench.create(job)
        bench.pass(ms: 1_900)
        bench.commitsAreHeld = true
        bench.pass(ms: 150)
        return job
    }

    // MARK: Refused writes

    @Test func `a retry continues after a refused pause`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(1, every: 60, name: "taken"))
        let job = DispatcherBench.job(2, every: 2, name: "other")
        bench.create(job)
        bench.pass(ms: 2_000)
        let call = try #require(bench.dispatched.first?.call)
        bench.report(call, status: 500)
        #expect(bench.store.executions[call.executionID]?.status == .retrying)
        bench.commitsAreHeld = true
        var paused = try #require(bench.store.jobs[job.id])
        paused.version += 1
        paused.name = "taken"
        bench.tell(.changeRequested(5, .pause(paused)))
        bench.releaseCommits()
        #expect(bench.dispatcher.inconsistency == nil)
        bench.pass(ms: 3_000)
        #expect(bench.store.jobs[job.id]?.active == true)
        #expect(bench.dispatched.contains { $0.call.executionID == call.executionID && $0.call.attempt == 2 })
    }

    /// The job `other`, and a change of it that will be refused because of a duplicate name.
    private func jobToBeRenamed(
        _ bench: inout DispatcherBench,
        every seconds: Int,
        then schedule: String
    ) throws -> (job: Job, change: ChangeRequest) {
        // Without a slot nothing starts.
        bench.lead(slots: 0)
        bench.create(DispatcherBench.job(1, every: 60, name: "taken"))
        let job = DispatcherBench.job(2, every: seconds, name: "other")
        bench.create(job)
        bench.create(DispatcherBench.job(3, every: 1))
        bench.pass(ms: 1_100)
        var changed = try #require(bench.store.jobs[job.id])
        changed.version += 1
        changed.name = "taken"
        changed.schedule = schedule
        return (job, .update(DispatcherBench.planned(changed), scheduleChanged: true))
    }

    @Test func `no mark passes a held row of a refused change`() throws {
        var bench = DispatcherBench()
        let (job, change) = try jobToBeRenamed(&bench, every: 1, then: "@every 7s")
        bench.commitsAreHeld = true
        // A batch in flight delays the change, which is sent with the rows inserted meanwhile.
        bench.run(DispatcherBench.job(1, every: 60), requestID: 4)
        bench.tell(.changeRequested(5, change))
        bench.pass(ms: 2_300)
        // A scheduler that takes over after any of these commits finds only what the store has.
        while !bench.heldCommits.isEmpty {
            bench.answer(bench.heldCommits.removeFirst())
            let through = try #require(bench.store.shards[0].materializedThrough) - Self.beginning
            let times = Set(rows(of: job, bench))
            let missing = stride(from: 1_000, through: through, by: 1_000).filter { !times.contains($0) }
            #expect(missing.isEmpty, "marked through \(through)")
        }
        let through = try #require(bench.store.shards[0].materializedThrough)
        #expect(through - Self.beginning >= 3_000)
        #expect(bench.replies.contains { $0.requestID == 5 })
        #expect(bench.dispatcher.inconsistency == nil)
    }

    /// A job whose row of second 4 is due and whose schedule was changed afterwards. Then the clock stepped back to
    /// before second 4, and another scheduler leads.
    private func jobWithAnEarlierRow(_ bench: inout DispatcherBench) throws -> Job {
        let (job, _) = try jobToBeRenamed(&bench, every: 2, then: "@every 2s")
        bench.pass(ms: 4_000)
        var changed = try #require(bench.store.jobs[job.id])
        changed.version += 1
        changed.schedule = "@every 300s"
        bench.tell(.changeRequested(5, .update(DispatcherBench.planned(changed), scheduleChanged: true)))
        #expect(rows(of: job, bench) == [2_000, 4_000])
        bench.databaseAheadMs -= 3_000
        bench.loseLead()
        #expect(bench.time.milliseconds - Self.beginning.milliseconds < 3_500)
        return try #require(bench.store.jobs[job.id])
    }

    /// One refused change that includes the row's time, or two in sequence.
    @Test(arguments: [1, 2])
    func `refused changes keep a row of an earlier definition`(count: Int) throws {
        var bench = DispatcherBench()
        var changed = try jobWithAnEarlierRow(&bench)
        bench.commitsAreHeld = true
        changed.version += 1
        for (number, schedule) in ["*/2 * * * * *", "* * * * * *"].prefix(count).enumerated() {
            (changed.name, changed.schedule) = ("taken", schedule)
            let request = ChangeRequest.update(DispatcherBench.planned(changed), scheduleChanged: true)
            bench.tell(.changeRequested(RequestID(6 + number), request))
        }
        bench.releaseCommits()
        for requestID in 6..<RequestID(6 + count) {
            guard case .refused? = bench.replies.first(where: { $0.requestID == requestID })?.result else {
                Issue.record("change \(requestID) was not refused")
                return
            }
        }
        bench.join(2, boot: 2)
        bench.pass(ms: 4_000)
        for second in [2, 4] as [Int64] {
            #expect(bench.dispatched.contains { $0.call.executionID == id(changed, second: second) }, "\(second)")
        }
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `times due between a refused change and the next one are called`() throws {
        var bench = DispatcherBench()
        var changed = try jobWithAnEarlierRow(&bench)
        bench.commitsAreHeld = true
        // The batch in flight delays the first change, and the first change delays the second one.
        bench.run(DispatcherBench.job(1, every: 60), requestID: 4)
        changed.version += 1
        (changed.name, changed.schedule) = ("taken", "@every 77s")
        bench.tell(.changeRequested(6, .update(DispatcherBench.planned(changed), scheduleChanged: true)))
        while bench.time.milliseconds - Self.beginning.milliseconds < 4_100 { bench.pass(ms: 50) }
        (changed.name, changed.schedule) = ("free", "@every 99s")
        bench.tell(.changeRequested(7, .update(DispatcherBench.planned(changed), scheduleChanged: true)))
        settle(&bench) { batch in batch.changes.contains { $0.job?.name == "taken" } }
        guard case .refused? = bench.replies.first(where: { $0.requestID == 6 })?.result else {
            Issue.record("the first change was not refused")
            return
        }
        #expect(bench.store.jobs[changed.id]?.name == "free")
        bench.join(2, boot: 2)
        bench.pass(ms: 2_000)
        #expect(bench.dispatched.contains { $0.call.executionID == id(changed, second: 4) })
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test(arguments: [false, true])
    func `an ended job is not called for a row of an earlier definition`(isDeleted: Bool) throws {
        var bench = DispatcherBench()
        var changed = try jobWithAnEarlierRow(&bench)
        changed.version += 1
        bench.tell(.changeRequested(6, isDeleted ? .delete(changed) : .pause(changed)))
        bench.join(2, boot: 2)
        bench.pass(ms: 4_000)
        #expect(rows(of: changed, bench) == [2_000])
        #expect(!bench.dispatched.contains { $0.call.executionID == id(changed, second: 4) })
        #expect(bench.dispatcher.inconsistency == nil)
    }

    /// The row was withdrawn when the clock stepped back, while its batch was in flight, and inserted again.
    @Test func `a recreated row exists after a refused change with the same time`() throws {
        var bench = DispatcherBench()
        let (job, _) = try jobToBeRenamed(&bench, every: 1, then: "* * * * * *")
        bench.commitsAreHeld = true
        bench.pass(ms: 500)
        bench.databaseAheadMs -= 1_200
        while bench.time.milliseconds - Self.beginning.milliseconds < 1_700 { bench.pass(ms: 50) }
        var changed = try #require(bench.store.jobs[job.id])
        changed.version += 1
        (changed.name, changed.schedule) = ("taken", "* * * * * *")
        bench.tell(.changeRequested(6, .update(DispatcherBench.planned(changed), scheduleChanged: true)))
        bench.releaseCommits()
        bench.pass(ms: 1_500)
        #expect(rows(of: job, bench).contains(2_000))
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `rows withdrawn by a pause are not called when the next change is refused`() throws {
        var bench = DispatcherBench()
        let (job, _) = try jobToBeRenamed(&bench, every: 1, then: "@every 1s")
        bench.commitsAreHeld = true
        bench.pass(ms: 500)
        var changed = try #require(bench.store.jobs[job.id])
        changed.version += 1
        bench.tell(.changeRequested(6, .pause(changed)))
        changed.version += 1
        changed.name = "taken"
        bench.tell(.changeRequested(7, .resume(DispatcherBench.planned(changed))))
        bench.releaseCommits()
        bench.join(2, boot: 2, slots: 100)
        bench.pass(ms: 2_000)
        #expect(bench.store.jobs[job.id]?.active == false)
        #expect(!bench.dispatched.contains { $0.call.executionID == id(job, second: 2) })
        #expect(bench.dispatcher.inconsistency == nil)
    }

    /// With rows of the refused definition, and without.
    @Test(arguments: ["@every 1s", "@every 300s"])
    func `a job deleted after a refused change keeps its due rows`(_ schedule: String) throws {
        var bench = DispatcherBench()
        let (job, change) = try jobToBeRenamed(&bench, every: 2, then: schedule)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, change))
        bench.pass(ms: 2_200)
        var gone = try #require(bench.store.jobs[job.id])
        gone.version += 1
        bench.tell(.changeRequested(6, .delete(gone)))
        bench.releaseCommits()
        bench.pass(ms: 6_000)
        #expect(bench.store.jobs[job.id]?.deletedAt != nil)
        #expect(rows(of: job, bench) == [2_000])
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a row withdrawn and inserted again exists even if its batch is split`() throws {
        var bench = DispatcherBench()
        let (job, change) = try jobToBeRenamed(&bench, every: 1, then: "@every 300s")
        bench.pass(ms: 3_000)
        bench.commitsAreHeld = true
        bench.run(DispatcherBench.job(1, every: 60), requestID: 4)
        bench.databaseAheadMs -= 3_000
        bench.pass(ms: 4_000)
        bench.tell(.changeRequested(5, change))
        let last = bench.time.seconds - Self.beginning.seconds
        bench.releaseCommits()
        bench.pass(ms: 500)
        #expect(last == 5)
        #expect(Set(rows(of: job, bench)).isSuperset(of: (1...last).map { $0 * 1_000 }))
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a row of a partial instant survives a refused change, and the next one withdraws it`() throws {
        var bench = DispatcherBench(maxOpenExecutions: 2)
        bench.lead(slots: 0)
        let taken = DispatcherBench.job(1, every: 60, name: "taken")
        bench.create(taken)
        bench.run(taken, requestID: 4)
        let job = DispatcherBench.job(2, every: 2, name: "other")
        bench.create(job)
        bench.create(DispatcherBench.job(3, every: 2))
        bench.pass(ms: 1_700)
        // The row of the third job exceeds the limit.
        #expect(bench.store.executions.count == 2 && rows(of: job, bench) == [2_000])
        var renamed = try #require(bench.store.jobs[job.id])
        renamed.version += 1
        renamed.name = "taken"
        renamed.schedule = "@every 300s"
        bench.tell(.changeRequested(5, .update(DispatcherBench.planned(renamed), scheduleChanged: true)))
        #expect(bench.store.jobs[job.id]?.schedule == job.schedule)
        var paused = try #require(bench.store.jobs[job.id])
        paused.version += 1
        bench.tell(.changeRequested(6, .pause(paused)))
        bench.pass(ms: 3_000)
        #expect(rows(of: job, bench).isEmpty)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `missed times exclude a row of a partial instant from a previous leader`() throws {
        var bench = DispatcherBench(maxOpenExecutions: 2)
        bench.lead()
        let blocking = DispatcherBench.job(1, every: 3_600)
        bench.create(blocking)
        bench.run(blocking, requestID: 4)
        var job = DispatcherBench.job(2, every: 2)
        (job.catchUpPolicy, job.catchUpWindowMs) = (.none, 0)
        bench.create(job)
        bench.create(DispatcherBench.job(3, every: 2))
        bench.pass(ms: 1_700)
        // The row of the third job exceeds the limit.
        #expect(rows(of: job, bench) == [2_000])
        bench.loseLead()
        let link = ConnectionID(2)
        bench.join(link, boot: 2)
        bench.pass(ms: 500)
        let call = try #require(bench.dispatched.last { $0.call.jobID == job.id })
        bench.report(call.call, over: call.link)
        #expect(bench.store.executions[call.call.executionID]?.status == .success)
        // The limit stays reached all the time.
        for requestID in 5...6 as ClosedRange<RequestID> { bench.run(blocking, requestID: requestID) }
        bench.pass(ms: 20_000)
        var paused = try #require(bench.store.jobs[job.id])
        paused.version += 1
        bench.tell(.changeRequested(7, .pause(paused)))
        let skipped = bench.store.executions.values.filter { $0.jobID == job.id && $0.skippedCount != nil }
        #expect(skipped.map(\.skippedFrom) == [DispatcherBench.beginning + 4_000])
        let last = (bench.time - DispatcherBench.beginning) / 2_000
        #expect(skipped.map(\.skippedCount) == [last - 1])
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `an applied change keeps its effective_from after a step back during the previous one`() throws {
        var bench = DispatcherBench()
        let (job, change) = try jobToBeRenamed(&bench, every: 1, then: "@every 300s")
        bench.pass(ms: 9_000)
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(5, change))
        bench.databaseAheadMs -= 5_000
        bench.pass(ms: 3_500)
        var kept = try #require(bench.store.jobs[job.id])
        kept.version += 1
        kept.schedule = "@every 600s"
        bench.tell(.changeRequested(6, .update(DispatcherBench.planned(kept), scheduleChanged: true)))
        let changedAt = bench.time
        bench.releaseCommits()
        bench.pass(ms: 3_000)
        #expect(bench.store.jobs[job.id]?.schedule == "@every 600s")
        #expect(bench.dispatcher.inconsistency == nil)
        let last = changedAt.seconds - Self.beginning.seconds
        #expect(last >= 8)
        #expect(Set(rows(of: job, bench)).isSuperset(of: (1...last).map { $0 * 1_000 }))
    }

    @Test func `a refused claim ends its execution and frees its slot`() throws {
        var bench = DispatcherBench()
        let job = claimOnItsWay(&bench)
        #expect(bench.heldCommits.contains { !$0.starts.isEmpty })
        settle(&bench) { !$0.starts.isEmpty }
        let row = try #require(bench.store.executions[id(job, second: 2)])
        #expect(row.status == .failed && row.reason == .recordRefused)
        #expect(row.errorMessage == "the database refused to record the start: will not have it")
        #expect(bench.dispatched.isEmpty)
        bench.pass(ms: 2_000)
        #expect(bench.dispatched.map(\.call.executionID) == [id(job, second: 4)])
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a refused row is left out, and later rows are not`() {
        var bench = DispatcherBench()
        bench.lead()
        let job = DispatcherBench.job(2, every: 2)
        bench.create(job)
        bench.commitsAreHeld = true
        bench.pass(ms: 1_600)
        settle(&bench) { $0.inserts.contains { $0.id == id(job, second: 2) } }
        bench.pass(ms: 2_600)
        #expect(bench.store.executions[id(job, second: 2)] == nil)
        #expect(bench.dispatched.map(\.call.executionID) == [id(job, second: 4)])
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a refused manual run leaves no trace`() {
        var bench = DispatcherBench()
        bench.lead()
        var job = DispatcherBench.job(2, every: 3_600)
        job.overlapPolicy = .skip
        bench.create(job)
        bench.commitsAreHeld = true
        bench.run(job, requestID: 7)
        settle(&bench) { !$0.changes.isEmpty }
        guard case .refused(let error)? = bench.replies.last(where: { $0.requestID == 7 })?.result else {
            Issue.record("the run was not refused")
            return
        }
        #expect(error.code == .internal)
        // The job has no open execution.
        bench.run(job, requestID: 8)
        bench.pass(ms: 100)
        #expect(bench.dispatched.count == 1)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `an outcome repeated while its batch is split is acknowledged once`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(2, every: 2))
        bench.create(DispatcherBench.job(3, every: 2))
        bench.pass(ms: 2_000)
        let calls = bench.dispatched.map(\.call)
        #expect(calls.count == 2)
        bench.commitsAreHeld = true
        bench.tell(.workerReported(1, calls.map { DispatcherBench.outcome($0) }))
        let whole = bench.heldCommits.removeFirst()
        #expect(whole.updates.count == 2)
        bench.answer(whole, refusing: true)
        // One part is in flight, the other waits for it.
        bench.tell(.workerReported(1, calls.map { DispatcherBench.outcome($0) }))
        settle(&bench) { _ in false }
        #expect(bench.acknowledged.sorted() == calls.map(\.token).sorted())
        #expect(calls.allSatisfy { bench.store.executions[$0.executionID]?.status == .success })
    }

    // MARK: Claims

    @Test func `a claim cancelled before it is durable is not sent`() {
        var bench = DispatcherBench()
        let job = claimOnItsWay(&bench)
        bench.tell(.changeRequested(8, .cancel(job.id, id(job, second: 2))))
        bench.releaseCommits()
        let row = bench.store.executions[id(job, second: 2)]
        #expect(row?.status == .cancelled && row?.reason == .cancelRequested)
        #expect(bench.dispatched.isEmpty)
    }

    @Test func `a stopping leader returns a claim whose worker left`() {
        var bench = DispatcherBench()
        let job = claimOnItsWay(&bench)
        bench.tell(.workerLeft(1))
        bench.tell(.stopRequested)
        bench.releaseCommits()
        let row = bench.store.executions[id(job, second: 2)]
        #expect(row?.status == .retrying && row?.isClaimed == false)
        #expect(bench.dispatched.isEmpty)
    }

    @Test func `a report during the recording of UNKNOWN replaces it afterwards`() throws {
        var bench = DispatcherBench()
        bench.lead()
        var job = DispatcherBench.job(2, every: 600)
        job.executionType = .atMostOnce
        bench.create(job)
        bench.run(job, requestID: 7)
        bench.pass(ms: 100)
        let call = try #require(bench.dispatched.first?.call)
        bench.tell(.workerLeft(1))
        bench.pass(ms: 5_000)
        while bench.dispatcher.openExecutionCount > 0, bench.heldCommits.isEmpty, bench.bootMs < 200_000 {
            // Commits are held from the moment when the call is given up.
            bench.commitsAreHeld = bench.bootMs > 60_000
            bench.pass(ms: 50)
            while let batch = bench.heldCommits.first, !batch.updates.contains(where: { $0.status == .unknown }) {
                bench.answer(bench.heldCommits.removeFirst())
            }
        }
        #expect(bench.heldCommits.count == 1)
        bench.join(2)
        bench.report(call, over: 2)
        settle(&bench) { _ in false }
        bench.pass(ms: 100)
        let row = bench.store.executions[call.executionID]
        #expect(row?.status == .success && row?.attempts == 1 && row?.lostAttempts == 0)
        #expect(bench.acknowledged == [call.token])
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a report that comes again while its row is read is acknowledged once the truth is durable`() throws {
        var bench = DispatcherBench()
        bench.lead()
        var job = DispatcherBench.job(2, every: 3_600)
        job.executionType = .atMostOnce
        bench.create(job)
        bench.run(job, requestID: 7)
        let call = try #require(bench.dispatched.first?.call)
        bench.tell(.workerLeft(1))
        bench.pass(ms: 95_000)
        #expect(bench.store.executions[call.executionID]?.status == .unknown)
        bench.join(2)
        bench.rowReadsAreHeld = true
        bench.report(call, over: 2)
        bench.tell(.workerLeft(2))
        bench.join(3)
        bench.report(call, over: 3)
        #expect(bench.acknowledged.isEmpty)
        #expect(bench.found.count == 1)
        bench.releaseRowReads()
        let row = bench.store.executions[call.executionID]
        #expect(row?.status == .success && row?.attempts == 1 && row?.lostAttempts == 0)
        #expect(bench.acknowledged == [call.token])
        #expect(bench.acknowledgedOver[call.token] == 3)
    }

    // MARK: Clocks and outages

    @Test func `rows that a take-over withdraws are made when their times come, though a change was refused before`()
        throws
    {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.pass(ms: 10_000)
        let job = DispatcherBench.job(2, every: 1)
        bench.create(job)
        bench.pass(ms: 2_600)
        let times = rows(of: job, bench)
        #expect(times.contains(13_000))
        bench.tell(.leaseConnectionLost("test"))
        bench.databaseAheadMs -= 11_000
        bench.tell(.workerLeft(1))
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        // All rows lie in the future again, and are still there when a change of their job is refused.
        var change = try #require(bench.store.jobs[job.id])
        change.version += 1
        change.schedule = "@every 3s"
        bench.commitsAreHeld = true
        bench.tell(.changeRequested(9, .update(DispatcherBench.planned(change), scheduleChanged: true)))
        settle(&bench) { !$0.changes.isEmpty }
        #expect(bench.replies.contains { $0.requestID == 9 })
        bench.pass(ms: 3_000)
        #expect(rows(of: job, bench).isEmpty)
        bench.pass(ms: 12_000)
        #expect(bench.dispatcher.inconsistency == nil)
        #expect(Set(rows(of: job, bench)).isSuperset(of: times))
    }

    @Test func `a job paused and resumed with SQL between two searches continues and catches up on an outage`() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        var job = DispatcherBench.job(2, every: 2)
        job.catchUpPolicy = .all
        let planned = DispatcherBench.planned(job)
        bench.tell(.changeRequested(1, .create(planned, nil)))
        let created = try #require(bench.store.jobs[job.id])
        bench.outageReadsAreHeld = true
        bench.databaseAheadMs += 60_000
        while bench.heldOutages.isEmpty { bench.pass(ms: 50) }
        var edited = created
        edited.version += 1
        edited.effectiveFrom = bench.time
        bench.tell(.jobsRefreshed([PlannedJob(job: edited, plan: planned.plan)]))
        bench.pass(ms: 100)
        #expect(bench.dispatcher.inconsistency == nil)
        #expect(bench.store.jobs[job.id]?.version == edited.version + 1)
        #expect(bench.store.jobs[job.id]?.effectiveFrom == created.effectiveFrom)
    }

    private func rows(of job: Job, _ bench: borrowing DispatcherBench) -> [Int64] {
        bench.store.executions.values.filter { $0.jobID == job.id }.map { $0.scheduledTime - Self.beginning }.sorted()
    }

    @Test func `an outage whose rows cannot be read at first is caught up`() {
        var bench = DispatcherBench()
        bench.lead()
        let job = DispatcherBench.job(2, every: 1)
        bench.create(job)
        bench.pass(ms: 2_000)
        bench.outageReadsFail = 2
        bench.databaseAheadMs += 20_000
        bench.pass(ms: 2_000)
        #expect(bench.outageReadsFail == 0)
        let times = rows(of: job, bench)
        let expected = (1...23).map { Int64($0) * 1_000 }
        #expect(Set(times).isSuperset(of: expected))
        #expect(Set(times).count == times.count)
    }

    @Test func `after a step back during an outage scan, the rows read so far are discarded`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let job = DispatcherBench.job(2, every: 1)
        bench.create(job)
        bench.pass(ms: 2_000)
        bench.outageReadsAreHeld = true
        bench.databaseAheadMs += 20_000
        bench.pass(ms: 1_500)
        let first = try #require(bench.heldOutages.first)
        bench.databaseAheadMs -= 10_000
        bench.pass(ms: 1_500)
        #expect(bench.heldOutages.count == 2)
        let second = try #require(bench.heldOutages.last)
        #expect(second.from == first.from && second.to < first.to)
        // The answer to the first read arrives first and is ignored.
        bench.tell(.outageRowsLoaded([OutageRow(jobID: job.id, from: first.from, to: first.to)], isLast: true))
        bench.tell(.outageRowsLoaded(bench.store.outageRows(second), isLast: true))
        bench.outageReadsAreHeld = false
        bench.pass(ms: 3_000)
        #expect(bench.dispatcher.inconsistency == nil)
        let last = bench.time.seconds - Self.beginning.seconds
        let times = rows(of: job, bench)
        #expect(Set(times).isSuperset(of: (1...last).map { $0 * 1_000 }))
        #expect(Set(times).count == times.count)
    }

    @Test func `a call that did not start waits for its time again after the clock stepped back`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let job = DispatcherBench.job(2, every: 60)
        bench.create(job)
        bench.pass(ms: 60_000)
        let call = try #require(bench.dispatched.first?.call)
        bench.databaseAheadMs -= 10_000
        bench.pass(ms: 1_500)
        bench.report(call, .notStarted, status: nil)
        bench.pass(ms: 7_000)
        #expect(bench.dispatched.count == 1)
        bench.pass(ms: 3_000)
        #expect(bench.dispatched.map(\.call.executionID) == [call.executionID, call.executionID])
        #expect(bench.acknowledged == [call.token])
    }

    // MARK: Take-over

    @Test func `an overlap is decided only when it is known which calls run`() throws {
        var bench = DispatcherBench()
        bench.lead()
        var job = DispatcherBench.job(2, every: 2)
        job.overlapPolicy = .skip
        bench.create(job)
        bench.pass(ms: 2_000)
        let call = try #require(bench.dispatched.first?.call)
        bench.pass(ms: 1_000)
        bench.loseLead([.workerLeft(1)])
        bench.join(2, name: "second")
        bench.pass(ms: 1_200)
        // The next execution is due, and the worker of the first one may reconnect.
        #expect(bench.store.executions[id(job, second: 4)]?.status == .pending)
        #expect(bench.dispatched.count == 1)
        bench.pass(ms: 3_000)
        #expect(bench.dispatched.last?.call.executionID == call.executionID)
        #expect(bench.store.executions[id(job, second: 4)]?.reason == .overlap)
    }
}
