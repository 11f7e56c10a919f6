internal import CCarillonProto
internal import CProtobuf

/// Validates the bytes of a message against its descriptor before protobuf-c unpacks them. protobuf-c does not check UTF-8, cuts
/// strings at NUL, accepts any enumeration number, and gives no reason for a refusal.
enum PayloadScanner {
    /// The nesting limit of messages. The protocol needs four levels.
    static let maxDepth = 16

    typealias Bytes = UnsafePointer<UInt8>

    /// The envelope's id and the field number of its body, without reading the body.
    static func peek(_ payload: UnsafeRawBufferPointer) throws(WireError) -> (id: UInt64?, body: UInt32) {
        var id: UInt64?
        var body: UInt32 = 0
        guard var at = payload.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return (nil, 0) }
        let end = at + payload.count
        while at < end {
            let tag = try varint(&at, end)
            let number = try fieldNumber(tag)
            if number == 1, tag & 7 == 0 {
                id = try varint(&at, end)
            } else {
                if tag & 7 == 2, number != MessageCodec.credentialsField { body = number }
                try skip(&at, end, wireType: tag & 7)
            }
        }
        return (id, body)
    }

    static func scan(
        _ plan: UnsafeMutablePointer<MessagePlan>,
        _ start: Bytes,
        _ end: Bytes,
        depth: Int = 0
    ) throws(WireError) {
        guard depth < maxDepth else {
            throw WireError(.malformed, "messages are nested deeper than \(maxDepth) levels")
        }
        var at = start
        var seen: UInt64 = 0
        while at < end {
            let tag = try varint(&at, end)
            let number = try fieldNumber(tag)
            let wireType = tag & 7
            guard number < plan.pointee.fieldCount, plan.pointee.fields[Int(number)].rule != .unknown else {
                try skip(&at, end, wireType: wireType)
                continue
            }
            let field = plan.pointee.fields + Int(number)
            seen |= field.pointee.bit
            try scanField(field, &at, end, wireType: wireType, depth: depth)
        }
        if plan.pointee.required & ~seen != 0 { throw missingField(plan, seen) }
    }

    private static func scanField(
        _ field: UnsafeMutablePointer<MessagePlan.FieldPlan>,
        _ at: inout Bytes,
        _ end: Bytes,
        wireType: UInt64,
        depth: Int
    ) throws(WireError) {
        switch field.pointee.rule {
        case .int32, .uint32, .varint, .time, .enumeration:
            if wireType == 0 {
                try checkNumber(field, try varint(&at, end))
            } else if wireType == 2, field.pointee.isRepeated {
                // Packed, as proto3 encodes repeated numbers.
                let count = try length(&at, end)
                let packedEnd = at + count
                while at < packedEnd { try checkNumber(field, try varint(&at, packedEnd)) }
            } else {
                throw wrongWireType(field, wireType)
            }
        case .fixed64:
            guard wireType == 1 else { throw wrongWireType(field, wireType) }
            guard end - at >= 8 else { throw truncated }
            let bits = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
            guard Double(bitPattern: UInt64(littleEndian: bits)).isFinite else {
                throw invalid(field, "must be a finite number")
            }
            at += 8
        case .string:
            guard wireType == 2 else { throw wrongWireType(field, wireType) }
            let count = try length(&at, end)
            if let (problem, offset) = TextScan.problem(at, count) {
                switch problem {
                case .nul: throw invalid(field, "has a NUL character at byte \(offset); text must not contain one")
                case .notUTF8: throw invalid(field, "is not UTF-8 at byte \(offset)")
                }
            }
            at += count
        case .bytes, .id:
            guard wireType == 2 else { throw wrongWireType(field, wireType) }
            let count = try length(&at, end)
            if field.pointee.rule == .id, count != 16 {
                throw invalid(field, "has \(count) bytes; an id has 16")
            }
            at += count
        case .message:
            guard wireType == 2, let message = field.pointee.message else { throw wrongWireType(field, wireType) }
            let count = try length(&at, end)
            do throws(WireError) {
                try scan(message, at, at + count, depth: depth + 1)
            } catch {
                throw error.within(name(field))
            }
            at += count
        case .unknown:
            try skip(&at, end, wireType: wireType)
        }
    }

    private static func checkNumber(
        _ field: UnsafeMutablePointer<MessagePlan.FieldPlan>,
        _ number: UInt64
    ) throws(WireError) {
        switch field.pointee.rule {
        case .int32:
            guard Int32(exactly: Int64(bitPattern: number)) != nil else {
                throw invalid(field, "\(Int64(bitPattern: number)) does not fit into 32 bits")
            }
        case .uint32:
            guard number <= UInt64(UInt32.max) else { throw invalid(field, "\(number) does not fit into 32 bits") }
        case .time:
            guard WireTime.range.contains(Int64(bitPattern: number)) else {
                throw invalid(field, "\(Int64(bitPattern: number)) is a time outside the years 1 to 9999")
            }
        case .enumeration:
            let descriptor = field.pointee.field?.pointee.descriptor?
                .assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            guard let value = Int32(exactly: Int64(bitPattern: number)),
                protobuf_c_enum_descriptor_get_value(descriptor, value) != nil
            else {
                let names = descriptor.map { EnumNames(of: $0).list } ?? ""
                throw invalid(field, "\(Int64(bitPattern: number)) is invalid; valid are \(names)")
            }
        default: break
        }
    }

    // MARK: The wire format

    private static func varint(_ at: inout Bytes, _ end: Bytes) throws(WireError) -> UInt64 {
        guard at < end else { throw truncated }
        let first = at[0]
        at += 1
        if first < 0x80 { return UInt64(first) }
        var value = UInt64(first & 0x7F)
        var shift: UInt64 = 7
        while true {
            guard at < end else { throw truncated }
            let byte = at[0]
            at += 1
            // The tenth byte has one bit left.
            guard shift < 63 || byte <= 1 else { throw WireError(.malformed, "a number has more than 64 bits") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    private static func fieldNumber(_ tag: UInt64) throws(WireError) -> UInt32 {
        guard tag >= 8, tag <= UInt64(UInt32.max) else {
            throw WireError(.malformed, "\(tag) is not a valid field tag")
        }
        return UInt32(tag >> 3)
    }

    private static func length(_ at: inout Bytes, _ end: Bytes) throws(WireError) -> Int {
        let count = try varint(&at, end)
        guard count <= UInt64(end - at) else { throw truncated }
        return Int(count)
    }

    private static func skip(_ at: inout Bytes, _ end: Bytes, wireType: UInt64) throws(WireError) {
        let count: Int
        switch wireType {
        case 0:
            _ = try varint(&at, end)
            return
        case 1: count = 8
        case 2: count = try length(&at, end)
        case 5: count = 4
        default: throw WireError(.malformed, "wire type \(wireType) is not used by this protocol")
        }
        guard end - at >= count else { throw truncated }
        at += count
    }

    // MARK: Errors

    private static var truncated: WireError { WireError(.malformed, "the message ends in the middle of a field") }

    private static func name(_ field: UnsafeMutablePointer<MessagePlan.FieldPlan>) -> String {
        field.pointee.field?.pointee.text ?? ""
    }

    private static func invalid(_ field: UnsafeMutablePointer<MessagePlan.FieldPlan>, _ text: String) -> WireError {
        WireError(.invalid, text, field: name(field))
    }

    private static func wrongWireType(
        _ field: UnsafeMutablePointer<MessagePlan.FieldPlan>,
        _ wireType: UInt64
    ) -> WireError {
        WireError(.malformed, "wire type \(wireType) does not fit the field's type", field: name(field))
    }

    private static func missingField(_ plan: UnsafeMutablePointer<MessagePlan>, _ seen: UInt64) -> WireError {
        let missing = plan.pointee.required & ~seen
        for number in 0..<plan.pointee.fieldCount where plan.pointee.fields[number].bit & missing != 0 {
            return WireError(.invalid, "is required", field: name(plan.pointee.fields + number))
        }
        return WireError(.invalid, "a required field is missing")
    }
}

extension WireError {
    fileprivate func within(_ name: String) -> WireError {
        var error = self
        error.field = field.map { "\(name).\($0)" } ?? name
        return error
    }
}
