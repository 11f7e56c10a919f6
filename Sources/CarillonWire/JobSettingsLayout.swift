internal import CCarillonProto
internal import CProtobuf
internal import CarillonCore

/// The offsets of job settings in protobuf-c's struct, from the catalogue of settings and the message descriptor.
enum JobSettingsLayout {
    struct Entry {
        let field: JobField
        /// The offsets of the value, and of the flag or count that says whether it is present.
        let offset: Int
        let quantifierOffset: Int
        /// The value names of an enumeration setting.
        let names: EnumNames?

        /// The value in a message; `nil` when the field is absent or an empty list.
        func value(in message: UnsafeRawPointer) throws(WireError) -> JobValue? {
            let place = message + offset
            switch field.kind {
            case .text:
                return WireReader.optionalText(place.load(as: UnsafeMutablePointer<CChar>?.self)).map(JobValue.text)
            case .list:
                let count = message.load(fromByteOffset: quantifierOffset, as: Int.self)
                let pointers = place.load(as: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self)
                return count > 0 ? .list(WireReader.strings(count, pointers)) : nil
            case .map:
                let count = message.load(fromByteOffset: quantifierOffset, as: Int.self)
                let pointers = place.load(
                    as: UnsafeMutablePointer<UnsafeMutablePointer<Carillon__V1__Header>?>?.self
                )
                return count > 0 ? .headers(WireReader.headers(count, pointers)) : nil
            case .word, .seconds, .integer, .time, .flag:
                guard message.load(fromByteOffset: quantifierOffset, as: Int32.self) != 0 else { return nil }
                return try number(at: place)
            }
        }

        private func number(at place: UnsafeRawPointer) throws(WireError) -> JobValue {
            switch field.kind {
            case .seconds: return .seconds(place.load(as: Double.self))
            case .integer: return .integer(Int(place.load(as: Int32.self)))
            case .time: return .time(Timestamp(milliseconds: place.load(as: Int64.self)))
            case .flag: return .flag(place.load(as: Int32.self) != 0)
            case .word, .text, .list, .map:
                guard let name = names?.name(of: place.load(as: Int32.self)) else {
                    throw WireError(.invalid, "unknown enumeration value")
                }
                return .text(name)
            }
        }

        /// Writes a value into a message. A value of another type than the setting's is ignored.
        func write(_ value: JobValue, to message: UnsafeMutableRawPointer, in arena: Arena) {
            let place = message + offset
            switch (field.kind, value) {
            case (.text, .text(let text)):
                let copy: UnsafeMutablePointer<CChar> = arena.string(text)
                place.storeBytes(of: copy, as: UnsafeMutablePointer<CChar>.self)
                return
            case (.list, .list(let texts)):
                let list = arena.strings(texts)
                place.storeBytes(of: list.pointers, as: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self)
                message.storeBytes(of: list.count, toByteOffset: quantifierOffset, as: Int.self)
                return
            case (.map, .headers(let headers)):
                let list = arena.headers(headers)
                place.storeBytes(
                    of: list.pointers,
                    as: UnsafeMutablePointer<UnsafeMutablePointer<Carillon__V1__Header>?>?.self
                )
                message.storeBytes(of: list.count, toByteOffset: quantifierOffset, as: Int.self)
                return
            case (.word, .text(let name)):
                guard let number = names?.number(of: name) else { return }
                place.storeBytes(of: number, as: Int32.self)
            case (.seconds, .seconds(let seconds)): place.storeBytes(of: seconds, as: Double.self)
            case (.integer, .integer(let number)): place.storeBytes(of: Int32(clamping: number), as: Int32.self)
            case (.time, .time(let time)): place.storeBytes(of: time.milliseconds, as: Int64.self)
            case (.flag, .flag(let flag)): place.storeBytes(of: flag ? 1 : 0, as: Int32.self)
            default: return
            }
            message.storeBytes(of: 1, toByteOffset: quantifierOffset, as: Int32.self)
        }
    }

    /// All settings, in the order of the catalogue.
    static let entries: [Entry] = {
        var message = Carillon__V1__JobSettings()
        carillon__v1__job_settings__init(&message)
        guard let descriptor = message.base.descriptor else { preconditionFailure("a message has no descriptor") }
        let fields = UnsafeBufferPointer(start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields))
        return JobField.all.map { field in
            guard let wire = fields.first(where: { $0.text == field.name }) else {
                preconditionFailure("\(field.name) is missing in the message JobSettings of proto/carillon.proto")
            }
            var names: EnumNames?
            if wire.type == PROTOBUF_C_TYPE_ENUM {
                names = EnumNames(of: wire.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self))
            }
            precondition(
                wire.type == protocolType(of: field.kind),
                "\(field.name) has another type in proto/carillon.proto than in the catalogue"
            )
            return Entry(
                field: field,
                offset: Int(wire.offset),
                quantifierOffset: Int(wire.quantifier_offset),
                names: names
            )
        }
    }()

    private static func protocolType(of kind: JobField.Kind) -> ProtobufCType {
        switch kind {
        case .text, .list: PROTOBUF_C_TYPE_STRING
        case .word: PROTOBUF_C_TYPE_ENUM
        case .seconds: PROTOBUF_C_TYPE_DOUBLE
        case .integer: PROTOBUF_C_TYPE_INT32
        case .time: PROTOBUF_C_TYPE_INT64
        case .flag: PROTOBUF_C_TYPE_BOOL
        case .map: PROTOBUF_C_TYPE_MESSAGE
        }
    }
}
