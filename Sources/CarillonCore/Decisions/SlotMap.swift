/// A table whose rows keep their slot number, so that heaps and queues can refer to them with 32 bits. Rows are stored
/// in chunks: growing copies nothing and wastes no memory.
///
/// A field of a row is read and written in place. An array of optional rows would copy the whole row for each field.
struct SlotMap<Row>: ~Copyable {
    /// Memory for `chunkSize` rows each. A row is initialized while its slot is occupied.
    private var chunks: ContiguousArray<UnsafeMutablePointer<Row>> = []
    private var isTaken: ContiguousArray<Bool> = []
    private var free: [Int32] = []
    private(set) var count = 0

    private static var chunkSize: Int { 1024 }

    deinit {
        for slot in slots { address(of: slot).deinitialize(count: 1) }
        for chunk in chunks { chunk.deallocate() }
    }

    /// Inserts a row into a free slot and returns its number.
    mutating func insert(_ row: consuming Row) -> Int32 {
        count += 1
        if let slot = free.popLast() {
            place(of: slot).initialize(to: row)
            isTaken[Int(slot)] = true
            return slot
        }
        let slot = Int32(isTaken.count)
        if Int(slot) % Self.chunkSize == 0 { chunks.append(.allocate(capacity: Self.chunkSize)) }
        place(of: slot).initialize(to: row)
        isTaken.append(true)
        return slot
    }

    /// Frees a slot. Its number is used for a later row.
    @discardableResult
    mutating func remove(_ slot: Int32) -> Row {
        let row = address(of: slot).move()
        isTaken[Int(slot)] = false
        free.append(slot)
        count -= 1
        return row
    }

    mutating func removeAll() {
        self = SlotMap()
    }

    /// The row of an occupied slot.
    subscript(slot: Int32) -> Row {
        unsafeAddress { UnsafePointer(address(of: slot)) }
        unsafeMutableAddress { address(of: slot) }
    }

    /// The row of a slot; `nil` if the slot is free.
    func row(_ slot: Int32) -> Row? {
        guard slot >= 0, Int(slot) < isTaken.count, isTaken[Int(slot)] else { return nil }
        return self[slot]
    }

    /// All occupied slots, ascending.
    var slots: [Int32] {
        var slots: [Int32] = []
        slots.reserveCapacity(count)
        for slot in isTaken.indices where isTaken[slot] { slots.append(Int32(slot)) }
        return slots
    }

    /// The address of an occupied slot. The address is valid until the row is removed.
    @inline(__always)
    func address(of slot: Int32) -> UnsafeMutablePointer<Row> {
        precondition(isTaken[Int(slot)], "a row of a table was used after its removal")
        return place(of: slot)
    }

    @inline(__always)
    private func place(of slot: Int32) -> UnsafeMutablePointer<Row> {
        chunks[Int(slot) / Self.chunkSize] + Int(slot) % Self.chunkSize
    }

    /// Whether each slot is either occupied or free, exactly once; for tests.
    var isConsistent: Bool {
        let taken = slots
        return taken.count == count && Set(free).count == free.count && Set(free).isDisjoint(with: taken)
            && taken.count + free.count == isTaken.count
    }
}
