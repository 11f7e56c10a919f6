import Testing

@testable import CarillonCore

/// The values that the dispatcher is composed of, tested separately.
@Suite struct DispatcherPartsTests {
    private let boot = BootTime(nanoseconds: 5_000_000_000)
    private let time = Timestamp(seconds: 1_000)
    private let job = JobID(UniqueID(high: 0, low: 1))

    private func token(_ sequence: UInt64) -> DispatchToken {
        DispatchToken(epoch: 1, sequence: sequence, incarnation: 0)
    }

    private func held(_ sequence: UInt64) -> HeldCall {
        HeldCall(
            token: token(sequence),
            code: AuthenticationCode(high: 0, low: 0),
            shard: job.shard,
            executionID: ExecutionID(job: job, scheduledTime: time + Int64(sequence) * 1_000, trigger: .schedule),
            jobID: job,
            attempt: 1
        )
    }

    // MARK: Materializer

    @Test func `materialization pauses at the limit of open executions and resumes below nine tenths`() {
        var materializer = Materializer()
        #expect(materializer.admits(99, limit: 100) == (true, false))
        #expect(materializer.admits(100, limit: 100) == (false, true))
        #expect(materializer.admits(100, limit: 100) == (false, false))
        #expect(materializer.admits(91, limit: 100) == (false, false))
        #expect(materializer.admits(90, limit: 100) == (true, false))
        #expect(materializer.admits(100, limit: 100) == (false, true))
    }

    @Test func `the earliest abandoned execution counts until the next leadership`() {
        var materializer = Materializer()
        materializer.abandon(held(5).executionID)
        materializer.abandon(held(2).executionID)
        materializer.abandon(held(7).executionID)
        #expect(materializer.abandonedTime == time + 2_000)
        materializer.begin(at: time)
        #expect(materializer.abandonedTime == nil && materializer.materializedThrough == time)
    }

    // MARK: Backlog

    @Test func `the rows of an outage are read after all earlier decisions are durable`() {
        var backlog = Backlog()
        let outage = Outage(from: time, to: time + 9_000)
        let number = backlog.awaitReading(of: outage)
        let rows = [OutageRow(jobID: job, from: time, to: time)]
        let early = backlog.read(rows, isLast: true)
        #expect(early == nil && !backlog.isReading)
        let other = backlog.beginReading(number + 1)
        #expect(other == nil)
        let asked = backlog.beginReading(number)
        #expect(asked == outage && backlog.isReading)
        _ = backlog.read(rows, isLast: false)
        let again = backlog.readFailed()
        #expect(again == outage)
        _ = backlog.read(rows, isLast: false)
        let all = backlog.read(rows, isLast: true)
        #expect(all?[job]?.count == 2 && backlog.outageScan == nil)
    }

    @Test func `a scan that ends early leaves an answer to ignore only if the store was asked`() {
        var backlog = Backlog()
        _ = backlog.awaitReading(of: Outage(from: time, to: time + 1))
        let first = backlog.endReading()
        #expect(!first)
        let number = backlog.awaitReading(of: Outage(from: time, to: time + 1))
        _ = backlog.beginReading(number)
        let second = backlog.endReading()
        #expect(second && backlog.outageScan == nil)
    }

    // MARK: Recovery

    @Test func `a recovery ends after two seconds, or when all workers that may hold calls have answered`() {
        let roster = WorkerRoster()
        let all = Recovery(at: boot, workers: nil)
        #expect(!all.isOver(at: boot + 1_999, roster) && all.isOver(at: boot + 2_000, roster))
        #expect(Recovery(at: boot, workers: []).isOver(at: boot, roster))
        #expect(!Recovery(at: boot, workers: ["absent"]).isOver(at: boot, roster))
    }

    // MARK: Reports

    @Test func `a repeated report is kept once and stays marked as recreated`() {
        var inbox = ReportInbox()
        inbox.keep(held(2), from: 1, isRecreated: true)
        inbox.keep(held(1), from: 1)
        inbox.keep(held(2), from: 4)
        #expect(inbox.executions == [held(1).executionID, held(2).executionID])
        let (kept, outcomes) = inbox.takeAll()
        #expect(kept.map(\.call.token) == [token(1), token(2)] && outcomes.isEmpty)
        #expect(kept.last?.link == 4 && kept.last?.isRecreated == true)
        #expect(inbox.isEmpty)
    }

    @Test func `a late report is looked up once at a time, for the connection that it came over last`() {
        var inbox = ReportInbox()
        let first = inbox.beginLookup(token(1), from: 1)
        let second = inbox.beginLookup(token(1), from: 2)
        #expect(first && !second)
        #expect(inbox.endLookup(token(1)) == 2)
        #expect(inbox.endLookup(token(1)) == nil)
    }

    // MARK: Worker pool

    @Test func `each leader numbers its tokens from 1`() {
        var pool = WorkerPool()
        let numbers = (0..<3).map { _ in pool.takeTokenSequence() }
        #expect(numbers == [1, 2, 3])
        pool.begin()
        let first = pool.takeTokenSequence()
        #expect(first == 1)
    }

    @Test func `starvation starts with the first check without a free slot and ends with a free slot`() {
        var pool = WorkerPool()
        pool.noteStarvation(true, since: 0, at: boot)
        pool.noteStarvation(true, since: 0, at: boot + 500)
        #expect(pool.starvedSince == boot)
        pool.noteStarvation(false, since: 0, at: boot + 600)
        #expect(pool.starvedSince == nil)
    }

    // MARK: Leadership

    @Test func `answers to reads of an earlier leadership are stale, in order`() {
        var leadership = Leadership(leaseMs: 5_000)
        leadership.staleLoads = 1
        let part = leadership.isStale(false)
        let last = leadership.isStale(true)
        let next = leadership.isStale(true)
        #expect(part && last && !next)
    }

    @Test func `cluster time does not go back with an earlier event`() {
        var leadership = Leadership(leaseMs: 5_000)
        _ = leadership.clock.sample(time, sent: boot, received: boot)
        leadership.advance(to: boot + 1_000)
        let now = leadership.now
        leadership.advance(to: boot)
        #expect(leadership.now == now && now >= time + 900)
    }
}
