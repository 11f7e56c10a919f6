/// Lists of table slots, one list per key. Adding and removing a slot takes constant time.
struct SlotLists<Key: Hashable> {
    private var first: [Key: Int32] = [:]
    /// The neighbours of each slot in its list; -1 for none.
    private var following: ContiguousArray<Int32> = []
    private var preceding: ContiguousArray<Int32> = []

    /// Adds a slot that is in no list.
    mutating func insert(_ slot: Int32, under key: Key) {
        while following.count <= Int(slot) {
            following.append(-1)
            preceding.append(-1)
        }
        let head = first.updateValue(slot, forKey: key) ?? -1
        following[Int(slot)] = head
        preceding[Int(slot)] = -1
        if head >= 0 { preceding[Int(head)] = slot }
    }

    /// Removes a slot from the list that it is in.
    mutating func remove(_ slot: Int32, under key: Key) {
        let (next, previous) = (following[Int(slot)], preceding[Int(slot)])
        if next >= 0 { preceding[Int(next)] = previous }
        if previous >= 0 {
            following[Int(previous)] = next
        } else if next >= 0 {
            first[key] = next
        } else {
            first[key] = nil
        }
        following[Int(slot)] = -1
        preceding[Int(slot)] = -1
    }

    /// The slots under a key, ascending.
    func slots(under key: Key) -> [Int32] {
        var slots: [Int32] = []
        var slot = first[key] ?? -1
        while slot >= 0 {
            slots.append(slot)
            slot = following[Int(slot)]
        }
        slots.sort()
        return slots
    }

    /// All keys that have a slot; for tests.
    var keys: [Key] { Array(first.keys) }
}
