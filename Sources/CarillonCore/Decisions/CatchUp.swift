/// The due times of an outage that are still to be accounted for (design § 5, Catch-up): which times count as missed, and
/// which job has the next of them.
struct CatchUp {
    /// What is noted in `shards`: everything after `from` may still lack its row, up to the outage's end.
    private(set) var gap: Gap
    /// The parts of the gap in which nothing was made: disjoint, ascending. Between them the live work went on.
    private var ranges: [Gap]
    /// What has a row already, from an earlier start at the same gap: by job, ascending.
    private var covered: [JobID: [GapRow]]
    /// Jobs by their next missed time.
    private var heap = TimerHeap()

    init(gap: Gap, ranges: [Gap]? = nil, covered: [JobID: [GapRow]] = [:]) {
        self.gap = gap
        self.ranges = ranges ?? [gap]
        self.covered = covered
    }

    var isEmpty: Bool { heap.isEmpty }
    var jobCount: Int { heap.count }

    /// A further outage: (from, to] is missed too. `from` is not before the end of the gap so far.
    mutating func extend(by range: Gap) {
        ranges.append(range)
        gap.to = range.to
    }

    /// Puts a job in line by its first missed time after `time`.
    mutating func arm(_ slot: Int32, _ record: JobRecord, after time: Timestamp) {
        if let next = next(after: max(time, gap.from), of: record) {
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

    /// The job with the earliest missed time.
    var first: (time: Timestamp, slot: Int32)? {
        heap.first.map { (Timestamp(milliseconds: $0.time), $0.key) }
    }

    /// The first missed time of a job after `time` that has no row.
    func next(after time: Timestamp, of record: JobRecord) -> Timestamp? {
        var floor = time
        let rows = covered[record.id]
        search: while let found = record.next(after: floor) {
            guard let range = ranges.first(where: { found <= $0.to }) else { return nil }
            if found <= range.from {
                floor = range.from
                continue
            }
            for row in rows ?? [] where found >= row.from && found <= row.to {
                floor = row.to
                continue search
            }
            return found
        }
        return nil
    }

    /// Notes how far the gap is worked off; returns the gap as it is to be written, `nil` when it is closed.
    mutating func progress() -> Gap? {
        guard let first else { return nil }
        gap.from = max(gap.from, first.time - 1)
        return gap
    }
}
