/// A table whose rows keep their slot number, so that heaps and queues can refer to them with 32 bits. Rows are stored
/// in chunks: growing copies nothing and wastes no memory.
struct SlotMap<Row> {
    private var chunks: [ContiguousArray<Row?>] = []
    private var free: [Int32] = []
    private(set) var count = 0
    private var end: Int32 = 0

    private static var chunkSize: Int { 1024 }

    /// Inserts a row into a free slot and returns its number.
    mutating func insert(_ row: Row) -> Int32 {
        count += 1
        if let slot = free.popLast() {
            chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize] = row
            return slot
        }
        let slot = end
        end += 1
        if Int(slot) % Self.chunkSize == 0 {
            var chunk = ContiguousArray<Row?>()
            chunk.reserveCapacity(Self.chunkSize)
            chunks.append(chunk)
        }
        chunks[Int(slot) / Self.chunkSize].append(row)
        return slot
    }

    /// Frees a slot. Its number is used for a later row.
    @discardableResult
    mutating func remove(_ slot: Int32) -> Row {
        guard let row = chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize] else {
            preconditionFailure("row \(slot) of a table was removed twice")
        }
        chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize] = nil
        free.append(slot)
        count -= 1
        return row
    }

    mutating func removeAll() {
        self = SlotMap()
    }

    /// The row of an occupied slot.
    subscript(slot: Int32) -> Row {
        _read {
            // Access in place: a row is large, and most readers need one field.
            yield chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize]!
        }
        _modify {
            yield &chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize]!
        }
    }

    /// The row of a slot; `nil` if the slot is free.
    func row(_ slot: Int32) -> Row? {
        guard slot >= 0, slot < end else { return nil }
        return chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize]
    }

    /// All occupied slots, ascending.
    var slots: [Int32] {
        var slots: [Int32] = []
        slots.reserveCapacity(count)
        for slot in 0..<end where chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize] != nil {
            slots.append(slot)
        }
        return slots
    }

    /// Whether each slot is either occupied or free, exactly once; for tests.
    var isConsistent: Bool {
        let taken = slots
        return taken.count == count && Set(free).count == free.count && Set(free).isDisjoint(with: taken)
            && taken.count + free.count == Int(end)
    }
}
