import Testing

@testable import CarillonCore

/// One batch is in flight at a time; the parts of a refused batch are sent before the pending one.
@Suite struct CommitLogTests {
    private let boot = BootTime(nanoseconds: 1_000_000_000)
    private let time = Timestamp(seconds: 1_000)

    private func row(_ second: Int64) -> Execution {
        let job = JobID(UniqueID(high: 0, low: 1))
        let time = Timestamp(seconds: second)
        return Execution(
            id: ExecutionID(job: job, scheduledTime: time, trigger: .schedule),
            jobID: job,
            trigger: .schedule,
            scheduledTime: time,
            status: .pending,
            createdAt: time
        )
    }

    private func batch(_ seconds: [Int64]) -> PendingBatch {
        var batch = PendingBatch()
        batch.inserts = seconds.map(row)
        return batch
    }

    @Test func `the next batch waits for the answer to the one in flight`() {
        var log = CommitLog()
        #expect(!log.isDue(at: boot, recordDelayMs: 0, isStopping: false))
        log.pending.inserts = [row(1)]
        #expect(log.isDue(at: boot, recordDelayMs: 0, isStopping: false))
        log.send(at: boot, through: time)
        log.pending.inserts = [row(2)]
        #expect(!log.isDue(at: boot + 1_000, recordDelayMs: 0, isStopping: true))
        let other = log.take(7)
        #expect(other == nil && log.inFlight != nil)
        let sent = log.take(1)
        #expect(sent?.batch.inserts.map(\.id) == [row(1).id] && sent?.materializedThrough == time)
        #expect(log.isDue(at: boot, recordDelayMs: 0, isStopping: false))
    }

    @Test func `only a batch that is durable counts as committed`() throws {
        var log = CommitLog()
        log.pending.inserts = [row(1)]
        log.send(at: boot, through: time)
        let refused = log.take(1)
        log.retry([try #require(refused).batch])
        #expect(log.committedSequence == 0)
        _ = log.sendPart(at: boot)
        let sent = log.take(2)
        log.noteCommit(of: try #require(sent))
        #expect(log.committedSequence == 2)
        log.begin(at: time, boot: boot)
        #expect(log.committedSequence == 0)
    }

    @Test func `a batch with only outcomes waits, unless the process is stopping`() {
        var log = CommitLog()
        log.begin(at: time, boot: boot)
        log.send(at: boot, through: time)
        _ = log.take(1)
        log.pending.updates = [PendingBatch.Update(execution: row(1))]
        #expect(!log.isDue(at: boot + 19, recordDelayMs: 20, isStopping: false))
        #expect(log.isDue(at: boot + 20, recordDelayMs: 20, isStopping: false))
        #expect(log.isDue(at: boot, recordDelayMs: 20, isStopping: true))
    }

    @Test func `parts of a refused batch are sent first, in order`() {
        var log = CommitLog()
        log.pending.inserts = [row(1), row(2), row(3)]
        log.send(at: boot, through: time)
        log.pending.inserts = [row(4)]
        let refused = log.take(1)?.batch
        log.retry(refused?.split() ?? [])
        #expect(!log.isDue(at: boot, recordDelayMs: 0, isStopping: false))
        var order: [[ExecutionID]] = []
        while log.sendPart(at: boot) {
            order.append(log.inFlight?.batch.inserts.map(\.id) ?? [])
            _ = log.take(UInt64(order.count) + 1)
        }
        #expect(order == [[row(1).id, row(2).id], [row(3).id]])
        #expect(log.isDue(at: boot, recordDelayMs: 0, isStopping: false))
    }

    @Test func `marks of a refused batch move to the batch written last`() {
        var refused = batch([1])
        (refused.materializedThrough, refused.outage, refused.workers) = (time, .some(nil), ["a"])
        var pending = PendingBatch()
        pending.workers = ["b"]
        pending.takeMarks(of: &refused, materializedThrough: time + 5, settledThrough: time)
        #expect(!refused.hasMarks && !refused.hasNoRows)
        #expect(pending.materializedThrough == time + 5 && pending.settledThrough == nil)
        #expect(pending.outage == .some(nil) && pending.workers == ["b"])
    }

    @Test func `a batch is split in the order of its transaction`() throws {
        var whole = batch([1, 2])
        whole.withdrawals = [row(9).id]
        whole.starts = []
        whole.updates = [PendingBatch.Update(execution: row(1))]
        whole.changes = ([1, 2] as [Int64]).map { second in
            let change = JobChange(job: nil, isNew: false, inserts: [row(second + 10)])
            return PendingBatch.Change(change: change, requestID: RequestID(second), result: nil)
        }
        let parts = try #require(whole.split())
        #expect(parts.count == 4)
        #expect(parts[0].inserts.count == 2 && parts[0].withdrawals.count == 1)
        #expect(parts[1].changes.map(\.requestID) == [1] && parts[2].changes.map(\.requestID) == [2])
        #expect(parts[3].updates.count == 1)
        #expect(batch([1]).split() == nil)
    }

    @Test func `an execution that is being inserted must be in a batch`() {
        let open = OpenExecution(execution: row(1), job: 0, state: .inserting)
        var log = CommitLog()
        #expect(log.inconsistency(of: [open]) != nil)
        log.pending.inserts = [row(1)]
        #expect(log.inconsistency(of: [open]) == nil)
        log.send(at: boot, through: time)
        #expect(log.inconsistency(of: [open]) == nil)
        _ = log.take(1)
        #expect(log.inconsistency(of: [open]) != nil)
    }
}
