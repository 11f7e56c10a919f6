/// The due times of an outage that still need a row: which times are missed, and which job has the next one.
struct CatchUp {
    /// The outage as stored in `shards`: due times after `from` may still lack their row, up to the end of the outage.
    private(set) var outage: Outage
    /// The intervals of the outage in which no row was inserted: disjoint, ascending. Between them materialization
    /// continued.
    private var ranges: [Outage]
    /// Rows that already exist within the outage, by job.
    private var covered: [JobID: Coverage]
    /// Jobs by their next missed time.
    private var heap = TimerHeap()

    init(outage: Outage, ranges: [Outage]? = nil, covered: [JobID: [OutageRow]] = [:]) {
        self.outage = outage
        self.ranges = ranges ?? [outage]
        self.covered = covered.mapValues(Coverage.init)
    }

    var isEmpty: Bool { heap.isEmpty }

    /// Adds a further outage: times in (from, to] are missed too. `from` must not be before the end of the current
    /// outage.
    mutating func extend(by range: Outage) {
        ranges.append(range)
        outage.to = range.to
    }

    /// Registers existing rows of a job.
    mutating func cover(_ job: JobID, _ rows: [OutageRow]) {
        covered[job] = Coverage((covered[job]?.rows ?? []) + rows)
    }

    /// Schedules a job by its first missed time after `time`.
    mutating func arm(_ slot: Int32, _ record: JobRecord, after time: Timestamp) {
        if let next = next(after: max(time, outage.from), of: record) {
            heap.set(slot, to: next.milliseconds)
        } else {
            heap.remove(slot)
        }
    }

    mutating func disarm(_ slot: Int32) {
        heap.remove(slot)
    }

    func isArmed(_ slot: Int32) -> Bool {
        heap.time(of: slot) != nil
    }

    /// The next missed time of a job.
    func time(of slot: Int32) -> Timestamp? {
        heap.time(of: slot).map { Timestamp(milliseconds: $0) }
    }

    /// The clock stepped back: times that lie in the future again were not missed.
    mutating func truncate(to time: Timestamp) {
        ranges = ranges.filter { $0.from < time }.map { Outage(from: $0.from, to: min($0.to, time)) }
        outage.to = min(outage.to, time)
        // Rows after `time` may be withdrawn. A later outage reads them again.
        covered = covered.compactMapValues { $0.truncated(to: time) }
    }

    /// The job with the earliest missed time.
    var first: (time: Timestamp, slot: Int32)? {
        heap.first.map { (Timestamp(milliseconds: $0.time), $0.key) }
    }

    /// Whether the time lies in an interval without materialization.
    func isMissed(_ time: Timestamp) -> Bool { ranges.contains { $0.from < time && time <= $0.to } }

    /// The first missed time of a job after `time` that has no row.
    func next(after time: Timestamp, of record: JobRecord) -> Timestamp? {
        var floor = time
        let rows = covered[record.id]
        while let found = record.next(after: floor) {
            guard let range = ranges.first(where: { found <= $0.to }) else { return nil }
            if found <= range.from {
                floor = range.from
                continue
            }
            if let rows, rows.covers(found) {
                floor = found
                continue
            }
            return found
        }
        return nil
    }

    /// The first violated invariant; `nil` if there is none. For tests.
    func inconsistency(in jobTable: borrowing JobTable) -> String? {
        guard heap.isConsistent else { return "the heap of missed times is inconsistent" }
        for (range, next) in zip(ranges, ranges.dropFirst()) where next.from < range.to {
            return "the intervals of the outage overlap: \(ranges)"
        }
        guard ranges.allSatisfy({ $0.from < $0.to && $0.to <= outage.to }) else {
            return "the intervals \(ranges) are not within \(outage)"
        }
        let jobs = Set(jobTable.allSlots)
        for key in heap.keys {
            guard jobs.contains(key), let time = time(of: key) else { return "a missed time has no job" }
            guard jobTable[key].isScheduled, next(after: time - 1, of: jobTable[key]) == time else {
                return "\(jobTable[key].id) catches up on \(time.milliseconds), which was not missed"
            }
        }
        return nil
    }

    /// Records the progress of the catch-up. Returns the outage to store; `nil` when it is closed.
    mutating func progress() -> Outage? {
        guard let first else { return nil }
        outage.from = max(outage.from, first.time - 1)
        return outage
    }
}

/// The due times covered by the rows of one job.
private struct Coverage {
    let rows: [OutageRow]
    /// The ends of the rows, ascending; and for each row the earliest beginning of this and all later rows.
    private var ends: [Timestamp] = []
    private var beginnings: [Timestamp] = []

    init(_ rows: [OutageRow]) {
        let rows = rows.sorted { $0.to < $1.to }
        self.rows = rows
        ends = rows.map(\.to)
        beginnings = rows.map(\.from)
        for index in beginnings.indices.dropLast().reversed() {
            beginnings[index] = min(beginnings[index], beginnings[index + 1])
        }
    }

    /// The rows that begin at or before `time`, cut there; `nil` if there are none.
    func truncated(to time: Timestamp) -> Coverage? {
        guard let last = rows.last, last.to > time else { return self }
        let kept = rows.filter { $0.from <= time }
            .map { OutageRow(jobID: $0.jobID, from: $0.from, to: min($0.to, time)) }
        return kept.isEmpty ? nil : Coverage(kept)
    }

    /// Whether a row begins at or before `time` and ends at or after it.
    func covers(_ time: Timestamp) -> Bool {
        var (low, high) = (0, ends.count)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low < ends.count && beginnings[low] <= time
    }
}
