internal import CCarillonProto
internal import CProtobuf
internal import CarillonCore

/// The field `namespace` of requests.
package enum NamespaceField {
    package static let name = "namespace"

    /// The offset of the field in a request's struct, by the body's field number.
    private static let offsets: [UInt32: Int] = {
        var offsets: [UInt32: Int] = [:]
        for request in EnvelopeField.all where request.isRequest {
            guard let message = request.message else { continue }
            let fields = UnsafeBufferPointer(start: message.pointee.fields, count: Int(message.pointee.n_fields))
            guard let field = fields.first(where: { $0.text == name }) else { continue }
            offsets[request.number] = Int(field.offset)
        }
        return offsets
    }()

    /// Refuses a request for a namespace other than the existing one.
    static func check(_ envelope: Carillon__V1__Envelope) throws(WireError) {
        guard let offset = offsets[envelope.body_case.rawValue],
            // All members of the union are pointers at the same offset.
            let body = UnsafeRawPointer(envelope.get_job),
            let text = WireReader.optionalText((body + offset).load(as: UnsafeMutablePointer<CChar>?.self)),
            let problem = Namespace.problem(with: text)
        else { return }
        throw WireError(.unimplemented, problem, field: name)
    }
}
