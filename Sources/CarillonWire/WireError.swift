package import CarillonCore

/// Why bytes are not a valid frame or message. `text` is a sentence that names the message and the field.
package struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// A frame announces more bytes than the limit allows.
        case oversized
        /// The bytes are not protobuf of the expected shape: truncated, a wrong wire type, a bad tag.
        case malformed
        /// The bytes are well-formed, but a field is invalid: bad UTF-8, NUL, an id without 16 bytes, an unknown enumeration value, a
        /// missing required field, a number out of range.
        case invalid
        /// The message uses a feature that this version does not support yet.
        case unimplemented
    }

    package var kind: Kind
    package var text: String
    /// With `invalid`: the field, as a path from the message (`settings.name`).
    package var field: String?
    /// With `invalid` and `unimplemented` in a client's request: the request's id. The error is its answer; the connection continues.
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

    /// The error as sent to the peer.
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
