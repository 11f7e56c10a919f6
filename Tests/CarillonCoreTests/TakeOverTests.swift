import CarillonCore
import TestSupport
import Testing

/// A new leader's knowledge of the executions that the previous leader started.
@Suite struct TakeOverTests {
    private let job = DispatcherBench.job(1, every: 3_600)

    private func held(_ call: DispatchedCall) -> HeldCall {
        HeldCall(
            token: call.token,
            code: call.code,
            shard: call.shard,
            executionID: call.executionID,
            jobID: call.jobID,
            attempt: call.attempt
        )
    }

    /// Dispatches one call of an AT_MOST_ONCE job.
    private func claim(_ bench: inout DispatcherBench) throws -> DispatchedCall {
        bench.lead()
        var job = job
        job.executionType = .atMostOnce
        bench.create(job)
        bench.run(job, requestID: 1)
        let call = try #require(bench.dispatched.first?.call)
        #expect(call.atMostOnce)
        return call
    }

    /// The same, and the job becomes AT_LEAST_ONCE meanwhile.
    private func claimWhoseJobHasChanged(_ bench: inout DispatcherBench) throws -> DispatchedCall {
        let call = try claim(&bench)
        var changed = try #require(bench.store.jobs[job.id])
        changed.version += 1
        changed.executionType = .atLeastOnce
        bench.tell(.changeRequested(2, .update(DispatcherBench.planned(changed), scheduleChanged: false)))
        #expect(bench.store.jobs[job.id]?.executionType == .atLeastOnce)
        return call
    }

    @Test func `a claim stays a claim through a change of its job and a take-over`() throws {
        var bench = DispatcherBench()
        let call = try claimWhoseJobHasChanged(&bench)
        bench.loseLead([.workerLeft(1)])
        bench.join(2, boot: 2)
        bench.pass(ms: 95_000)
        #expect(bench.dispatched.count == 1)
        #expect(bench.store.executions[call.executionID]?.status == .unknown)
        // The next run uses the new definition.
        bench.run(job, requestID: 3)
        #expect(bench.dispatched.count == 2 && bench.dispatched.last?.call.atMostOnce == false)
    }

    @Test(arguments: [false, true])
    func `the start of a lost attempt is not the start of the execution`(isTakenOver: Bool) throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job)
        bench.run(job, requestID: 1)
        let call = try #require(bench.dispatched.first?.call)
        bench.pass(ms: 2_000)
        bench.tell(.workerStarted(1, [call.token]))
        #expect(bench.store.executions[call.executionID]?.status == .running)
        #expect(bench.store.executions[call.executionID]?.actualStartTime == DispatcherBench.beginning)
        if isTakenOver {
            bench.loseLead([.workerLeft(1)])
        } else {
            bench.tell(.workerLeft(1))
        }
        bench.join(2, boot: 2)
        bench.pass(ms: 5_000)
        let again = try #require(bench.dispatched.dropFirst().first)
        bench.report(again.call, over: again.link)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .success && row.attempts == 1 && row.lostAttempts == 1)
        let start = try #require(row.actualStartTime)
        #expect(start - row.scheduledTime >= 2_000)
        #expect(row.driftMicroseconds.map { $0 / 1_000 } == start - row.scheduledTime)
    }

    @Test func `a call dispatched by an earlier leader did not start in 1970`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job)
        bench.run(job, requestID: 1)
        let call = try #require(bench.dispatched.first?.call)
        bench.loseLead()
        bench.answerLead(1, held: [held(call)])
        bench.tell(.workerStarted(1, [call.token]))
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .running)
        #expect(row.actualStartTime.map { DispatcherBench.beginning <= $0 && $0 <= bench.time } == true)
        bench.report(call)
        #expect(bench.store.executions[call.executionID]?.status == .success)
    }

    @Test func `missed times of an outage are kept when the clock steps back before them`() throws {
        var bench = DispatcherBench()
        var job = DispatcherBench.job(2, every: 1)
        job.catchUpPolicy = .all
        job.effectiveFrom = DispatcherBench.beginning - 20_000
        // The previous leader was catching up on an outage when the clock stepped back by less than the horizon.
        let before = UniqueID(high: 9, low: 9)
        _ = bench.store.acquireLease(session: 9, owner: before, address: "", leaseMs: 5_000, now: bench.time)
        var batch = WriteBatch(sequence: 1, owner: before, epoch: bench.store.shards[0].epoch)
        batch.changes = [JobChange(job: job, isNew: true)]
        let outage = Outage(from: bench.time + 800, to: bench.time + 2_500)
        batch.outage = outage
        batch.materializedThrough = bench.time + 3_000
        _ = bench.store.commit(batch, now: bench.time)
        bench.store.sessionEnded(9)
        let beginning = bench.time
        bench.lead()
        #expect(bench.store.shards[0].outage == nil)
        bench.pass(ms: 6_000)
        let times = Set(bench.store.executions.values.map(\.scheduledTime))
        for second in 1...5 as ClosedRange<Int64> {
            #expect(times.contains(beginning + second * 1_000), "second \(second)")
        }
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a second dispatch counts although its job has become AT_MOST_ONCE`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job)
        bench.run(job, requestID: 1)
        let lost = try #require(bench.dispatched.first?.call)
        bench.tell(.workerStarted(1, [lost.token]))
        bench.tell(.workerLeft(1))
        bench.join(2, boot: 2)
        bench.pass(ms: 2_000)
        let second = try #require(bench.dispatched.dropFirst().first?.call)
        // The row still has the first token.
        #expect(bench.store.executions[lost.executionID]?.token == lost.token)
        var changed = try #require(bench.store.jobs[job.id])
        changed.version += 1
        changed.executionType = .atMostOnce
        bench.tell(.changeRequested(2, .update(DispatcherBench.planned(changed), scheduleChanged: false)))
        bench.loseLead()
        bench.report(second, over: 2)
        #expect(bench.store.executions[second.executionID]?.status == .success)
    }

    @Test func `a failed claim is not repeated after a change of its job and a take-over`() throws {
        var bench = DispatcherBench()
        let call = try claimWhoseJobHasChanged(&bench)
        bench.loseLead()
        bench.answerLead(1, held: [held(call)])
        bench.report(call, status: 500)
        bench.pass(ms: 60_000)
        #expect(bench.dispatched.count == 1)
        #expect(bench.store.executions[call.executionID]?.status == .failed)
    }

    @Test func `a claim that was not sent is made again and recognized`() throws {
        var bench = DispatcherBench()
        let call = try claimWhoseJobHasChanged(&bench)
        bench.report(call, .notStarted, status: nil)
        let again = try #require(bench.dispatched.last?.call)
        #expect(bench.dispatched.count == 2 && again.atMostOnce && again.token != call.token)
        #expect(bench.store.executions[call.executionID]?.token == again.token)
        bench.loseLead()
        bench.answerLead(1, held: [held(again)])
        bench.report(again)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        #expect(bench.dispatched.count == 2)
    }

    @Test func `a retry of a claim uses the new definition of the job`() throws {
        var bench = DispatcherBench()
        let call = try claimWhoseJobHasChanged(&bench)
        bench.report(call, .notSent, status: nil)
        #expect(bench.store.executions[call.executionID]?.status == .retrying)
        bench.pass(ms: 5_000)
        #expect(bench.dispatched.count == 2 && bench.dispatched.last?.call.atMostOnce == false)
        bench.loseLead([.workerLeft(1)])
        bench.join(2, boot: 2)
        bench.pass(ms: 3_000)
        #expect(bench.dispatched.count == 3)
    }

    @Test func `a call of a disconnected worker waits for that worker`() throws {
        for comes in [true, false] {
            var bench = DispatcherBench()
            bench.lead(slots: 0)
            bench.join(2, name: "other")
            bench.create(job)
            bench.run(job, requestID: 1)
            let (link, call) = try #require(bench.dispatched.first)
            #expect(link == 2)
            // The next leader is connected only to the first worker, which answers and has free slots.
            bench.loseLead([.workerLeft(2)])
            bench.answerLead(1)
            bench.pass(ms: 1_500)
            #expect(bench.dispatched.count == 1)
            if comes { bench.join(3, name: "other", boot: 2, held: [held(call)]) }
            bench.pass(ms: 1_000)
            #expect(bench.dispatched.count == (comes ? 1 : 2))
        }
    }

    @Test func `the wait ends when all workers that may hold calls have answered`() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.join(2, name: "other")
        // A worker that left without a call is not waited for.
        bench.join(3, name: "gone")
        bench.tell(.workerLeft(3))
        bench.create(job)
        bench.run(job, requestID: 1)
        #expect(bench.dispatched.count == 1)
        bench.loseLead()
        bench.answerLead(1)
        #expect(bench.dispatched.count == 1)
        bench.answerLead(2)
        #expect(bench.dispatched.count == 2)
    }

    @Test func `a worker gets no calls before its name is durable`() {
        var bench = DispatcherBench()
        bench.lead(slots: 0)
        bench.create(job)
        bench.commitsAreHeld = true
        bench.join(2, name: "other")
        #expect(bench.dispatcher.workers.allSatisfy { $0.freeSlots == 0 })
        #expect(bench.heldCommits.last?.workers == ["other", "worker"])
        // The worker leaves and reconnects before any of this is durable: the batch without its name does not count.
        bench.tell(.workerLeft(2))
        bench.join(3, name: "other")
        #expect(bench.dispatcher.workers.allSatisfy { $0.freeSlots == 0 })
        bench.releaseCommits()
        #expect(bench.dispatcher.workers.contains { $0.freeSlots == 10 })
        #expect(bench.store.shards[0].workers == ["other", "worker"])
    }

    /// Sets the database's clock back by two hours while no scheduler leads.
    private func takeOverAfterAStepBack(_ bench: inout DispatcherBench) {
        bench.tell(.leaseConnectionLost("test"))
        bench.databaseAheadMs -= 7_200_000
        bench.tell(.workerLeft(1))
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        bench.join(2, boot: 2)
    }

    @Test func `a row that lies in the future again is withdrawn, so that a change finds none`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(2, every: 1))
        bench.pass(ms: 600)
        let ahead = try #require(bench.store.executions.values.first { $0.scheduledTime > bench.time })
        takeOverAfterAStepBack(&bench)
        bench.pass(ms: 100)
        #expect(bench.store.executions[ahead.id] == nil)
        #expect(bench.dispatcher.inconsistency == nil)
        // The row is inserted again at its time; its job is paused before.
        let paused = try #require(bench.store.jobs.values.first)
        var change = paused
        change.version += 1
        bench.tell(.changeRequested(9, .pause(change)))
        bench.pass(ms: 3_000)
        #expect(!bench.store.executions.values.contains { $0.status == .pending })
    }

    @Test func `a scheduler that slept takes over by the database's clock, though its own was ahead`() {
        var bench = DispatcherBench()
        bench.lead()
        bench.tell(.leaseConnectionLost("test"))
        // Its boot clock runs 400 ppm fast.
        bench.bootMs += 600_000
        bench.databaseAheadMs -= 240
        bench.logEvents = []
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        let taken = bench.logEvents.compactMap { logEvent -> Timestamp? in
            if case .leadershipTaken(_, let clusterTime) = logEvent { clusterTime } else { nil }
        }
        #expect(taken.count == 1 && taken.allSatisfy { $0 <= bench.time })
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `a claim from before the clock stepped back is given up as late as any other`() throws {
        var bench = DispatcherBench()
        let call = try claim(&bench)
        takeOverAfterAStepBack(&bench)
        bench.pass(ms: Int64(job.timeoutMs) + 55_000)
        #expect(bench.store.executions[call.executionID]?.status == .running)
        bench.pass(ms: 10_000)
        #expect(bench.store.executions[call.executionID]?.status == .unknown)
    }

    @Test func `a retry from before the clock stepped back does not wait for hours`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job)
        bench.run(job, requestID: 1)
        let call = try #require(bench.dispatched.first?.call)
        bench.report(call, status: 500)
        #expect(bench.store.executions[call.executionID]?.status == .retrying)
        takeOverAfterAStepBack(&bench)
        bench.pass(ms: Int64(job.retryMaxDelayMs) * 11 / 10 + 3_000)
        #expect(bench.dispatched.count == 2)
    }

    @Test func `a retry with Retry-After from before the clock stepped back does not wait for an hour`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job)
        bench.run(job, requestID: 1)
        let call = try #require(bench.dispatched.first?.call)
        var outcome = DispatcherBench.outcome(call, status: 503)
        outcome.retryAfterMs = 5_000
        bench.tell(.workerReported(1, [outcome]))
        #expect(bench.store.executions[call.executionID]?.status == .retrying)
        takeOverAfterAStepBack(&bench)
        bench.pass(ms: 8_000)
        #expect(bench.dispatched.count == 2)
    }

    @Test func `a worker with two connections counts once`() {
        var bench = DispatcherBench()
        bench.lead()
        var job = DispatcherBench.job(3, every: 1)
        job.catchUpPolicy = .all
        bench.create(job)
        bench.tell(.leaseConnectionLost("test"))
        bench.databaseAheadMs += 600_000
        // The same process, connected twice, with 1,000 slots: a tenth of them is for catch-up.
        bench.join(2)
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        bench.pass(ms: 200)
        #expect(bench.store.executions.values.count { !$0.status.isFinal && $0.scheduledTime < bench.time } == 100)
    }

    @Test func `a call whose time lies in the future again is made once`() throws {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(DispatcherBench.job(2, every: 1))
        while bench.dispatched.isEmpty { bench.pass(ms: 50) }
        let call = bench.dispatched[0].call
        #expect(bench.store.executions[call.executionID]?.status == .pending)
        bench.tell(.leaseConnectionLost("test"))
        bench.databaseAheadMs -= 7_200_000
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        bench.answerLead(1, held: [held(call)])
        bench.report(call)
        bench.pass(ms: 3_000)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        #expect(bench.dispatched.count { $0.call.executionID == call.executionID } == 1)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    /// A call of `job` from before the database's clock was set back by 17 s. The new leader does not know the call,
    /// because its worker was disconnected.
    private func callOfTheFuture(_ bench: inout DispatcherBench, holdsWithdrawal: Bool = false) throws -> DispatchedCall
    {
        bench.lead()
        bench.create(DispatcherBench.job(2, every: 60))
        while bench.dispatched.isEmpty { bench.pass(ms: 50) }
        let call = bench.dispatched[0].call
        bench.tell(.leaseConnectionLost("test"))
        bench.databaseAheadMs -= 17_000
        bench.tell(.workerLeft(1))
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        bench.commitsAreHeld = holdsWithdrawal
        bench.pass(ms: 2_500)
        #expect(holdsWithdrawal || bench.store.executions[call.executionID] == nil)
        bench.join(2, name: "other")
        return call
    }

    private func expectCalledOnce(_ call: DispatchedCall, _ bench: inout DispatcherBench) {
        bench.pass(ms: 20_000)
        #expect(bench.time > call.scheduledTime)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        #expect(bench.dispatched.count { $0.call.executionID == call.executionID } == 1)
        #expect(bench.acknowledged.contains(call.token))
        #expect(bench.dispatcher.inconsistency == nil)
    }

    @Test func `an outcome restores the withdrawn row of its call`() throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        bench.join(1)
        bench.report(call)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        expectCalledOnce(call, &bench)
    }

    @Test func `a held call restores its withdrawn row`() throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        bench.join(1, held: [held(call)])
        #expect(bench.store.executions[call.executionID]?.status == .pending)
        bench.pass(ms: 18_000)
        bench.report(call)
        expectCalledOnce(call, &bench)
    }

    @Test(arguments: [false, true])
    func `a recreated row is withdrawn again if its worker leaves and its job is paused`(
        _ isPausedBefore: Bool
    ) throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        if isPausedBefore { try pause(call.jobID, &bench) }
        bench.commitsAreHeld = true
        bench.join(1, held: [held(call)])
        bench.tell(.workerLeft(1))
        bench.releaseCommits()
        bench.pass(ms: 100)
        #expect(bench.store.executions[call.executionID] == nil)
        if !isPausedBefore { try pause(call.jobID, &bench) }
        bench.pass(ms: 20_000)
        #expect(bench.dispatched.count == 1)
        #expect(bench.dispatcher.inconsistency == nil)
    }

    private func pause(_ id: JobID, _ bench: inout DispatcherBench) throws {
        var paused = try #require(bench.store.jobs[id])
        paused.version += 1
        bench.tell(.changeRequested(9, .pause(paused)))
    }

    @Test func `an outcome restores its row although its time passed while the job was paused`() throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        try pause(call.jobID, &bench)
        bench.pass(ms: 20_000)
        bench.join(1)
        bench.report(call)
        expectCalledOnce(call, &bench)
    }

    @Test func `a corrected clock does not repeat a call`() throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        bench.outageReadsAreHeld = true
        bench.databaseAheadMs += 17_000
        while bench.time < call.scheduledTime || bench.heldOutages.isEmpty { bench.pass(ms: 50) }
        bench.pass(ms: 1_500)
        bench.join(1)
        bench.report(call)
        bench.outageReadsAreHeld = false
        for outage in bench.heldOutages { bench.tell(.outageRowsLoaded(bench.store.outageRows(outage), isLast: true)) }
        expectCalledOnce(call, &bench)
    }

    @Test func `an outcome counts for a row that was inserted again meanwhile`() throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        while bench.store.executions[call.executionID] == nil { bench.pass(ms: 50) }
        #expect(bench.time < call.scheduledTime)
        bench.join(1)
        bench.report(call)
        expectCalledOnce(call, &bench)
    }

    @Test(arguments: [false, true])
    func `a report about a row being inserted again waits until it is durable`(_ isHeld: Bool) throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        bench.pass(ms: 13_000)
        bench.commitsAreHeld = true
        while bench.time < call.scheduledTime - 100 { bench.pass(ms: 50) }
        #expect(bench.store.executions[call.executionID] == nil)
        bench.join(1, held: isHeld ? [held(call)] : [])
        if !isHeld { bench.report(call) }
        #expect(bench.acknowledged.isEmpty)
        bench.releaseCommits()
        if isHeld { bench.report(call) }
        expectCalledOnce(call, &bench)
    }

    @Test func `an outcome during the withdrawal of its row restores the row`() throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench, holdsWithdrawal: true)
        #expect(bench.store.executions[call.executionID]?.status == .pending)
        bench.join(1)
        bench.report(call)
        bench.releaseCommits()
        bench.pass(ms: 100)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        expectCalledOnce(call, &bench)
    }

    @Test func `a failed call with a withdrawn row is retried`() throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        bench.join(1)
        bench.report(call, status: 500)
        #expect(bench.store.executions[call.executionID]?.status == .retrying)
        bench.pass(ms: 5_000)
        let retry = try #require(bench.dispatched.last)
        #expect(retry.call.attempt == 2 && retry.call.executionID == call.executionID)
        bench.report(retry.call, over: retry.link)
        bench.pass(ms: 20_000)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        #expect(bench.dispatched.count { $0.call.executionID == call.executionID } == 2)
    }

    @Test func `a report does not create a row that no schedule could have created`() throws {
        var bench = DispatcherBench()
        let call = try callOfTheFuture(&bench)
        bench.join(1)
        var outcome = DispatcherBench.outcome(call)
        outcome.executionID = ExecutionID(
            job: call.jobID,
            scheduledTime: call.scheduledTime,
            trigger: .manual,
            nonce: [1]
        )
        bench.tell(.workerReported(1, [outcome]))
        #expect(bench.acknowledged == [call.token])
        bench.pass(ms: 100)
        #expect(bench.store.executions[outcome.executionID] == nil)
    }

    @Test func `rows withdrawn after a step back are missed when the clock is corrected`() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 1)
        var job = DispatcherBench.job(2, every: 2)
        job.catchUpPolicy = .all
        bench.create(job)
        bench.tell(.leaseConnectionLost("test"))
        bench.databaseAheadMs += 600_000
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        // Missed times are processed slowly, because nothing is reported. Current due times have their rows.
        bench.answerLead(1, slots: 1)
        bench.pass(ms: 20_000)
        let last = bench.time.milliseconds / 2_000 * 2_000
        bench.tell(.leaseConnectionLost("test"))
        bench.databaseAheadMs -= 17_000
        while !bench.dispatcher.isLeading { bench.pass(ms: 50) }
        bench.answerLead(1, slots: 1)
        bench.pass(ms: 2_500)
        let times = stride(from: last - 10_000, through: last, by: 2_000).map(Timestamp.init(milliseconds:))
        let ids = times.map { ExecutionID(job: job.id, scheduledTime: $0, trigger: .schedule) }
        #expect(ids.allSatisfy { bench.store.executions[$0] == nil })
        bench.databaseAheadMs += 17_000
        bench.pass(ms: 3_000)
        var reported = 0
        let end = bench.bootMs + 120_000
        bench.tell(.workerGranted(1, 10_000))
        while bench.bootMs < end {
            bench.pass(ms: 50)
            while reported < bench.dispatched.count {
                bench.report(bench.dispatched[reported].call)
                reported += 1
            }
        }
        #expect(ids.allSatisfy { bench.store.executions[$0] != nil })
        #expect(bench.dispatcher.inconsistency == nil)
    }
}
