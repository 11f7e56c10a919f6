internal import CCarillonProto
internal import CProtobuf
internal import CarillonWire

/// A member of a message's JSON: a field of the message, or a field of its `settings`, which is on the same level.
struct JSONField {
    enum Kind {
        case string, bool, int32, uint32, int64, uint64, double, time, id, bytes
        case enumeration(EnumNames)
        /// A repeated Header: an object of strings.
        case headers
        case message(UnsafePointer<ProtobufCMessageDescriptor>)
    }

    var name: String
    var kind: Kind
    var isRepeated: Bool
    var isRequired: Bool
    var isInSettings: Bool
    var field: UnsafePointer<ProtobufCFieldDescriptor>

    /// All members, in output order, without `cleared_fields`.
    static func fields(of descriptor: UnsafePointer<ProtobufCMessageDescriptor>) -> [JSONField] {
        all.fields[descriptor] ?? makeFields(of: descriptor)
    }

    /// - Note: `@unchecked`: written once, before it is shared; the descriptors are constants.
    private struct All: @unchecked Sendable {
        var fields: [UnsafePointer<ProtobufCMessageDescriptor>: [JSONField]] = [:]
    }

    private static let all: All = {
        var all = All()
        func visit(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
            guard all.fields[descriptor] == nil else { return }
            let fields = makeFields(of: descriptor)
            all.fields[descriptor] = fields
            for field in fields {
                if case .message(let inner) = field.kind { visit(inner) }
            }
        }
        for field in EnvelopeField.all {
            if let message = field.message { visit(message) }
        }
        return all
    }()

    private static func makeFields(of descriptor: UnsafePointer<ProtobufCMessageDescriptor>) -> [JSONField] {
        var fields: [JSONField] = []
        for index in 0..<Int(descriptor.pointee.n_fields) {
            let field = descriptor.pointee.fields + index
            guard let settings = settings(field) else {
                fields.append(JSONField(field, isInSettings: false))
                continue
            }
            for index in 0..<Int(settings.pointee.n_fields) {
                let inner = settings.pointee.fields + index
                guard inner.pointee.text != clearedFields else { continue }
                fields.append(JSONField(inner, isInSettings: true))
            }
        }
        // The description of a schedule follows the schedule.
        if let schedule = fields.firstIndex(where: { $0.name == "schedule" && $0.isInSettings }),
            let description = fields.firstIndex(where: { $0.name == "schedule_description" && !$0.isInSettings })
        {
            fields.insert(fields.remove(at: description), at: schedule + 1)
        }
        return fields
    }

    static let clearedFields = "cleared_fields"

    /// The descriptor of the settings, if this field is `settings`.
    static func settings(
        _ field: UnsafePointer<ProtobufCFieldDescriptor>
    ) -> UnsafePointer<ProtobufCMessageDescriptor>? {
        guard field.pointee.type == PROTOBUF_C_TYPE_MESSAGE, field.pointee.text == "settings" else { return nil }
        return field.pointee.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    }

    init(_ field: UnsafePointer<ProtobufCFieldDescriptor>, isInSettings: Bool) {
        self.field = field
        self.isInSettings = isInSettings
        name = field.pointee.text
        isRepeated = field.pointee.label == PROTOBUF_C_LABEL_REPEATED
        isRequired = field.pointee.label == PROTOBUF_C_LABEL_REQUIRED
        kind = JSONField.kind(of: field.pointee)
    }

    private static func kind(of field: ProtobufCFieldDescriptor) -> Kind {
        switch field.type {
        case PROTOBUF_C_TYPE_STRING: return .string
        case PROTOBUF_C_TYPE_BOOL: return .bool
        case PROTOBUF_C_TYPE_INT32: return .int32
        case PROTOBUF_C_TYPE_UINT32: return .uint32
        case PROTOBUF_C_TYPE_INT64: return field.isTime ? .time : .int64
        case PROTOBUF_C_TYPE_UINT64: return .uint64
        case PROTOBUF_C_TYPE_DOUBLE: return .double
        case PROTOBUF_C_TYPE_BYTES: return field.isID ? .id : .bytes
        case PROTOBUF_C_TYPE_ENUM:
            return .enumeration(EnumNames(of: field.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)))
        case PROTOBUF_C_TYPE_MESSAGE:
            let message = field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
            let isHeader = String(cString: message.pointee.short_name) == "Header"
            return isHeader ? .headers : .message(message)
        default: preconditionFailure("the protocol uses a type that has no JSON: \(field.type)")
        }
    }

    var typeInWords: String {
        let one: String
        switch kind {
        case .string: one = "string"
        case .bool: one = "boolean"
        case .int32, .uint32, .int64, .uint64: one = "integer"
        case .double: one = "number"
        case .time: one = "time (RFC 3339)"
        case .id: one = "UUID"
        case .bytes: one = "bytes (hexadecimal)"
        case .enumeration(let names): one = "one of \(names.list)"
        case .headers: return "object of strings"
        case .message(let descriptor): one = String(cString: descriptor.pointee.short_name)
        }
        return isRepeated ? "array of \(one)" : one
    }
}
