package import CCarillonProto
internal import CProtobuf

/// The scanner's table for a message type, computed once from protobuf-c's descriptor.
struct MessagePlan {
    /// Indexed by field number; numbers without a field are `unknown`.
    var fields: UnsafeMutablePointer<FieldPlan>
    var fieldCount: Int
    /// One bit for each required field.
    var required: UInt64
    var descriptor: UnsafePointer<ProtobufCMessageDescriptor>

    struct FieldPlan {
        var rule: Rule
        var isRepeated: Bool
        /// The field's bit in `required`.
        var bit: UInt64
        var field: UnsafePointer<ProtobufCFieldDescriptor>?
        var message: UnsafeMutablePointer<MessagePlan>?
    }

    enum Rule: UInt8 {
        case unknown
        case int32
        case uint32
        /// Any 64-bit varint, and booleans.
        case varint
        /// Milliseconds since 1970, within the years 1 to 9999.
        case time
        case enumeration
        case fixed64
        case string
        case bytes
        /// Sixteen bytes.
        case id
        case message
    }

    /// The plan of the envelope, which leads to the plans of all messages.
    static let envelope = Root(plan: makeAll())

    /// - Note: `@unchecked`: the plans are written once, before this value exists, and only read afterwards.
    struct Root: @unchecked Sendable {
        let plan: UnsafeMutablePointer<MessagePlan>
    }

    private static func makeAll() -> UnsafeMutablePointer<MessagePlan> {
        var known: [UnsafePointer<ProtobufCMessageDescriptor>: UnsafeMutablePointer<MessagePlan>] = [:]
        // The address comes from a message, because a Swift pointer to the imported constant could point to a copy.
        var envelope = Carillon__V1__Envelope()
        carillon__v1__envelope__init(&envelope)
        return make(envelope.base.descriptor, &known)
    }

    private static func make(
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ known: inout [UnsafePointer<ProtobufCMessageDescriptor>: UnsafeMutablePointer<MessagePlan>]
    ) -> UnsafeMutablePointer<MessagePlan> {
        if let plan = known[descriptor] { return plan }
        let plan = UnsafeMutablePointer<MessagePlan>.allocate(capacity: 1)
        known[descriptor] = plan
        let source = UnsafeBufferPointer(start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields))
        let count = Int((source.map(\.id).max() ?? 0) + 1)
        let fields = UnsafeMutablePointer<FieldPlan>.allocate(capacity: count)
        fields.initialize(
            repeating: FieldPlan(rule: .unknown, isRepeated: false, bit: 0, field: nil, message: nil),
            count: count
        )
        plan.initialize(to: MessagePlan(fields: fields, fieldCount: count, required: 0, descriptor: descriptor))
        var bit: UInt64 = 1
        for index in source.indices {
            let field = source.baseAddress.unsafelyUnwrapped + index
            var new = FieldPlan(
                rule: rule(of: field.pointee, in: descriptor.pointee),
                isRepeated: field.pointee.label == PROTOBUF_C_LABEL_REPEATED,
                bit: 0,
                field: field,
                message: nil
            )
            if field.pointee.label == PROTOBUF_C_LABEL_REQUIRED {
                precondition(bit != 0, "a message with more than 64 required fields")
                new.bit = bit
                plan.pointee.required |= bit
                bit <<= 1
            }
            if new.rule == .message, let child = field.pointee.descriptor {
                new.message = make(child.assumingMemoryBound(to: ProtobufCMessageDescriptor.self), &known)
            }
            fields[Int(field.pointee.id)] = new
        }
        return plan
    }

    private static func rule(
        of field: ProtobufCFieldDescriptor,
        in message: ProtobufCMessageDescriptor
    ) -> Rule {
        // A report with an unknown kind must be accepted, or the worker would send it again forever.
        if field.text == "kind", String(cString: message.short_name) == "CallOutcome" { return .varint }
        switch field.type {
        case PROTOBUF_C_TYPE_INT32: return .int32
        case PROTOBUF_C_TYPE_UINT32: return .uint32
        case PROTOBUF_C_TYPE_INT64: return field.isTime ? .time : .varint
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_BOOL: return .varint
        case PROTOBUF_C_TYPE_ENUM: return .enumeration
        case PROTOBUF_C_TYPE_DOUBLE: return .fixed64
        case PROTOBUF_C_TYPE_STRING: return .string
        case PROTOBUF_C_TYPE_BYTES: return field.isID ? .id : .bytes
        case PROTOBUF_C_TYPE_MESSAGE: return .message
        default: preconditionFailure("the protocol uses a type that the scanner does not know: \(field.type)")
        }
    }
}

extension ProtobufCFieldDescriptor {
    /// A static, NUL-terminated name.
    package var text: String { String(cString: name) }

    /// Whether a 64-bit number is a time in milliseconds since 1970, by the convention of field names.
    package var isTime: Bool {
        guard type == PROTOBUF_C_TYPE_INT64 else { return false }
        let name = text
        return name == "from" || name == "to" || name == "time" || name == "gap_to" || name.hasSuffix("_time")
            || name.hasSuffix("_at") || name.hasSuffix("_from") || name.hasSuffix("_through")
    }

    /// Whether the bytes are a 16-byte id, by the convention of field names.
    package var isID: Bool { type == PROTOBUF_C_TYPE_BYTES && text.hasSuffix("_id") }
}
