import Testing

@testable import CarillonCore

/// What the ledger knows of due times without making an id of each.
@Suite struct ExecutionTableTests {
    private let time = Timestamp(seconds: 1_000)
    private let job = JobID(UniqueID(high: 1, low: 1))
    private let other = JobID(UniqueID(high: 1, low: 2))

    private func open(_ job: JobID, at time: Timestamp, _ trigger: Trigger = .schedule) -> OpenExecution {
        let execution = Execution(
            id: ExecutionID(job: job, scheduledTime: time, trigger: trigger),
            jobID: job,
            trigger: trigger,
            scheduledTime: time,
            status: .pending,
            createdAt: time
        )
        return OpenExecution(execution: execution, job: 0, state: .inserting)
    }

    @Test func aDueTimeIsHeldForItsJobAloneAndUntilItsEnd() {
        var ledger = ExecutionTable()
        let first = ledger.insert(open(job, at: time))
        #expect(ledger.holds(time, of: job) && !ledger.holds(time, of: other) && !ledger.holds(time + 1, of: job))
        let second = ledger.insert(open(other, at: time))
        _ = ledger.remove(first)
        #expect(!ledger.holds(time, of: job) && ledger.holds(time, of: other))
        #expect(ledger.inconsistency == nil)
        _ = ledger.remove(second)
        #expect(!ledger.holds(time, of: other) && ledger.inconsistency == nil)
    }

    @Test func aRunByHandIsNoDueTime() {
        var ledger = ExecutionTable()
        let run = ledger.insert(open(job, at: time, .manual))
        #expect(!ledger.holds(time, of: job))
        _ = ledger.insert(open(job, at: time))
        _ = ledger.remove(run)
        #expect(ledger.holds(time, of: job) && ledger.inconsistency == nil)
        ledger.removeAll()
        #expect(!ledger.holds(time, of: job) && ledger.inconsistency == nil)
    }
}
