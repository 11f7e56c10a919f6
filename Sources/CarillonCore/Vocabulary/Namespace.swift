/// The scope in which job names and idempotency keys are unique. This version has one namespace.
package enum Namespace {
    /// The namespace of a request that does not specify one.
    package static let standard = "default"

    /// The reason to reject a request with this namespace; `nil` if the namespace is valid.
    package static func problem(with name: String) -> String? {
        guard !name.isEmpty, name != standard else { return nil }
        return """
            '\(name.prefix(63))' cannot be used: this version has only the namespace '\(standard)'; leave the field out, or \
            name that one
            """
    }
}
