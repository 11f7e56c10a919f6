internal import CCarillonProto
internal import CProtobuf
internal import CarillonCore
internal import CarillonWire

/// Builds a C struct from JSON by its descriptor, and collects all errors.
final class MessageBuilder {
    private(set) var errors: [FieldError] = []
    private let arena: Arena
    private let request: String
    /// Whether the limit of errors is reached; the rest is not checked.
    private var isFull: Bool { errors.count >= ClientError.maxFieldErrors }

    init(arena: Arena, request: String) {
        self.arena = arena
        self.request = request
    }

    func build(
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ members: [JSONValue.Member]
    ) -> UnsafeMutableRawPointer {
        let message = make(descriptor)
        var settings: UnsafeMutableRawPointer?
        for index in 0..<Int(descriptor.pointee.n_fields) {
            let field = descriptor.pointee.fields + index
            guard let inner = JSONField.settings(field) else { continue }
            let made = make(inner)
            settings = made
            (message + Int(field.pointee.offset)).storeBytes(of: made, as: UnsafeMutableRawPointer.self)
        }
        let fields = JSONField.fields(of: descriptor)
        var given: Set<String> = []
        var cleared: [String] = []
        for member in members {
            guard !isFull else { return message }
            guard let field = fields.first(where: { $0.name == member.name }) else {
                errors.append(unknownField(member.name, fields))
                continue
            }
            guard given.insert(member.name).inserted else {
                errors.append(FieldError(field: member.name, message: "is given twice"))
                continue
            }
            if field.isInSettings, saysNothing(member.value, field) {
                cleared.append(field.name)
            } else if member.value != .null {
                set(field, member.value, in: field.isInSettings ? settings ?? message : message)
            } else if field.isRequired {
                errors.append(FieldError(field: field.name, message: "is required"))
            }
        }
        for field in fields where field.isRequired && !given.contains(field.name) && !isFull {
            errors.append(FieldError(field: field.name, message: "is required"))
        }
        if let settings, !cleared.isEmpty {
            let typed = settings.assumingMemoryBound(to: Carillon__V1__JobSettings.self)
            (typed.pointee.n_cleared_fields, typed.pointee.cleared_fields) = arena.strings(cleared)
        }
        return message
    }

    func pack(_ envelope: inout Carillon__V1__Envelope) -> [UInt8] {
        withUnsafePointer(to: &envelope) { envelope in
            let size = carillon__v1__envelope__get_packed_size(envelope)
            return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = carillon__v1__envelope__pack(envelope, buffer.baseAddress)
            }
        }
    }

    private func make(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) -> UnsafeMutableRawPointer {
        let memory = arena.raw(Int(descriptor.pointee.sizeof_message))
        descriptor.pointee.message_init(memory.assumingMemoryBound(to: ProtobufCMessage.self))
        return memory
    }

    /// Whether a null or an empty list resets the field to its default.
    private func saysNothing(_ value: JSONValue, _ field: JSONField) -> Bool {
        switch value {
        case .null: true
        case .array(let values): field.isRepeated && values.isEmpty && !isHeaders(field)
        case .object(let members): members.isEmpty && isHeaders(field)
        default: false
        }
    }

    private func isHeaders(_ field: JSONField) -> Bool {
        if case .headers = field.kind { true } else { false }
    }

    // MARK: Values

    private func set(_ field: JSONField, _ value: JSONValue, in message: UnsafeMutableRawPointer) {
        let place = message + Int(field.field.pointee.offset)
        let quantifier = message + Int(field.field.pointee.quantifier_offset)
        if case .headers = field.kind {
            guard let headers = headers(field, value) else { return }
            let list = arena.headers(headers)
            quantifier.storeBytes(of: list.count, as: Int.self)
            place.storeBytes(of: UnsafeMutableRawPointer(list.pointers), as: UnsafeMutableRawPointer?.self)
            return
        }
        guard field.isRepeated else {
            store(field, value, at: place, path: field.name)
            if field.field.pointee.label == PROTOBUF_C_LABEL_OPTIONAL, hasFlag(field) {
                quantifier.storeBytes(of: 1, as: Int32.self)
            }
            return
        }
        guard case .array(let values) = value else { return wrongType(field.name, "an array", value) }
        let stride = stride(of: field)
        let elements = arena.raw(stride * values.count)
        for (index, element) in values.enumerated() {
            guard !isFull else { return }
            store(field, element, at: elements + index * stride, path: "\(field.name)[\(index)]")
        }
        quantifier.storeBytes(of: values.count, as: Int.self)
        place.storeBytes(of: elements, as: UnsafeMutableRawPointer.self)
    }

    /// Optional strings are present when their pointer is not null; other optional fields have a flag.
    private func hasFlag(_ field: JSONField) -> Bool {
        switch field.kind {
        case .string, .message: false
        default: true
        }
    }

    private func stride(of field: JSONField) -> Int {
        switch field.kind {
        case .int32, .uint32, .bool, .enumeration: 4
        case .id, .bytes: MemoryLayout<ProtobufCBinaryData>.stride
        default: 8
        }
    }

    private func store(_ field: JSONField, _ value: JSONValue, at place: UnsafeMutableRawPointer, path: String) {
        switch field.kind {
        case .string:
            guard let text = text(value, path) else { return }
            place.storeBytes(of: arena.string(text), as: UnsafeMutablePointer<CChar>.self)
        case .bool:
            guard case .bool(let bool) = value else { return wrongType(path, "a boolean", value) }
            place.storeBytes(of: bool ? 1 : 0, as: Int32.self)
        case .int32: integer(value, path).map { place.storeBytes(of: $0, as: Int32.self) }
        case .uint32: integer(value, path).map { place.storeBytes(of: $0, as: UInt32.self) }
        case .int64: integer(value, path).map { place.storeBytes(of: $0, as: Int64.self) }
        case .uint64: integer(value, path).map { place.storeBytes(of: $0, as: UInt64.self) }
        case .double:
            switch value {
            case .integer(let number): place.storeBytes(of: Double(number), as: Double.self)
            case .number(let number) where number.isFinite: place.storeBytes(of: number, as: Double.self)
            case .number: errors.append(FieldError(field: path, message: "expected a finite number"))
            default: wrongType(path, "a number", value)
            }
        case .time:
            guard let text = string(value, path, "an RFC 3339 time in a string") else { return }
            do throws(WireError) {
                place.storeBytes(of: try WireTime.parse(text), as: Int64.self)
            } catch {
                errors.append(FieldError(field: path, message: error.text))
            }
        case .id:
            guard let text = string(value, path, "a UUID in a string") else { return }
            guard let id = UniqueID(text) else {
                let message = "\"\(shortened(text))\" is not a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"
                return errors.append(FieldError(field: path, message: message))
            }
            place.storeBytes(of: arena.id(id), as: ProtobufCBinaryData.self)
        case .enumeration(let names):
            guard case .string(let text) = value else { return wrongType(path, "one of \(names.list)", value) }
            guard let number = names.number(of: text) else {
                let message = "\"\(shortened(text))\" is not one of \(names.list)"
                return errors.append(FieldError(field: path, message: message))
            }
            place.storeBytes(of: number, as: Int32.self)
        case .bytes, .headers, .message:
            errors.append(FieldError(field: path, message: "cannot be given as JSON"))
        }
    }

    private func headers(_ field: JSONField, _ value: JSONValue) -> [HTTPHeader]? {
        guard case .object(let members) = value else {
            wrongType(field.name, "an object of strings", value)
            return nil
        }
        var headers: [HTTPHeader] = []
        for member in members {
            guard !isFull else { return nil }
            let path = "\(field.name).\(member.name)"
            guard !member.name.utf8.contains(0) else {
                errors.append(FieldError(field: field.name, message: "a name must not contain a NUL character"))
                continue
            }
            guard let text = text(member.value, path) else { continue }
            headers.append(HTTPHeader(name: member.name, value: text))
        }
        return headers
    }

    private func text(_ value: JSONValue, _ path: String) -> String? {
        guard let text = string(value, path, "a string") else { return nil }
        guard !text.utf8.contains(0) else {
            errors.append(FieldError(field: path, message: "must not contain a NUL character"))
            return nil
        }
        return text
    }

    private func string(_ value: JSONValue, _ path: String, _ expected: String) -> String? {
        guard case .string(let text) = value else {
            wrongType(path, expected, value)
            return nil
        }
        return text
    }

    private func integer<Number: FixedWidthInteger>(_ value: JSONValue, _ path: String) -> Number? {
        let whole: Number?
        switch value {
        case .integer(let number): whole = Number(exactly: number)
        case .number(let number):
            guard number.rounded() == number else {
                errors.append(FieldError(field: path, message: "expected a whole number, found \(number)"))
                return nil
            }
            whole = Number(exactly: number)
        default:
            wrongType(path, "a whole number", value)
            return nil
        }
        if whole == nil {
            errors.append(FieldError(field: path, message: "must be \(Number.min) to \(Number.max)"))
        }
        return whole
    }

    // MARK: Errors

    private func wrongType(_ path: String, _ expected: String, _ value: JSONValue) {
        errors.append(FieldError(field: path, message: "expected \(expected), found \(value.kindInWords)"))
    }

    private func shortened(_ text: String) -> String {
        text.count > 60 ? text.prefix(60) + "…" : text
    }

    private func unknownField(_ name: String, _ fields: [JSONField]) -> FieldError {
        let near = fields.map { ($0.name, EditDistance.between($0.name, name)) }.min { $0.1 < $1.1 }
        let nearest = near.flatMap { $0.1 <= 2 ? $0.0 : nil }
        return FieldError(unknown: name, of: request, nearest: nearest, hasOthers: !fields.isEmpty)
    }
}
