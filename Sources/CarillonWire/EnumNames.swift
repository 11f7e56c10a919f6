package import CCarillonProto
internal import CProtobuf

/// The names of an enumeration's values in the API: the protocol's names without the enumeration's prefix.
package struct EnumNames: Sendable {
    private let names: [(number: Int32, name: String)]

    package init(of descriptor: UnsafePointer<ProtobufCEnumDescriptor>) {
        let prefix = EnumNames.prefix(of: String(cString: descriptor.pointee.short_name))
        names = (0..<Int(descriptor.pointee.n_values)).map { index in
            let value = descriptor.pointee.values[index]
            let name = String(cString: value.name)
            return (value.value, name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name)
        }
    }

    /// All names, separated by commas.
    package var list: String { names.map(\.name).joined(separator: ", ") }

    package func name(of number: Int32) -> String? {
        names.first { $0.number == number }?.name
    }

    package func number(of name: String) -> Int32? {
        names.first { $0.name == name }?.number
    }

    /// `ExecutionType` → `EXECUTION_TYPE_`.
    private static func prefix(of name: String) -> String {
        var prefix = ""
        for character in name {
            if character.isUppercase, !prefix.isEmpty { prefix += "_" }
            prefix += character.uppercased()
        }
        return prefix + "_"
    }
}
