/// Lists of table slots, one list per key. Adding and removing a slot takes constant time.
private struct SlotNeighbours {
    /// The neighbours of each slot in its list; -1 for none.
    private var following: ContiguousArray<Int32> = []
    private var preceding: ContiguousArray<Int32> = []

    /// Adds a slot before the first one of a list, which is -1 when the list is empty.
    mutating func insert(_ slot: Int32, before first: Int32) {
        while following.count <= Int(slot) {
            following.append(-1)
            preceding.append(-1)
        }
        following[Int(slot)] = first
        preceding[Int(slot)] = -1
        if first >= 0 { preceding[Int(first)] = slot }
    }

    /// Removes a slot from its list. Returns the slot that is the first one now, -1 for none; `nil` when that is the same one
    /// as before.
    mutating func remove(_ slot: Int32) -> Int32? {
        let (next, previous) = (following[Int(slot)], preceding[Int(slot)])
        if next >= 0 { preceding[Int(next)] = previous }
        if previous >= 0 { following[Int(previous)] = next }
        following[Int(slot)] = -1
        preceding[Int(slot)] = -1
        return previous >= 0 ? nil : next
    }

    /// The slots of a list, ascending.
    func slots(from first: Int32) -> [Int32] {
        var slots: [Int32] = []
        var slot = first
        while slot >= 0 {
            slots.append(slot)
            slot = following[Int(slot)]
        }
        slots.sort()
        return slots
    }
}

/// Slots of a table in lists, one list a key.
struct SlotLists<Key: Hashable> {
    private var first: [Key: Int32] = [:]
    private var neighbours = SlotNeighbours()

    /// Adds a slot that is in no list.
    mutating func insert(_ slot: Int32, under key: Key) {
        neighbours.insert(slot, before: first.updateValue(slot, forKey: key) ?? -1)
    }

    /// Removes a slot from the list that it is in.
    mutating func remove(_ slot: Int32, under key: Key) {
        guard let head = neighbours.remove(slot) else { return }
        first[key] = head >= 0 ? head : nil
    }

    /// The slots under a key, ascending.
    func slots(under key: Key) -> [Int32] { neighbours.slots(from: first[key] ?? -1) }

    /// All keys that have a slot; for tests.
    var keys: [Key] { Array(first.keys) }
}

/// Slots of a table in lists, one list a slot of another table: the keys are small numbers, so nothing is hashed.
struct NumberedSlotLists {
    /// By key; -1 for none.
    private var first: ContiguousArray<Int32> = []
    private var neighbours = SlotNeighbours()

    /// Adds a slot that is in no list.
    mutating func insert(_ slot: Int32, under key: Int32) {
        while first.count <= Int(key) { first.append(-1) }
        neighbours.insert(slot, before: first[Int(key)])
        first[Int(key)] = slot
    }

    /// Removes a slot from the list that it is in.
    mutating func remove(_ slot: Int32, under key: Int32) {
        if let head = neighbours.remove(slot) { first[Int(key)] = head }
    }

    /// The slots under a key, ascending.
    func slots(under key: Int32) -> [Int32] {
        Int(key) < first.count ? neighbours.slots(from: first[Int(key)]) : []
    }

    /// All keys that have a slot; for tests.
    var keys: [Int32] { first.indices.filter { first[$0] >= 0 }.map { Int32($0) } }
}
