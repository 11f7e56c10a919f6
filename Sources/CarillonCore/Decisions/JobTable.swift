/// All jobs of the led shards, and a heap of each job's next due time without a row.
struct JobTable: ~Copyable {
    private var jobs = SlotMap<JobRecord>()
    private var slots: [JobID: Int32] = [:]
    private var heap = TimerHeap()
    /// The number of jobs whose schedule creates executions.
    private(set) var activeCount = 0
    /// The number of listed jobs.
    private(set) var visibleCount = 0
    /// The number of jobs whose last execution failed.
    private(set) var lastFailedCount = 0
    /// Recently deleted jobs with the version of their deletion, so that an older re-read does not restore them.
    private var deletions = (recent: [JobID: Deletion](), older: [JobID: Deletion]())
    private var deletionsTurnAt = BootTime(nanoseconds: 0)

    var heapCount: Int { heap.count }
    var count: Int { slots.count }
    var allSlots: [Int32] { jobs.slots }

    func slot(of id: JobID) -> Int32? { slots[id] }

    subscript(slot: Int32) -> JobRecord {
        unsafeAddress { UnsafePointer(jobs.address(of: slot)) }
    }

    /// The earliest due time without a row.
    var firstTime: Timestamp? { heap.first.map { Timestamp(milliseconds: $0.time) } }
    var first: (time: Timestamp, slot: Int32)? {
        heap.first.map { (Timestamp(milliseconds: $0.time), $0.key) }
    }

    /// Adds a job or replaces its record. The counts of executions are kept.
    @discardableResult
    mutating func put(_ record: JobRecord) -> Int32 {
        guard let slot = slots[record.id] else {
            let slot = jobs.insert(record)
            slots[record.id] = slot
            count(record, by: 1)
            return slot
        }
        count(jobs[slot], by: -1)
        var record = record
        record.executionCount = jobs[slot].executionCount
        record.openCount = jobs[slot].openCount
        record.lastFailed = jobs[slot].lastFailed && !record.deleted
        jobs[slot] = record
        count(record, by: 1)
        return slot
    }

    /// The deletion of a job that is no longer in memory.
    private struct Deletion {
        var version: Int64
        /// When the job was removed from memory, after its deletion became durable.
        var forgottenAt: Timestamp

        /// Whether the row may be older than the deletion, including a row changed directly in the database.
        func follows(_ job: Job) -> Bool { job.version <= version || job.updatedAt <= forgottenAt }
    }

    /// Whether a row was read before the job's deletion was durable.
    func isDeleted(_ job: Job) -> Bool {
        (deletions.recent[job.id] ?? deletions.older[job.id])?.follows(job) ?? false
    }

    /// Forgets deletions after one to two minutes. A re-read is answered much earlier.
    mutating func forgetDeletions(at boot: BootTime) {
        guard boot >= deletionsTurnAt + 60_000 else { return }
        deletionsTurnAt = boot
        deletions = (recent: [:], older: deletions.recent)
    }

    /// Removes a deleted job and remembers the deletion for a while.
    mutating func removeDeleted(_ slot: Int32, at now: Timestamp) {
        deletions.recent[jobs[slot].id] = Deletion(version: jobs[slot].version, forgottenAt: now)
        remove(slot)
    }

    /// Removes a job that has no executions in the execution table.
    mutating func remove(_ slot: Int32) {
        heap.remove(slot)
        let record = jobs.remove(slot)
        count(record, by: -1)
        slots[record.id] = nil
    }

    /// Removes all jobs, but keeps recent deletions.
    mutating func removeAll() {
        let (deletions, turnAt) = (deletions, deletionsTurnAt)
        self = JobTable()
        (self.deletions, deletionsTurnAt) = (deletions, turnAt)
    }

    /// Removes a job from the heap while its schedule is being changed.
    mutating func hold(_ slot: Int32) {
        jobs[slot].isHeld = true
        heap.remove(slot)
    }

    /// Ends `hold`. The caller arms the job.
    mutating func release(_ slot: Int32) {
        jobs[slot].isHeld = false
    }

    /// Sets the job's next due time to the first one after `time`. A held job has none.
    mutating func arm(_ slot: Int32, after time: Timestamp) {
        if !jobs[slot].isHeld, let next = jobs[slot].next(after: time) {
            heap.set(slot, to: next.milliseconds)
        } else {
            heap.remove(slot)
        }
    }

    func nextTime(of slot: Int32) -> Timestamp? {
        heap.time(of: slot).map { Timestamp(milliseconds: $0) }
    }

    mutating func countExecution(_ slot: Int32, by difference: Int32) {
        jobs[slot].executionCount += difference
    }

    mutating func countOpen(_ slot: Int32, by difference: Int32) {
        jobs[slot].openCount += difference
    }

    mutating func setLastFailed(_ slot: Int32, _ failed: Bool) {
        guard jobs[slot].lastFailed != failed, !jobs[slot].deleted else { return }
        jobs[slot].lastFailed = failed
        lastFailedCount += failed ? 1 : -1
    }

    /// The first inconsistency of indexes, counts or timers; `nil` if there is none. For tests.
    var inconsistency: String? {
        guard jobs.isConsistent, heap.isConsistent else { return "the rows or the heap of the job table are broken" }
        let records = jobs.slots.map { ($0, jobs[$0]) }
        guard slots.count == records.count, records.allSatisfy({ slots[$0.1.id] == $0.0 }) else {
            return "the job table's index of jobs is wrong"
        }
        guard activeCount == records.count(where: { $0.1.isScheduled }),
            visibleCount == records.count(where: { !$0.1.isAdHoc && !$0.1.deleted }),
            lastFailedCount == records.count(where: { $0.1.lastFailed })
        else { return "the job table's counts of jobs are wrong" }
        for key in heap.keys {
            guard let time = heap.time(of: key), let record = jobs.row(key) else { return "a due time has no job" }
            let due = Timestamp(milliseconds: time)
            guard record.next(after: due - 1) == due, !record.isHeld else {
                return "\(record.id) waits for \(time), which is not a due time"
            }
        }
        return nil
    }

    private mutating func count(_ record: JobRecord, by difference: Int) {
        if record.isScheduled { activeCount += difference }
        if !record.isAdHoc && !record.deleted { visibleCount += difference }
        if record.lastFailed { lastFailedCount += difference }
    }
}
