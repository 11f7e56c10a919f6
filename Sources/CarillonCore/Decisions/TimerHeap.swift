/// A priority queue of timers with an index: the earliest timer is found in O(1), and a timer is set or removed by its
/// key in O(log n). Timers with the same time expire in the order in which they were set.
///
/// Keys are small integers (table slots), so the index is an array. Each node has eight children, because cache misses
/// dominate the cost at a million timers.
package struct TimerHeap: Sendable {
    private struct Entry: HeapEntry {
        var time: Int64
        var order: UInt64
        var key: Int32

        func precedes(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    /// The position of each key; -1 for none.
    private struct Positions: HeapPositions {
        var positions: ContiguousArray<Int32> = []

        subscript(key: Int32) -> Int? {
            guard Int(key) < positions.count else { return nil }
            let position = positions[Int(key)]
            return position < 0 ? nil : Int(position)
        }

        mutating func makeRoom(for key: Int32) {
            while positions.count <= Int(key) { positions.append(-1) }
        }

        mutating func set(_ entry: Entry, to position: Int) { positions[Int(entry.key)] = Int32(position) }
        mutating func remove(_ entry: Entry) { positions[Int(entry.key)] = -1 }
        mutating func removeAll() { positions.removeAll(keepingCapacity: true) }
    }

    private var heap = Heap<Positions>()
    private var nextOrder: UInt64 = 0

    package init() {}

    package var count: Int { heap.entries.count }
    package var isEmpty: Bool { heap.entries.isEmpty }

    /// The earliest timer.
    package var first: (time: Int64, key: Int32)? {
        heap.entries.first.map { ($0.time, $0.key) }
    }

    /// The time of the timer of `key`; `nil` if it has none.
    package func time(of key: Int32) -> Int64? {
        heap.positions[key].map { heap.entries[$0].time }
    }

    /// Sets or replaces the timer of `key`. It expires after all other timers with the same time.
    package mutating func set(_ key: Int32, to time: Int64) {
        nextOrder += 1
        let entry = Entry(time: time, order: nextOrder, key: key)
        if let position = heap.positions[key] {
            heap.replace(at: position, with: entry)
        } else {
            heap.positions.makeRoom(for: key)
            heap.insert(entry)
        }
    }

    /// Removes the timer of `key`; returns whether there was one.
    @discardableResult
    package mutating func remove(_ key: Int32) -> Bool {
        guard let position = heap.positions[key] else { return false }
        heap.remove(at: position)
        return true
    }

    /// Removes and returns the earliest timer.
    package mutating func popFirst() -> (time: Int64, key: Int32)? {
        heap.popFirst().map { ($0.time, $0.key) }
    }

    package mutating func removeAll() {
        heap.removeAll()
    }

    /// The keys that have a timer.
    var keys: [Int32] { heap.entries.map(\.key) }

    /// Whether each node precedes its children and the index agrees; for tests.
    package var isConsistent: Bool {
        heap.isOrdered && heap.entries.indices.allSatisfy { heap.positions[heap.entries[$0].key] == $0 }
            && heap.positions.positions.count(where: { $0 >= 0 }) == heap.entries.count
    }
}
