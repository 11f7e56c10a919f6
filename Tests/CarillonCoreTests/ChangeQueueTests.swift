import Testing

@testable import CarillonCore

/// At most one staged change per job, and the requests queued after it.
@Suite struct ChangeQueueTests {
    private let zero = Timestamp(milliseconds: 0)

    private func job(_ number: UInt64) -> Job {
        Job(
            id: JobID(UniqueID(high: 0, low: number)),
            schedule: "@every 1s",
            call: HTTPCall(url: "http://target/"),
            effectiveFrom: zero,
            createdAt: zero,
            updatedAt: zero
        )
    }

    private func staged(_ number: UInt64, at time: Timestamp? = nil) -> StagedChange {
        StagedChange(record: JobRecord(PlannedJob(job: job(number), plan: nil)), restartedAt: time)
    }

    private func requestID(_ request: ChangeQueue.Request?) -> RequestID? {
        if case .asked(_, let requestID) = request { requestID } else { nil }
    }

    @Test func `requests of one job wait in order; those of another job do not wait`() throws {
        var queue = ChangeQueue()
        let (first, second) = (job(1), job(2))
        #expect(!queue.isBusy(first.id))
        queue.stage(staged(1))
        #expect(queue.isBusy(first.id) && !queue.isBusy(second.id))
        for requestID in 5...7 as ClosedRange<RequestID> {
            queue.enqueue(.asked(.pause(first), requestID), for: first.id)
        }
        let early = queue.dequeue(first.id)
        #expect(early == nil)
        #expect(queue.unstage(first.id) != nil)
        #expect(queue.isBusy(first.id))
        var order: [RequestID?] = []
        while let next = queue.dequeue(first.id) { order.append(requestID(next)) }
        #expect(order == [5, 6, 7])
        #expect(queue.isEmpty)
    }

    @Test func `request ids are taken once, and the requests stay queued`() {
        var queue = ChangeQueue()
        queue.stage(staged(1))
        queue.enqueue(.asked(.pause(job(1)), 6), for: job(1).id)
        queue.enqueue(.asked(.delete(job(1)), 5), for: job(1).id)
        #expect(queue.hasRequestIDs)
        let requestIDs = queue.takeRequestIDs()
        #expect(requestIDs == [5, 6])
        #expect(!queue.hasRequestIDs)
        let again = queue.takeRequestIDs()
        #expect(again.isEmpty)
        _ = queue.unstage(job(1).id)
        guard case .asked(.pause, nil) = queue.dequeue(job(1).id), case .asked(.delete, nil) = queue.dequeue(job(1).id)
        else {
            Issue.record("the requests are no longer queued")
            return
        }
    }

    @Test func `an outage affects staged schedule changes until they are settled`() {
        var queue = ChangeQueue()
        queue.stage(staged(1, at: zero + 5))
        queue.stage(staged(2, at: zero + 3))
        queue.stage(staged(3))
        #expect(queue.earliestRestart == zero + 3 && !queue.hasMissedTimes)
        queue.noteMissedTimes()
        queue.noteMissedTimes()
        #expect(queue.hasMissedTimes)
        #expect(queue[job(1).id]?.hasMissedTimes == true && queue[job(3).id]?.hasMissedTimes == false)
        for number in 1...2 as ClosedRange<UInt64> { _ = queue.unstage(job(number).id) }
        #expect(!queue.hasMissedTimes && queue.earliestRestart == nil)
        #expect(queue.inconsistency(written: [job(3).id]) == nil)
    }

    @Test func `each staged change must be in one batch`() {
        var queue = ChangeQueue()
        queue.stage(staged(1))
        #expect(queue.inconsistency(written: []) != nil)
        #expect(queue.inconsistency(written: [job(1).id, job(1).id]) != nil)
        #expect(queue.inconsistency(written: [job(1).id]) == nil)
    }

    @Test func `a step back of the clock moves the cursor of a staged change back`() {
        var change = staged(1, at: zero + 10_000)
        change.through = zero + 12_000
        change.clockWentBack(to: zero + 11_000)
        #expect(change.cursor == zero + 10_000 && change.through == zero + 11_000)
        change.clockWentBack(to: zero + 4_000)
        #expect(change.cursor == zero + 4_000 && change.through == zero + 4_000)
    }
}
