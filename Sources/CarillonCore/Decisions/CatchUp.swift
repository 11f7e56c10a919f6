/// The due times of an outage that are still to be accounted for (design § 5, Catch-up): which times count as missed, and
/// which job has the next of them.
struct CatchUp {
    /// What is noted in `shards`: everything after `from` may still lack its row, up to the outage's end.
    private(set) var outage: Outage
    /// The parts of the outage in which nothing was made: disjoint, ascending. Between them the live work went on.
    private var ranges: [Outage]
    /// What has a row already, from an earlier start at the same outage: by job, ascending.
    private var covered: [JobID: Coverage]
    /// Jobs by their next missed time.
    private var heap = TimerHeap()

    init(outage: Outage, ranges: [Outage]? = nil, covered: [JobID: [OutageRow]] = [:]) {
        self.outage = outage
        self.ranges = ranges ?? [outage]
        self.covered = covered.mapValues(Coverage.init)
    }

    var isEmpty: Bool { heap.isEmpty }

    /// A further outage: (from, to] is missed too. `from` is not before the end of the outage so far.
    mutating func extend(by range: Outage) {
        ranges.append(range)
        outage.to = range.to
    }

    /// Rows of a job that are there already.
    mutating func cover(_ job: JobID, _ rows: [OutageRow]) {
        covered[job] = Coverage((covered[job]?.rows ?? []) + rows)
    }

    /// Puts a job in line by its first missed time after `time`.
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

    /// A job's next missed time.
    func time(of slot: Int32) -> Timestamp? {
        heap.time(of: slot).map { Timestamp(milliseconds: $0) }
    }

    /// The clock went back: what lies in the future again was not missed.
    mutating func truncate(to time: Timestamp) {
        ranges = ranges.filter { $0.from < time }.map { Outage(from: $0.from, to: min($0.to, time)) }
        outage.to = min(outage.to, time)
        // What had a row after it may be withdrawn, and is looked for anew if it is ever missed again.
        covered = covered.compactMapValues { $0.truncated(to: time) }
    }

    /// The job with the earliest missed time.
    var first: (time: Timestamp, slot: Int32)? {
        heap.first.map { (Timestamp(milliseconds: $0.time), $0.key) }
    }

    /// Whether that lies in a part of the outage in which nothing was made.
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

    /// What of it contradicts itself, for tests.
    func inconsistency(in jobTable: borrowing JobTable) -> String? {
        guard heap.isConsistent else { return "the heap of missed times is broken" }
        for (range, next) in zip(ranges, ranges.dropFirst()) where next.from < range.to {
            return "the parts of an outage lie over each other: \(ranges)"
        }
        guard ranges.allSatisfy({ $0.from < $0.to && $0.to <= outage.to }) else {
            return "\(ranges) are no parts of \(outage)"
        }
        let jobs = Set(jobTable.allSlots)
        for key in heap.keys {
            guard jobs.contains(key), let time = time(of: key) else { return "a missed time has no job" }
            guard jobTable[key].isScheduled, next(after: time - 1, of: jobTable[key]) == time else {
                return "\(jobTable[key].id) is to make up for \(time.milliseconds), which it has not missed"
            }
        }
        return nil
    }

    /// Notes how far the outage is worked off; returns the outage as it is to be written, `nil` when it is closed.
    mutating func progress() -> Outage? {
        guard let first else { return nil }
        outage.from = max(outage.from, first.time - 1)
        return outage
    }
}

/// What the rows of one job account for.
private struct Coverage {
    let rows: [OutageRow]
    /// Ends of the rows, ascending, and the earliest beginning of any row from that one on.
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

    /// What of it begins at or before `time`; `nil` when nothing does.
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
