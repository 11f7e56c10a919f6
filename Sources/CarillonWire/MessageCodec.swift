package import CCarillonProto
internal import CProtobuf
internal import CarillonCore

/// Encodes and decodes envelopes. Owns and reuses the memory of the C structs, and keeps strings for the next Dispatch
/// (`DispatchMemory`). Use one codec for each connection or thread.
package struct MessageCodec: ~Copyable {
    private let arena = Arena()

    package init() {}

    // MARK: Encoding

    /// Appends a frame: the payload's length, then the payload.
    package func encode(_ envelope: Envelope, into output: inout [UInt8]) {
        withFrame(of: envelope) { output.append(contentsOf: $0) }
    }

    /// Passes a frame, length and payload, that is valid during the call.
    package func withFrame<R>(of envelope: Envelope, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        arena.reset()
        var wire = wireEnvelope(envelope)
        return withUnsafeMutablePointer(to: &wire) { wire in
            let message = UnsafeRawPointer(wire).assumingMemoryBound(to: ProtobufCMessage.self)
            let size = protobuf_c_message_get_packed_size(message)
            let frame = arena.raw(FrameEncoder.headerBytes + size)
            frame.storeBytes(of: UInt32(size).bigEndian, as: UInt32.self)
            protobuf_c_message_pack(
                message,
                (frame + FrameEncoder.headerBytes).assumingMemoryBound(to: UInt8.self)
            )
            return body(UnsafeRawBufferPointer(start: frame, count: FrameEncoder.headerBytes + size))
        }
    }

    /// Encodes one envelope where no codec is at hand.
    package static func frame(of envelope: Envelope) -> [UInt8] {
        MessageCodec().withFrame(of: envelope) { Array($0) }
    }

    private func wireEnvelope(_ envelope: Envelope) -> Carillon__V1__Envelope {
        var wire = Carillon__V1__Envelope()
        carillon__v1__envelope__init(&wire)
        wire.id = envelope.id
        switch envelope.message {
        case .hello(let hello):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_HELLO
            wire.hello = arena.hello(hello)
        case .welcome(let welcome):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_WELCOME
            wire.welcome = arena.welcome(welcome)
        case .ping(let sent):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_PING
            wire.ping = arena.ping(sent)
        case .pong(let sent, let answered, let clock):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_PONG
            wire.pong = arena.pong(sent, answered, clock)
        case .goodbye(let why):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_GOODBYE
            wire.goodbye = arena.goodbye(why)
        case .error(let error):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_ERROR
            wire.error = arena.error(error)
        case .lead(let lead, let shards):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_LEAD
            wire.lead = arena.lead(lead, shards)
        case .leadRefused(let epoch, let shards, let highest):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_LEAD_REFUSED
            wire.lead_refused = arena.leadRefused(epoch, shards, highest)
        case .holding(let epoch, let running):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_HOLDING
            wire.holding = arena.holding(epoch, running)
        case .credit(let granted):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_CREDIT
            wire.credit = arena.credit(granted)
        case .dispatch(let clusterTime, let calls):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_DISPATCH
            wire.dispatch = arena.dispatch(clusterTime, calls)
        case .started(let tokens):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_STARTED
            wire.started = arena.started(tokens)
        case .outcome(let outcomes):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_OUTCOME
            wire.outcome = arena.outcome(outcomes)
        case .outcomeAck(let outcomes):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_OUTCOME_ACK
            wire.outcome_ack = arena.outcomeAck(outcomes)
        case .claimQuery(let claims):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_CLAIM_QUERY
            wire.claim_query = arena.claimQuery(claims)
        case .claimAnswer(let rememberedMs, let claims):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_CLAIM_ANSWER
            wire.claim_answer = arena.claimAnswer(rememberedMs, claims)
        case .cancel(let tokens):
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_CANCEL
            wire.cancel = arena.cancel(tokens)
        case .drain:
            wire.body_case = CARILLON__V1__ENVELOPE__BODY_DRAIN
            wire.drain = arena.one(carillon__v1__drain__init)
        case .request(let request): arena.request(request, into: &wire)
        case .answer(let answer): arena.answer(answer, into: &wire)
        case .unknown: break
        }
        return wire
    }

    // MARK: Decoding

    /// Decodes one payload.
    /// - Throws: `malformed`, `invalid` or `unimplemented`, with the message and the field. `requestID` is set if the error can be
    ///   sent as the answer to a client's request.
    package func decode(payload: UnsafeRawBufferPointer) throws(WireError) -> Envelope {
        do throws(WireError) {
            return try unpack(payload)
        } catch {
            guard error.kind == .invalid || error.kind == .unimplemented,
                let known = try? PayloadScanner.peek(payload), let id = known.id, id != 0,
                MessageCodec.requestFields.contains(known.body)
            else { throw error }
            var answerable = error
            answerable.requestID = id
            // The path starts with the request's name, which the sender knows.
            if let field = error.field, let dot = field.firstIndex(of: ".") {
                answerable.field = String(field[field.index(after: dot)...])
            }
            throw answerable
        }
    }

    /// Like the function above, for an array.
    package func decode(payload: [UInt8]) throws(WireError) -> Envelope {
        let outcome = payload.withUnsafeBytes { bytes -> Result<Envelope, WireError> in
            do throws(WireError) {
                return .success(try decode(payload: bytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    /// The field numbers of requests.
    package static let requestFields: ClosedRange<UInt32> = 32...63
    /// The field numbers of answers to clients.
    package static let answerFields: ClosedRange<UInt32> = 64...95
    /// The field number of Error.
    package static let errorField: UInt32 = 7
    /// The field number of the envelope's credentials, which are not a body.
    static let credentialsField: UInt32 = 96

    /// The id and the field number of the body, without decoding the body; used to route an answer that the caller decodes.
    package static func peek(_ payload: UnsafeRawBufferPointer) throws(WireError) -> (id: UInt64, body: UInt32) {
        let (id, body) = try PayloadScanner.peek(payload)
        guard let id else { throw WireError(.invalid, "is required", field: "id") }
        return (id, body)
    }

    /// The name of a body's field; `unknown` for an unknown number.
    package static func name(ofBody number: UInt32) -> String {
        Int(number) < bodyNames.count ? bodyNames[Int(number)] : "unknown"
    }

    private static let bodyNames: [String] = {
        let fields = EnvelopeField.all
        var names = [String](repeating: "unknown", count: Int((fields.map(\.number).max() ?? 0) + 1))
        for field in fields { names[Int(field.number)] = field.name }
        return names
    }()

    private func unpack(_ payload: UnsafeRawBufferPointer) throws(WireError) -> Envelope {
        let unpacked = try arena.unpackEnvelope(payload)
        return Envelope(id: unpacked.pointee.id, try Message(unpacked.pointee, memory: &arena.dispatches))
    }
}

extension Arena {
    /// Validates and unpacks an envelope; the result is valid until the next `reset`.
    package func unpackEnvelope(
        _ payload: UnsafeRawBufferPointer
    ) throws(WireError) -> UnsafeMutablePointer<Carillon__V1__Envelope> {
        // An empty payload may have no address.
        var nothing: UInt8 = 0
        guard let start = payload.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            try PayloadScanner.scan(MessagePlan.envelope.plan, &nothing, &nothing)
            throw WireError(.invalid, "is required", field: "id")
        }
        try PayloadScanner.scan(MessagePlan.envelope.plan, start, start + payload.count)
        // The memory limit of a message is proportional to its encoded size.
        reset(limit: 64 << 10 + payload.count * 48)
        guard let envelope = carillon__v1__envelope__unpack(allocator, payload.count, start) else {
            throw WireError(.malformed, "the message cannot be unpacked, or it has too many fields")
        }
        try Self.refuse(envelope.pointee.has_credentials, envelope.pointee.credentials, "credentials")
        if envelope.pointee.body_case == CARILLON__V1__ENVELOPE__BODY_HELLO, let hello = envelope.pointee.hello {
            try Self.refuse(hello.pointee.has_credentials, hello.pointee.credentials, "hello.credentials")
        }
        return envelope
    }

    /// Refuses credentials, because this version does not check them: their sender must not assume that it did.
    private static func refuse(_ has: Int32, _ credentials: ProtobufCBinaryData, _ field: String) throws(WireError) {
        guard has != 0, credentials.len > 0 else { return }
        throw WireError(
            .unimplemented,
            "has \(credentials.len) bytes; this version does not check credentials, so they must be empty",
            field: field
        )
    }
}
