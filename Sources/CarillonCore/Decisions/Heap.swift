/// An entry of a `Heap`. The entry that precedes all others is the first one.
protocol HeapEntry: Sendable {
    func precedes(_ other: Self) -> Bool
}

/// The index of a heap: the position of each entry.
protocol HeapPositions<Entry>: Sendable {
    associatedtype Entry: HeapEntry

    init()

    /// Notes the position of an entry.
    mutating func set(_ entry: Entry, to position: Int)
    /// Notes that an entry left the heap.
    mutating func remove(_ entry: Entry)
    mutating func removeAll()
}

/// No index, for a heap whose entries are never looked up.
struct NoPositions<Entry: HeapEntry>: HeapPositions {
    @inline(__always) mutating func set(_ entry: Entry, to position: Int) {}
    @inline(__always) mutating func remove(_ entry: Entry) {}
    @inline(__always) mutating func removeAll() {}
}

/// A priority queue: the first entry is found in O(1), entries are inserted, replaced and removed in O(log n).
///
/// Each node has eight children, because cache misses dominate the cost at a million entries. The types of the entries and
/// of the index are parameters, so that the compiler specializes each comparison.
struct Heap<Positions: HeapPositions>: Sendable {
    typealias Entry = Positions.Entry

    private(set) var entries: ContiguousArray<Entry> = []
    var positions = Positions()

    private static var arity: Int { 8 }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        siftUp(entry, from: entries.count - 1)
    }

    /// Replaces the entry at a position.
    mutating func replace(at position: Int, with entry: Entry) {
        if entry.precedes(entries[position]) {
            siftUp(entry, from: position)
        } else {
            siftDown(entry, from: position)
        }
    }

    @discardableResult
    mutating func remove(at position: Int) -> Entry {
        let removed = entries[position]
        positions.remove(removed)
        let last = entries.removeLast()
        guard position < entries.count else { return removed }
        if position > 0, last.precedes(entries[(position - 1) / Self.arity]) {
            siftUp(last, from: position)
        } else {
            siftDown(last, from: position)
        }
        return removed
    }

    mutating func popFirst() -> Entry? {
        entries.isEmpty ? nil : remove(at: 0)
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        positions.removeAll()
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
        positions.set(entry, to: position)
    }

    /// Whether no entry precedes its parent; for tests.
    var isOrdered: Bool {
        entries.indices.dropFirst().allSatisfy { !entries[$0].precedes(entries[($0 - 1) / Self.arity]) }
    }
}
