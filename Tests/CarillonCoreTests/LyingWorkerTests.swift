import CarillonCore
import TestSupport
import Testing

/// Workers with false reports: they change only calls that were dispatched to them, and nothing crashes.
@Suite struct LyingWorkerTests {
    private let job = DispatcherBench.job(1, every: 3_600)

    private func once(_ number: UInt64 = 1) -> Job {
        var job = DispatcherBench.job(number, every: 3_600)
        job.executionType = .atMostOnce
        return job
    }

    /// Runs a job manually and returns the dispatched call.
    private func call(of job: Job, _ bench: inout DispatcherBench) throws -> DispatchedCall {
        bench.create(job)
        bench.run(job, requestID: 1)
        return try #require(bench.dispatched.last?.call)
    }

    private static let extremes: [UInt64] = [
        1 << 31, 1 << 53, 1 << 58, 1 << 62, (1 << 63) - 1, 1 << 63, .max - 2, .max,
    ]

    @Test(arguments: extremes) func `out-of-range numbers are clamped to the duration of the call`(number: UInt64)
        throws
    {
        for field in 0..<3 {
            var bench = DispatcherBench()
            bench.lead()
            bench.tell(
                .workerClockRead(1, microseconds: number, sentAt: BootTime(nanoseconds: 0), receivedAt: bench.now.boot)
            )
            let call = try call(of: job, &bench)
            let dispatched = bench.time
            bench.pass(ms: 500)
            var outcome = DispatcherBench.outcome(call)
            outcome.retryAfterMs = number
            switch field {
            case 0: outcome.startedAfterMicroseconds = number
            case 1: outcome.durationMicroseconds = number
            default: outcome.startedClockMicroseconds = number
            }
            bench.tell(.workerReported(1, [outcome]))
            let row = try #require(bench.store.executions[call.executionID])
            let start = try #require(row.actualStartTime)
            let end = try #require(row.finishedAt)
            #expect(row.status == .success)
            #expect(dispatched <= start && start <= end && end <= bench.time)
            #expect((0...500_000).contains(row.durationMicroseconds ?? -1))
        }
    }

    @Test func `an outcome with a wrong shard is rejected`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: once(), &bench)
        var outcome = DispatcherBench.outcome(call)
        outcome.shard &+= 1
        bench.tell(.workerReported(1, [outcome]))
        #expect(bench.results[call.token] == .notIssued)
        #expect(bench.store.executions[call.executionID]?.status == .running)
        bench.report(call)
        #expect(bench.store.executions[call.executionID]?.status == .success)
    }

    @Test(arguments: [OutcomeKind.notStarted, .answered, .cancelled, .failed])
    func `another worker's report about a call has no effect`(kind: OutcomeKind) throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: once(), &bench)
        bench.join(2, name: "liar")
        bench.report(call, over: 2, kind)
        #expect(bench.results[call.token] == .notIssued)
        #expect(bench.dispatched.count == 1)
        bench.report(call)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        #expect(bench.dispatched.count == 1)
    }

    @Test func `a worker cannot take over another worker's call by reporting it as held`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        let held = HeldCall(
            token: call.token,
            code: call.code,
            shard: call.shard,
            executionID: call.executionID,
            jobID: call.jobID,
            attempt: 1
        )
        bench.join(2, name: "liar", held: [held])
        bench.tell(.workerLeft(2))
        bench.pass(ms: 3_000)
        #expect(bench.dispatched.count == 1)
        #expect(bench.cancelled == [call.token])
    }

    @Test func `a token that was never issued has no effect`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: once(), &bench)
        for change in 0..<5 {
            var lie = DispatcherBench.outcome(call, .notStarted)
            switch change {
            case 0: lie.token.sequence += 1
            case 1: lie.token.epoch += 1
            case 2: lie.token.incarnation &+= 1
            case 3: lie.attempt += 1
            default: lie.jobID = JobID(UniqueID(high: 0, low: 99))
            }
            bench.tell(.workerReported(1, [lie]))
            #expect(bench.results[lie.token] == .notIssued, "\(change)")
        }
        #expect(bench.dispatched.count == 1)
    }

    @Test func `a started call of AT_MOST_ONCE that is reported as not started is UNKNOWN`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: once(), &bench)
        bench.tell(.workerStarted(1, [call.token]))
        bench.report(call, .notStarted)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .unknown && row.reason == .outcomeLost)
        #expect(bench.results[call.token] == .invalid)
        #expect(bench.dispatched.count == 1)
    }

    @Test func `a started call that is reported as not started costs an attempt`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        bench.tell(.workerStarted(1, [call.token]))
        bench.report(call, .notStarted)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .retrying && row.attempts == 1)
    }

    @Test func `a call started under an earlier leader and reported as not started costs an attempt`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        bench.tell(.workerStarted(1, [call.token]))
        bench.loseLead()
        bench.report(call, .notStarted)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .retrying && row.attempts == 1)
        #expect(bench.results[call.token] == .invalid)
    }

    @Test func `a call reported as cancelled without a cancel request is a failed attempt`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        bench.report(call, .cancelled)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .retrying && row.attempts == 1)
        #expect(bench.results[call.token] == .invalid)
    }

    @Test(arguments: [nil, 0, 99, 600, 70_000] as [Int?])
    func `a response without a valid HTTP status is a failure with that message`(status: Int?) throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        bench.report(call, .answered, status: status)
        let attempt = try #require(bench.store.attempts.last)
        #expect(attempt.httpStatus == nil)
        #expect(attempt.errorMessage?.contains("HTTP status") == true)
        #expect(bench.results[call.token] == .invalid)
    }

    @Test func `a text beyond the limit is cut`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        var outcome = DispatcherBench.outcome(call)
        outcome.response = String(repeating: "é", count: 3_000_000)
        bench.tell(.workerReported(1, [outcome]))
        #expect(bench.store.executions[call.executionID]?.response?.utf8.count == 4_096)
    }

    @Test func `a worker that never reports gets a cancel and then loses the call`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        bench.pass(ms: Int64(call.timeoutMs) + 9_000)
        #expect(bench.cancelled.isEmpty)
        bench.pass(ms: 2_000)
        #expect(bench.cancelled == [call.token])
        bench.join(2, name: "other")
        bench.pass(ms: 10_000)
        let again = try #require(bench.dispatched.last)
        #expect(bench.dispatched.count == 2 && again.link == 2)
        bench.report(again.call, over: 2)
        let row = try #require(bench.store.executions[call.executionID])
        #expect(row.status == .success && row.attempts == 1 && row.lostAttempts == 1)
        #expect(bench.dispatcher.counters.overdueCalls == 1)
    }

    @Test func `a second process with a connected worker's name is rejected`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        bench.tell(.workerJoined(2, name: "worker", bootID: UniqueID(high: 0, low: 2), maxWorkers: 5))
        #expect(bench.refused == [2])
        bench.report(call)
        #expect(bench.store.executions[call.executionID]?.status == .success)
        bench.tell(.workerLeft(1))
        bench.tell(.workerJoined(3, name: "worker", bootID: UniqueID(high: 0, low: 2), maxWorkers: 5))
        #expect(bench.refused == [2])
        #expect(bench.leads.last == 3)
    }

    @Test func `a worker with an unchanged credit gets calls after a second Lead`() throws {
        var bench = DispatcherBench()
        bench.lead(slots: 4)
        bench.create(job)
        bench.loseLead()
        bench.tell(.workerHeld(1, epoch: bench.store.shards[0].epoch, []))
        bench.run(job, requestID: 1)
        #expect(bench.dispatched.isEmpty)
        bench.pass(ms: 2_500)
        #expect(bench.dispatched.count == 1)
    }

    @Test func `a proven later epoch is exceeded; an invented one is ignored`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let epoch = bench.store.shards[0].epoch
        bench.tell(.workerRefusedLead(1, epoch: epoch, highest: LeadProof(epoch: epoch + 500_000_000, incarnation: 3)))
        #expect(bench.store.shards[0].epoch == epoch)
        #expect(bench.dispatcher.disobedientWorkers.map(\.epoch) == [epoch + 500_000_000])
        let key = ClusterKey(secret: bench.store.shards[0].clusterSecret ?? [])
        let proof = key.proof(epoch: epoch + 900_000_000, incarnation: 3)
        let proven = LeadProof(epoch: epoch + 900_000_000, incarnation: 3, proof: proof)
        bench.tell(.workerRefusedLead(1, epoch: epoch, highest: proven))
        #expect(bench.store.shards[0].epoch > epoch + 900_000_000)
        #expect(bench.dispatcher.isLeading == true)
    }

    @Test func `a refusal with the current epoch does not restart the lease`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let shard = bench.store.shards[0]
        let key = ClusterKey(secret: shard.clusterSecret ?? [])
        let proof = key.proof(epoch: shard.epoch, incarnation: shard.incarnation)
        let own = LeadProof(epoch: shard.epoch, incarnation: shard.incarnation, proof: proof)
        bench.tell(.workerRefusedLead(1, epoch: shard.epoch, highest: own))
        #expect(bench.store.shards[0].epoch == shard.epoch)
    }

    @Test func `a call reported alternately on two connections keeps its deadline`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        let held = HeldCall(
            token: call.token,
            code: call.code,
            shard: call.shard,
            executionID: call.executionID,
            jobID: call.jobID,
            attempt: 1
        )
        bench.join(2)
        for turn in 0..<5 {
            bench.pass(ms: 10_000)
            bench.tell(.workerHeld(ConnectionID(1 + turn % 2), epoch: bench.store.shards[0].epoch, [held]))
        }
        bench.pass(ms: 2_000)
        #expect(bench.dispatcher.counters.overdueCalls == 1)
    }

    @Test func `a worker that returns its calls gets them again only after a delay`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        for _ in 0..<20 {
            if let last = bench.dispatched.last { bench.report(last.call, .notStarted) }
        }
        #expect(bench.dispatched.count <= 5)
        bench.pass(ms: 1_100)
        let again = try #require(bench.dispatched.last)
        bench.report(again.call)
        #expect(bench.store.executions[call.executionID]?.status == .success)
    }

    @Test func `a worker that takes calls and disconnects loses one attempt per heartbeat`() throws {
        var bench = DispatcherBench()
        bench.lead()
        let call = try call(of: job, &bench)
        for boot in 2...9 as ClosedRange<UInt64> { bench.join(ConnectionID(boot), boot: boot) }
        #expect(bench.store.executions[call.executionID]?.status == .pending)
        #expect(bench.dispatched.count == 1)
        bench.pass(ms: 2_000)
        #expect(bench.dispatched.count == 2)
    }

    @Test func `a claim without a known time is not dispatched again`() throws {
        var bench = DispatcherBench()
        bench.lead()
        var job = once()
        job.maxRetries = 3
        let first = try call(of: job, &bench)
        bench.report(first, .notSent)
        bench.pass(ms: 2_500)
        let second = try #require(bench.dispatched.last?.call)
        #expect(second.attempt == 2)
        bench.loseLead([.workerLeft(1)])
        bench.join(2)
        bench.pass(ms: 3_000)
        let query = try #require(bench.queried.last)
        bench.tell(.workerAnsweredClaims(2, rememberedMs: .max, [AnsweredClaim(query.claim, .neverBegun)]))
        bench.pass(ms: 1_000)
        #expect(bench.dispatched.count == 2)
    }
}
