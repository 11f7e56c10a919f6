/// A table whose rows keep their number for life, so that heaps and queues can name them with 32 bits. Rows stand in chunks:
/// growing copies nothing, and a million rows have no spare half.
struct SlotMap<Row> {
    private var chunks: [ContiguousArray<Row?>] = []
    private var free: [Int32] = []
    private(set) var count = 0
    private var end: Int32 = 0

    private static var chunkSize: Int { 1024 }

    /// Puts a row into a free place and returns its number.
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

    /// Frees a place. Its number is given to a later row.
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

    /// The row of that number, which must be taken.
    subscript(slot: Int32) -> Row {
        _read {
            // In place: a row is large, and most readers want one field.
            yield chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize]!
        }
        _modify {
            yield &chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize]!
        }
    }

    /// The row of that number, if there is one.
    func row(_ slot: Int32) -> Row? {
        guard slot >= 0, slot < end else { return nil }
        return chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize]
    }

    /// The numbers of all rows taken, ascending.
    var slots: [Int32] {
        var slots: [Int32] = []
        slots.reserveCapacity(count)
        for slot in 0..<end where chunks[Int(slot) / Self.chunkSize][Int(slot) % Self.chunkSize] != nil {
            slots.append(slot)
        }
        return slots
    }

    /// Whether each place is either taken or free, once; for tests.
    var isConsistent: Bool {
        let taken = slots
        return taken.count == count && Set(free).count == free.count && Set(free).isDisjoint(with: taken)
            && taken.count + free.count == Int(end)
    }
}
