internal import CPostgres
internal import CarillonCore

/// The rows of one statement, in binary format. Bound to the thread of its connection.
final class QueryResult {
    private let result: OpaquePointer
    let count: Int

    /// Takes ownership of the result.
    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
    }

    deinit {
        PQclear(result)
    }

    /// The number of rows that an INSERT, UPDATE or DELETE affected.
    var affected: Int {
        guard let text = PQcmdTuples(result) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    subscript(_ row: Int) -> Row {
        Row(result: self, row: Int32(row))
    }

    /// Maps all rows in order.
    func map<Value>(_ transform: (inout RowReader) -> Value) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(count)
        for row in 0..<count {
            var reader = RowReader(row: self[row])
            values.append(transform(&reader))
        }
        return values
    }

    fileprivate func bytes(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer? {
        guard PQgetisnull(result, row, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column),
            count: Int(PQgetlength(result, row, column))
        )
    }
}

/// One row: values by their column, decoded from PostgreSQL's binary formats (big-endian; times are microseconds since
/// 2000-01-01).
struct Row {
    fileprivate let result: QueryResult
    fileprivate let row: Int32

    /// Microseconds from 1970-01-01 to 2000-01-01.
    static let epochMicroseconds: Int64 = 946_684_800_000_000

    private func integer<Value: FixedWidthInteger>(_ column: Int, as type: Value.Type) -> Value? {
        guard let bytes = result.bytes(row, Int32(column)), bytes.count == MemoryLayout<Value>.size else { return nil }
        return Value(bigEndian: bytes.loadUnaligned(as: Value.self))
    }

    /// Of a column of any integer type.
    func integer(_ column: Int) -> Int64? {
        guard let bytes = result.bytes(row, Int32(column)) else { return nil }
        switch bytes.count {
        case 2: return integer(column, as: Int16.self).map(Int64.init)
        case 4: return integer(column, as: Int32.self).map(Int64.init)
        default: return integer(column, as: Int64.self)
        }
    }

    func bool(_ column: Int) -> Bool? {
        result.bytes(row, Int32(column)).map { $0.first == 1 }
    }

    func double(_ column: Int) -> Double? {
        integer(column, as: UInt64.self).map(Double.init(bitPattern:))
    }

    func uuid(_ column: Int) -> UniqueID? {
        guard let bytes = result.bytes(row, Int32(column)), bytes.count == 16 else { return nil }
        return UniqueID(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }

    func text(_ column: Int) -> String? {
        result.bytes(row, Int32(column)).map { String(decoding: $0, as: UTF8.self) }
    }

    func data(_ column: Int) -> [UInt8]? {
        result.bytes(row, Int32(column)).map { Array($0) }
    }

    func timestamp(_ column: Int) -> Timestamp? {
        guard let since2000 = integer(column, as: Int64.self) else { return nil }
        switch since2000 {
        case .max: return .distantFuture
        case .min: return .distantPast
        default:
            let (microseconds, isOver) = since2000.addingReportingOverflow(Self.epochMicroseconds)
            if isOver { return .distantFuture }
            let milliseconds = microseconds >= 0 ? microseconds / 1_000 : (microseconds - 999) / 1_000
            // PostgreSQL's timestamps have a larger range than the times that clients can get.
            return min(max(Timestamp(milliseconds: milliseconds), .distantPast), .distantFuture)
        }
    }

    /// The value of a text[] column, without NULL elements.
    func texts(_ column: Int) -> [String]? {
        guard let bytes = result.bytes(row, Int32(column)), bytes.count >= 12 else { return nil }
        func word(_ offset: Int) -> Int {
            Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        }
        guard word(0) == 1, bytes.count >= 20 else { return [] }
        var texts: [String] = []
        var offset = 20
        for _ in 0..<word(12) {
            guard offset + 4 <= bytes.count else { return texts }
            let length = word(offset)
            offset += 4
            guard length >= 0, offset + length <= bytes.count else { continue }
            texts.append(String(decoding: bytes[offset..<offset + length], as: UTF8.self))
            offset += length
        }
        return texts
    }
}

/// Reads a row column by column, in the order of the SELECT.
struct RowReader {
    let row: Row
    private var column = 0

    init(row: Row) {
        self.row = row
    }

    private mutating func next() -> Int {
        defer { column += 1 }
        return column
    }

    mutating func integer() -> Int64? { row.integer(next()) }
    mutating func bool() -> Bool? { row.bool(next()) }
    mutating func double() -> Double? { row.double(next()) }
    mutating func uuid() -> UniqueID? { row.uuid(next()) }
    mutating func text() -> String? { row.text(next()) }
    mutating func timestamp() -> Timestamp? { row.timestamp(next()) }
    mutating func bytes() -> [UInt8]? { row.data(next()) }
    mutating func texts() -> [String]? { row.texts(next()) }
}
