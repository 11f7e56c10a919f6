/// Due executions that wait for a free slot: by priority, then by due time, then in order of arrival.
struct ReadyQueue {
    private struct Entry {
        var priority: Int32
        var time: Int64
        var order: UInt64
        var slot: Int32
        var id: ExecutionID

        func precedes(_ other: Entry) -> Bool {
            if priority != other.priority { return priority > other.priority }
            return time != other.time ? time < other.time : order < other.order
        }
    }

    private var heap: [Entry] = []
    private var order: UInt64 = 0

    var count: Int { heap.count }
    var isEmpty: Bool { heap.isEmpty }

    mutating func push(_ slot: Int32, id: ExecutionID, priority: Int32, time: Timestamp) {
        order += 1
        heap.append(Entry(priority: priority, time: time.milliseconds, order: order, slot: slot, id: id))
        var position = heap.count - 1
        while position > 0 {
            let parent = (position - 1) / 2
            guard heap[position].precedes(heap[parent]) else { break }
            heap.swapAt(position, parent)
            position = parent
        }
    }

    /// Removes and returns the first entry. The caller checks whether the execution is still ready.
    mutating func pop() -> (slot: Int32, id: ExecutionID)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var position = 0
            while true {
                var best = position
                for child in position * 2 + 1...position * 2 + 2
                where child < heap.count && heap[child].precedes(heap[best]) {
                    best = child
                }
                if best == position { break }
                heap.swapAt(position, best)
                position = best
            }
        }
        return (first.slot, first.id)
    }

    mutating func removeAll() {
        heap.removeAll()
    }

    /// All entries, including executions that are no longer ready; for tests.
    var entries: [(slot: Int32, id: ExecutionID)] { heap.map { ($0.slot, $0.id) } }

    /// Whether no entry precedes its parent; for tests.
    var isConsistent: Bool {
        heap.indices.dropFirst().allSatisfy { !heap[$0].precedes(heap[($0 - 1) / 2]) }
    }
}
