internal import CCarillonProto
internal import CProtobuf
internal import CarillonCore
internal import CarillonWire

/// Reads a C struct as JSON by its descriptor.
enum MessageReader {
    /// Messages whose absent members are written as null, because clients rely on all names.
    private static let complete: Set<String> = ["Job", "Execution", "ExecutionStats"]
    /// Members of these messages that are written only when present.
    private static let onlyWhenPresent: Set<String> = [
        "skipped_count", "skipped_from", "next_attempt_at", "failed_attempts", "api_url", "lost_attempts",
        NamespaceField.name,
    ]

    static func read(
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ message: UnsafeRawPointer
    ) -> JSONValue {
        let name = String(cString: descriptor.pointee.short_name)
        let settings = settings(of: descriptor, message)
        var members: [JSONValue.Member] = []
        for field in JSONField.fields(of: descriptor) {
            guard let owner = field.isInSettings ? settings : message else { continue }
            if let value = value(field, in: owner, ofExecution: name == "Execution") {
                members.append(JSONValue.Member(field.name, value))
            } else if complete.contains(name), field.isInSettings || !onlyWhenPresent.contains(field.name) {
                members.append(JSONValue.Member(field.name, .null))
            }
        }
        return .object(members)
    }

    private static func settings(
        of descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ message: UnsafeRawPointer
    ) -> UnsafeRawPointer? {
        for index in 0..<Int(descriptor.pointee.n_fields) {
            let field = descriptor.pointee.fields + index
            guard JSONField.settings(field) != nil else { continue }
            return message.load(fromByteOffset: Int(field.pointee.offset), as: UnsafeRawPointer?.self)
        }
        return nil
    }

    /// The value of a field; `nil` when it is absent.
    private static func value(
        _ field: JSONField,
        in message: UnsafeRawPointer,
        ofExecution: Bool
    ) -> JSONValue? {
        let place = message + Int(field.field.pointee.offset)
        guard field.isRepeated else { return single(field, message, place) }
        let count = message.load(fromByteOffset: Int(field.field.pointee.quantifier_offset), as: Int.self)
        if count == 0, ofExecution, onlyWhenPresent.contains(field.name) { return nil }
        let elements = place.load(as: UnsafeRawPointer?.self)
        if case .headers = field.kind { return headers(count, elements) }
        guard count > 0, let elements else { return .array([]) }
        let stride: Int
        switch field.kind {
        case .int32, .uint32, .bool, .enumeration: stride = 4
        case .id, .bytes: stride = MemoryLayout<ProtobufCBinaryData>.stride
        default: stride = 8
        }
        return .array((0..<count).map { read(field, elements + $0 * stride) ?? .null })
    }

    private static func single(
        _ field: JSONField,
        _ message: UnsafeRawPointer,
        _ place: UnsafeRawPointer
    ) -> JSONValue? {
        switch field.kind {
        case .string, .message, .headers: break
        default:
            let has = message.load(fromByteOffset: Int(field.field.pointee.quantifier_offset), as: Int32.self)
            if !field.isRequired, has == 0 { return nil }
        }
        return read(field, place)
    }

    private static func read(_ field: JSONField, _ place: UnsafeRawPointer) -> JSONValue? {
        switch field.kind {
        case .string: return place.load(as: UnsafePointer<CChar>?.self).map { .string(String(cString: $0)) }
        case .bool: return .bool(place.load(as: Int32.self) != 0)
        case .int32: return .integer(Int64(place.load(as: Int32.self)))
        case .uint32: return .integer(Int64(place.load(as: UInt32.self)))
        case .int64: return .integer(place.load(as: Int64.self))
        case .uint64:
            let number = place.load(as: UInt64.self)
            return Int64(exactly: number).map(JSONValue.integer) ?? .number(Double(number))
        case .double: return .number(place.load(as: Double.self))
        case .time: return .string(WireTime.text(place.load(as: Int64.self)))
        case .id: return .string(WireReader.id(place.load(as: ProtobufCBinaryData.self)).description)
        case .bytes:
            let data = place.load(as: ProtobufCBinaryData.self)
            return .string(hexadecimal(UnsafeBufferPointer(start: data.data, count: data.len)))
        case .enumeration(let names):
            let number = place.load(as: Int32.self)
            return names.name(of: number).map(JSONValue.string) ?? .integer(Int64(number))
        case .headers: return nil
        case .message(let descriptor):
            return place.load(as: UnsafeRawPointer?.self).map { read(descriptor, $0) }
        }
    }

    /// Headers with the same name are one member, joined as in HTTP (RFC 9110, section 5.3).
    private static func headers(_ count: Int, _ elements: UnsafeRawPointer?) -> JSONValue {
        let pointers = elements?.assumingMemoryBound(to: UnsafeMutablePointer<Carillon__V1__Header>?.self)
        let headers = WireReader.headers(count, pointers.map(UnsafeMutablePointer.init(mutating:)))
        var members: [JSONValue.Member] = []
        for header in headers {
            if let index = members.firstIndex(where: { $0.name == header.name }),
                case .string(let before) = members[index].value
            {
                members[index].value = .string("\(before), \(header.value)")
            } else {
                members.append(JSONValue.Member(header.name, .string(header.value)))
            }
        }
        return .object(members)
    }

    private static func hexadecimal(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
