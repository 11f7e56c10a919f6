/// A priority queue of timers with an index: the earliest timer is found in O(1), and a timer is set or removed by its
/// key in O(log n). Timers with the same time expire in the order in which they were set.
///
/// Keys are small integers (table slots), so the index is an array. Each node has eight children, because cache misses
/// dominate the cost at a million timers.
package struct TimerHeap: Sendable {
    private struct Entry {
        var time: Int64
        var order: UInt64
        var key: Int32

        func precedes(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    private var entries: ContiguousArray<Entry> = []
    /// The position of each key; -1 for none.
    private var positions: ContiguousArray<Int32> = []
    private var nextOrder: UInt64 = 0

    private static let arity = 8

    package init() {}

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// The earliest timer.
    package var first: (time: Int64, key: Int32)? {
        entries.first.map { ($0.time, $0.key) }
    }

    /// The time of the timer of `key`; `nil` if it has none.
    package func time(of key: Int32) -> Int64? {
        position(of: key).map { entries[$0].time }
    }

    /// Sets or replaces the timer of `key`. It expires after all other timers with the same time.
    package mutating func set(_ key: Int32, to time: Int64) {
        nextOrder += 1
        let entry = Entry(time: time, order: nextOrder, key: key)
        if let position = position(of: key) {
            let earlier = entry.precedes(entries[position])
            if earlier { siftUp(entry, from: position) } else { siftDown(entry, from: position) }
            return
        }
        while positions.count <= Int(key) { positions.append(-1) }
        entries.append(entry)
        siftUp(entry, from: entries.count - 1)
    }

    /// Removes the timer of `key`; returns whether there was one.
    @discardableResult
    package mutating func remove(_ key: Int32) -> Bool {
        guard let position = position(of: key) else { return false }
        positions[Int(key)] = -1
        let last = entries.removeLast()
        guard position < entries.count else { return true }
        if position > 0, last.precedes(entries[(position - 1) / Self.arity]) {
            siftUp(last, from: position)
        } else {
            siftDown(last, from: position)
        }
        return true
    }

    /// Removes and returns the earliest timer.
    package mutating func popFirst() -> (time: Int64, key: Int32)? {
        guard let first = entries.first else { return nil }
        remove(first.key)
        return (first.time, first.key)
    }

    package mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
    }

    private func position(of key: Int32) -> Int? {
        guard Int(key) < positions.count else { return nil }
        let position = positions[Int(key)]
        return position < 0 ? nil : Int(position)
    }

    private mutating func siftUp(_ entry: Entry, from start: Int) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / Self.arity
            guard entry.precedes(entries[parent]) else { break }
            place(entries[parent], at: position)
            position = parent
        }
        place(entry, at: position)
    }

    private mutating func siftDown(_ entry: Entry, from start: Int) {
        var position = start
        while true {
            let firstChild = position * Self.arity + 1
            guard firstChild < entries.count else { break }
            var best = firstChild
            for child in firstChild..<min(firstChild + Self.arity, entries.count)
            where entries[child].precedes(entries[best]) {
                best = child
            }
            guard entries[best].precedes(entry) else { break }
            place(entries[best], at: position)
            position = best
        }
        place(entry, at: position)
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        entries[position] = entry
        positions[Int(entry.key)] = Int32(position)
    }

    /// The keys that have a timer.
    var keys: [Int32] { entries.map(\.key) }

    /// Whether each node precedes its children and the index agrees; for tests.
    package var isConsistent: Bool {
        for (position, entry) in entries.enumerated() {
            if positions[Int(entry.key)] != Int32(position) { return false }
            if position > 0, entry.precedes(entries[(position - 1) / Self.arity]) { return false }
        }
        return positions.count(where: { $0 >= 0 }) == entries.count
    }
}
