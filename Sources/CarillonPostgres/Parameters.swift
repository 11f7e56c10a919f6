internal import CarillonCore
internal import Glibc

/// The parameters of one statement in PostgreSQL's binary formats: single values, and arrays with one element for each row.
///
/// All values are in one buffer. Arrays are written column by column: be32 dimensions (1), be32 NULL flag, be32 element type, be32
/// count, be32 lower bound (1), then be32 length and bytes of each element.
final class Parameters {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0
    private(set) var byteRanges: [ByteRange] = []

    /// The position of a value; a negative length is NULL.
    struct ByteRange {
        var offset: Int
        var length: Int
    }

    /// Fixed object ids of types (pg_type.dat).
    private enum Oid {
        static let bool: UInt32 = 16
        static let int8: UInt32 = 20
        static let int2: UInt32 = 21
        static let int4: UInt32 = 23
        static let text: UInt32 = 25
        static let float8: UInt32 = 701
        static let timestamptz: UInt32 = 1184
        static let uuid: UInt32 = 2950
    }

    init(capacity: Int = 256) {
        base = .allocate(byteCount: capacity, alignment: 8)
        self.capacity = capacity
    }

    deinit {
        base.deallocate()
    }

    func pointer(_ byteRange: ByteRange) -> UnsafePointer<CChar>? {
        byteRange.length < 0 ? nil : UnsafePointer((base + byteRange.offset).assumingMemoryBound(to: CChar.self))
    }

    // MARK: Raw bytes

    private func reserve(_ count: Int) {
        guard used + count > capacity else { return }
        capacity = max(capacity * 2, used + count)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        larger.copyMemory(from: base, byteCount: used)
        base.deallocate()
        base = larger
    }

    /// The buffer must have enough space.
    @inline(__always)
    private func put<Value: FixedWidthInteger>(_ value: Value) {
        (base + used).storeBytes(of: value.bigEndian, as: Value.self)
        used += MemoryLayout<Value>.size
    }

    /// Omits NUL, which PostgreSQL's text cannot hold; returns the number of bytes written.
    private func put(_ text: String) -> Int {
        let start = used
        if text.utf8.withContiguousStorageIfAvailable({ put($0) }) == nil {
            Array(text.utf8).withUnsafeBufferPointer { put($0) }
        }
        return used - start
    }

    private func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        if memchr(source, 0, bytes.count) == nil {
            (base + used).copyMemory(from: source, byteCount: bytes.count)
            used += bytes.count
        } else {
            for byte in bytes where byte != 0 { put(byte) }
        }
    }

    // MARK: Single values

    private func single(_ write: () -> Void) {
        let start = used
        reserve(16)
        write()
        byteRanges.append(ByteRange(offset: start, length: used - start))
    }

    func addNull() {
        byteRanges.append(ByteRange(offset: 0, length: -1))
    }

    func add(_ value: UniqueID?) {
        guard let value else { return addNull() }
        single {
            put(value.high)
            put(value.low)
        }
    }

    func add(_ value: Int64?) {
        guard let value else { return addNull() }
        single { put(value) }
    }

    func add(_ value: Bool) {
        single { put(UInt8(value ? 1 : 0)) }
    }

    func add(_ value: Timestamp?) {
        guard let value else { return addNull() }
        single { put(Self.since2000(value)) }
    }

    func add(_ value: String?) {
        guard let value else { return addNull() }
        single { _ = put(value) }
    }

    static func since2000(_ time: Timestamp) -> Int64 {
        time.milliseconds &* 1_000 &- Row.epochMicroseconds
    }

    // MARK: Arrays

    private func array(_ type: UInt32, count: Int, size: Int, _ write: () -> Void) {
        let start = used
        reserve(20 + count * (4 + size))
        if count == 0 {
            // An empty array has no dimension.
            put(Int32(0))
            put(Int32(0))
            put(type)
        } else {
            put(Int32(1))
            put(Int32(1))
            put(type)
            put(Int32(count))
            put(Int32(1))
            write()
        }
        byteRanges.append(ByteRange(offset: start, length: used - start))
    }

    func addArray<Row>(uuid rows: [Row], _ value: (Row) -> UniqueID) {
        array(Oid.uuid, count: rows.count, size: 16) {
            for row in rows {
                let id = value(row)
                put(Int32(16))
                put(id.high)
                put(id.low)
            }
        }
    }

    func addArray<Row>(optionalUUID rows: [Row], _ value: (Row) -> UniqueID?) {
        array(Oid.uuid, count: rows.count, size: 16) {
            for row in rows {
                guard let id = value(row) else {
                    put(Int32(-1))
                    continue
                }
                put(Int32(16))
                put(id.high)
                put(id.low)
            }
        }
    }

    func addArray<Row>(smallint rows: [Row], _ value: (Row) -> Int16) {
        array(Oid.int2, count: rows.count, size: 2) {
            for row in rows {
                put(Int32(2))
                put(value(row))
            }
        }
    }

    func addArray<Row>(integer rows: [Row], _ value: (Row) -> Int?) {
        array(Oid.int4, count: rows.count, size: 4) {
            for row in rows {
                guard let value = value(row) else {
                    put(Int32(-1))
                    continue
                }
                put(Int32(4))
                put(Int32(clamping: value))
            }
        }
    }

    func addArray<Row>(bigint rows: [Row], _ value: (Row) -> Int64?) {
        array(Oid.int8, count: rows.count, size: 8) { putWords(rows, value) }
    }

    func addArray<Row>(double rows: [Row], _ value: (Row) -> Double?) {
        array(Oid.float8, count: rows.count, size: 8) {
            putWords(rows) { row in value(row).map { Int64(bitPattern: $0.bitPattern) } }
        }
    }

    func addArray<Row>(timestamp rows: [Row], _ value: (Row) -> Timestamp?) {
        array(Oid.timestamptz, count: rows.count, size: 8) {
            putWords(rows) { row in value(row).map(Self.since2000) }
        }
    }

    func addArray<Row>(bool rows: [Row], _ value: (Row) -> Bool) {
        array(Oid.bool, count: rows.count, size: 1) {
            for row in rows {
                put(Int32(1))
                put(UInt8(value(row) ? 1 : 0))
            }
        }
    }

    func addArray<Row>(text rows: [Row], _ value: (Row) -> String?) {
        array(Oid.text, count: rows.count, size: 16) {
            for row in rows {
                reserve(4)
                guard let text = value(row) else {
                    put(Int32(-1))
                    continue
                }
                let start = used
                put(Int32(0))
                let length = put(text)
                (base + start).storeBytes(of: Int32(length).bigEndian, as: Int32.self)
            }
        }
    }

    /// A column of a closed set of names, such as statuses.
    func addArray<Row>(name rows: [Row], _ value: (Row) -> StaticString?) {
        array(Oid.text, count: rows.count, size: 24) {
            for row in rows {
                guard let name = value(row) else {
                    reserve(4)
                    put(Int32(-1))
                    continue
                }
                reserve(4 + name.utf8CodeUnitCount)
                put(Int32(name.utf8CodeUnitCount))
                (base + used).copyMemory(from: name.utf8Start, byteCount: name.utf8CodeUnitCount)
                used += name.utf8CodeUnitCount
            }
        }
    }

    @inline(__always)
    private func putWords<Row>(_ rows: [Row], _ value: (Row) -> Int64?) {
        for row in rows {
            guard let word = value(row) else {
                put(Int32(-1))
                continue
            }
            put(Int32(8))
            put(word)
        }
    }
}
