package import CarillonCore

/// Why bytes are no frame or no message of the protocol. `text` is a sentence that names the message and the field.
package struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// A frame announces more bytes than the limit allows.
        case oversized
        /// The bytes are not protobuf of the expected shape: truncated, a wrong wire type, a bad tag.
        case malformed
        /// The bytes can be read, but a field's content is against the rules: bad UTF-8, NUL, no 16-byte id, an unknown
        /// enumeration value, a missing required field, a number out of range.
        case invalid
        /// The bytes ask for something that this version does not do yet.
        case unimplemented
    }

    package var kind: Kind
    package var text: String
    /// With `invalid`: the field, as a path from the message (`settings.name`).
    package var field: String?
    /// With `invalid` and `unimplemented` of a client's request: the request's id. It can be answered, and the connection goes on.
    package var requestID: UInt64?

    package init(_ kind: Kind, _ text: String, field: String? = nil, requestID: UInt64? = nil) {
        self.kind = kind
        self.text = text
        self.field = field
        self.requestID = requestID
    }

    package var description: String {
        if let field { "\(field): \(text)" } else { text }
    }

    /// The error that a peer is told.
    package var asClientError: ClientError {
        switch kind {
        case .oversized:
            ClientError(.resourceExhausted, text, retryable: false)
        case .malformed, .invalid, .unimplemented:
            ClientError(
                kind == .unimplemented ? .unimplemented : .invalidArgument,
                description,
                errors: field.map { [FieldError(field: $0, message: text)] } ?? []
            )
        }
    }
}
