internal import CProtobuf

/// Enumeration values by the names that the API uses: the protocol's, without the enumeration's own name before them.
enum EnumNames {
    static func all(of descriptor: UnsafePointer<ProtobufCEnumDescriptor>) -> [String] {
        let prefix = prefix(of: descriptor)
        return values(of: descriptor).map { short($0, prefix) }
    }

    static func name(of number: Int32, in descriptor: UnsafePointer<ProtobufCEnumDescriptor>) -> String? {
        guard let value = protobuf_c_enum_descriptor_get_value(descriptor, number) else { return nil }
        return short(value.pointee, prefix(of: descriptor))
    }

    static func number(of name: String, in descriptor: UnsafePointer<ProtobufCEnumDescriptor>) -> Int32? {
        let prefix = prefix(of: descriptor)
        return values(of: descriptor).first { short($0, prefix) == name }?.value
    }

    private static func values(
        of descriptor: UnsafePointer<ProtobufCEnumDescriptor>
    ) -> UnsafeBufferPointer<ProtobufCEnumValue> {
        UnsafeBufferPointer(start: descriptor.pointee.values, count: Int(descriptor.pointee.n_values))
    }

    private static func short(_ value: ProtobufCEnumValue, _ prefix: String) -> String {
        let name = String(cString: value.name)
        return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }

    /// `ExecutionType` → `EXECUTION_TYPE_`.
    private static func prefix(of descriptor: UnsafePointer<ProtobufCEnumDescriptor>) -> String {
        var prefix = ""
        for character in String(cString: descriptor.pointee.short_name) {
            if character.isUppercase, !prefix.isEmpty { prefix += "_" }
            prefix += character.uppercased()
        }
        return prefix + "_"
    }
}
