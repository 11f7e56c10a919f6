import CarillonCore
import TestSupport
import Testing

@Suite("Rows read by requests, and runs without a row")
struct RowReadTests {
    private let job = DispatcherBench.job(1, every: 3_600, name: "first")

    /// A leader that knows the job. The job's row was changed with SQL.
    private func edited() throws -> (row: Job, bench: Cell) {
        let cell = Cell()
        cell.bench.lead()
        cell.bench.create(job)
        var row = try #require(cell.bench.store.jobs[job.id])
        row.description = "by hand"
        let edited = cell.bench.store.editByHand(row, now: cell.bench.time)
        return (try #require(edited), cell)
    }

    private final class Cell {
        var bench = DispatcherBench()
    }

    private func update(_ row: Job) -> ChangeRequest {
        var changed = row
        changed.version += 1
        changed.priority = 5
        return .update(DispatcherBench.planned(changed), scheduleChanged: false)
    }

    @Test("a change of a row newer than memory is stale until the dispatcher gets the row")
    func toldFirst() throws {
        let (row, cell) = try edited()
        cell.bench.tell(.changeRequested(1, update(row)))
        #expect(isStale(cell.bench.replies.last?.result))
        cell.bench.tell(.jobRead(DispatcherBench.planned(row)))
        let adopted = try #require(cell.bench.store.jobs[job.id])
        #expect(adopted.version == row.version + 1)
        #expect(adopted.description == "by hand")
        cell.bench.tell(.changeRequested(2, update(adopted)))
        guard case .job(let changed)? = cell.bench.replies.last?.result else {
            Issue.record("not changed: \(cell.bench.replies)")
            return
        }
        #expect(changed.description == "by hand" && changed.priority == 5)
    }

    @Test("a change after a row waits until the row is committed")
    func waits() throws {
        let (row, cell) = try edited()
        cell.bench.commitsAreHeld = true
        cell.bench.tell(.jobRead(DispatcherBench.planned(row)))
        let count = cell.bench.replies.count
        cell.bench.tell(.changeRequested(1, update(row)))
        #expect(cell.bench.replies.count == count)
        cell.bench.releaseCommits()
        #expect(isStale(cell.bench.replies.last?.result))
    }

    @Test("a row that is not newer than memory changes nothing")
    func notNewer() throws {
        let cell = Cell()
        cell.bench.lead()
        cell.bench.create(job)
        let row = try #require(cell.bench.store.jobs[job.id])
        var planned = DispatcherBench.planned(row)
        planned.job.version -= 1
        cell.bench.tell(.jobRead(planned))
        #expect(cell.bench.store.jobs[job.id] == row)
    }

    @Test("a standby ignores rows")
    func standby() {
        let cell = Cell()
        cell.bench.leasesAreHeld = true
        cell.bench.tell(.jobRead(DispatcherBench.planned(job)))
        #expect(cell.bench.dispatcher.jobCount == 0)
    }

    @Test("a run of an unknown or ad-hoc job is stale")
    func unknown() {
        let cell = Cell()
        cell.bench.lead(slots: 0)
        cell.bench.run(job, requestID: 1)
        #expect(isStale(cell.bench.replies.last?.result))
        var adHoc = job
        adHoc.isAdHoc = true
        let nonce = UniqueID(high: 2, low: 2)
        let call = ChangeRequest.executeNow(DispatcherBench.planned(adHoc), wait: true, nonce: nonce)
        cell.bench.tell(.changeRequested(2, call))
        cell.bench.run(job, requestID: 3)
        #expect(cell.bench.replies.last?.requestID == 3)
        #expect(isStale(cell.bench.replies.last?.result))
    }

    private func isStale(_ result: ChangeResult?) -> Bool {
        if case .stale? = result { true } else { false }
    }
}
