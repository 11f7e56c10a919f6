/// Within which names of jobs and idempotency keys are unique. Until there are identities there is one.
package enum Namespace {
    /// The namespace of a request that names none.
    package static let standard = "default"

    /// Why a request that names this namespace is refused; `nil` when it is not.
    package static func problem(with name: String) -> String? {
        guard !name.isEmpty, name != standard else { return nil }
        return """
            '\(name.prefix(63))' cannot be used: this version has only the namespace '\(standard)'; leave the field out, or \
            name that one
            """
    }
}
