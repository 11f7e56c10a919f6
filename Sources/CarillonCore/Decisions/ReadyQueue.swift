/// Due executions that wait for a free slot: by priority, then by due time, then in order of arrival.
struct ReadyQueue {
    private struct Entry: HeapEntry {
        var priority: Int32
        var slot: Int32
        var time: Int64
        var order: UInt64
        var id: ExecutionID

        func precedes(_ other: Entry) -> Bool {
            if priority != other.priority { return priority > other.priority }
            return time != other.time ? time < other.time : order < other.order
        }
    }

    private var heap = Heap<NoPositions<Entry>>()
    private var order: UInt64 = 0

    var count: Int { heap.entries.count }
    var isEmpty: Bool { heap.entries.isEmpty }

    mutating func push(_ slot: Int32, id: ExecutionID, priority: Int32, time: Timestamp) {
        order += 1
        heap.insert(Entry(priority: priority, slot: slot, time: time.milliseconds, order: order, id: id))
    }

    /// Removes and returns the first entry. The caller checks whether the execution is still ready.
    mutating func pop() -> (slot: Int32, id: ExecutionID)? {
        heap.popFirst().map { ($0.slot, $0.id) }
    }

    mutating func removeAll() {
        heap.removeAll()
    }

    /// All entries, including executions that are no longer ready; for tests.
    var entries: [(slot: Int32, id: ExecutionID)] { heap.entries.map { ($0.slot, $0.id) } }

    /// Whether no entry precedes its parent; for tests.
    var isConsistent: Bool { heap.isOrdered }
}
