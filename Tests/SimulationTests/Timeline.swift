/// Work in simulated time, in microseconds. Items due at the same time run in the order in which they were added.
struct Timeline {
    private struct Entry {
        var time: Int64
        var order: UInt64
        var work: () -> Void

        func precedes(_ other: Entry) -> Bool { (time, order) < (other.time, other.order) }
    }

    private var heap: [Entry] = []
    private var order: UInt64 = 0

    mutating func add(_ time: Int64, _ work: @escaping () -> Void) {
        order += 1
        heap.append(Entry(time: time, order: order, work: work))
        var position = heap.count - 1
        while position > 0 {
            let parent = (position - 1) / 2
            guard heap[position].precedes(heap[parent]) else { break }
            heap.swapAt(position, parent)
            position = parent
        }
    }

    mutating func pop() -> (time: Int64, work: () -> Void)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return (first.time, first.work) }
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
        return (first.time, first.work)
    }
}
