import Testing

@testable import CarillonCore

/// The lookup of due times without computing execution ids.
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

    @Test func `a due time is found for its job only, until the execution is removed`() {
        var executionTable = ExecutionTable()
        let first = executionTable.insert(open(job, at: time))
        #expect(
            executionTable.holds(time, of: job) && !executionTable.holds(time, of: other)
                && !executionTable.holds(time + 1, of: job)
        )
        let second = executionTable.insert(open(other, at: time))
        _ = executionTable.remove(first)
        #expect(!executionTable.holds(time, of: job) && executionTable.holds(time, of: other))
        #expect(executionTable.inconsistency == nil)
        _ = executionTable.remove(second)
        #expect(!executionTable.holds(time, of: other) && executionTable.inconsistency == nil)
    }

    @Test func `a manual run is not a due time`() {
        var executionTable = ExecutionTable()
        let run = executionTable.insert(open(job, at: time, .manual))
        let isHeldByRun = executionTable.holds(time, of: job)
        #expect(!isHeldByRun)
        _ = executionTable.insert(open(job, at: time))
        _ = executionTable.remove(run)
        #expect(executionTable.holds(time, of: job) && executionTable.inconsistency == nil)
        executionTable.removeAll()
        #expect(!executionTable.holds(time, of: job) && executionTable.inconsistency == nil)
    }
}
