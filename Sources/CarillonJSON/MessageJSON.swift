internal import CCarillonProto
internal import CProtobuf
package import CarillonCore
package import CarillonWire

/// Converts messages of the protocol to JSON and back, by protobuf-c's descriptors, without code for each message.
/// `proto/README.md` has the rules.
package enum MessageJSON {
    /// The names of all requests, in the protocol's order: `create_job`, …
    package static let requestNames: [String] = EnvelopeField.all.filter(\.isRequest).map(\.name)

    /// A field of a request, as `call --list` shows it.
    package struct FieldDescription: Sendable, Hashable {
        package var field: String
        /// The type in words: `string`, `time (RFC 3339)`, `one of ALLOW, SKIP`, …
        package var type: String
        package var required: Bool
    }

    /// The fields of a request; empty when it has none, `nil` for an unknown request.
    package static func describe(_ name: String) -> [FieldDescription]? {
        guard let message = requestField(name)?.message else { return nil }
        return JSONField.fields(of: message).map {
            FieldDescription(field: $0.name, type: $0.typeInWords, required: $0.isRequired)
        }
    }

    /// Encodes the payload of a request, without the frame's length.
    /// - Parameters:
    ///   - name: the name of the request in the envelope (`create_job`).
    ///   - arguments: an object with the request's fields; the fields of `settings` are on the same level.
    ///   - id: the id that the answer will have.
    /// - Throws: `invalidArgument` with an entry for every invalid field.
    package static func encodeRequest(
        name: String,
        arguments: JSONValue,
        id: UInt64
    ) throws(ClientError) -> [UInt8] {
        guard let field = requestField(name), let message = field.message else {
            throw ClientError(
                .invalidArgument,
                "there is no request \"\(name)\"; the requests are \(requestNames.joined(separator: ", "))"
            )
        }
        guard case .object(let members) = arguments else {
            throw ClientError(
                .invalidArgument,
                "the arguments of \(name) must be an object, not \(arguments.kindInWords)"
            )
        }
        let builder = MessageBuilder(arena: Arena(), request: name)
        let body = builder.build(message, members)
        guard builder.errors.isEmpty else { throw ClientError(invalidFields: builder.errors) }
        var envelope = Carillon__V1__Envelope()
        carillon__v1__envelope__init(&envelope)
        envelope.id = id
        envelope.body_case = Carillon__V1__Envelope__BodyCase(rawValue: field.number)
        // All members of the union are pointers at the same offset.
        envelope.get_job = body.assumingMemoryBound(to: Carillon__V1__GetJob.self)
        return builder.pack(&envelope)
    }

    /// Decodes an answer into its id, its name (`job`, `execution_list`, `error`, …) and its value.
    package static func decodeAnswer(
        _ payload: [UInt8]
    ) throws(WireError) -> (id: UInt64, name: String, value: JSONValue) {
        let outcome = payload.withUnsafeBytes { bytes -> Result<(UInt64, String, JSONValue), WireError> in
            do throws(WireError) {
                let arena = Arena()
                let envelope = try arena.unpackEnvelope(bytes)
                let number = envelope.pointee.body_case.rawValue
                guard let field = EnvelopeField.all.first(where: { $0.number == number }),
                    field.isAnswer || number == MessageCodec.errorField, let message = field.message,
                    let body = envelope.pointee.get_job
                else { throw WireError(.invalid, "the message is not an answer to a client") }
                let value = MessageReader.read(message, UnsafeRawPointer(body))
                return .success((envelope.pointee.id, field.name, value))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private static func requestField(_ name: String) -> EnvelopeField? {
        EnvelopeField.all.first { $0.isRequest && $0.name == name }
    }
}

extension JSONValue {
    /// The kind of the value with its article, for error texts.
    package var kindInWords: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
