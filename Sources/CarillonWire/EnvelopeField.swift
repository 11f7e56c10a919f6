package import CCarillonProto
internal import CProtobuf

/// A field of the envelope, that is, a kind of message.
package struct EnvelopeField: Sendable {
    package var name: String
    package var number: UInt32
    /// - Note: descriptors are constants of the generated code, never written.
    package nonisolated(unsafe) var message: UnsafePointer<ProtobufCMessageDescriptor>?

    package var isRequest: Bool { MessageCodec.requestFields ~= number }
    package var isAnswer: Bool { MessageCodec.answerFields ~= number }

    /// All fields, in the protocol's order.
    package static let all: [EnvelopeField] = {
        let envelope = MessagePlan.envelope.plan.pointee.descriptor.pointee
        return (0..<Int(envelope.n_fields)).map { index in
            let field = envelope.fields[index]
            let message =
                field.type == PROTOBUF_C_TYPE_MESSAGE
                ? field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self) : nil
            return EnvelopeField(name: field.text, number: field.id, message: message)
        }
    }()
}
