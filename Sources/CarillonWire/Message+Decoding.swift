internal import CCarillonProto
internal import CarillonCore

extension Message {
    init(_ wire: Carillon__V1__Envelope, memory: inout DispatchMemory) throws(WireError) {
        switch wire.body_case {
        case CARILLON__V1__ENVELOPE__BODY_HELLO: self = .hello(try Hello(wire.hello))
        case CARILLON__V1__ENVELOPE__BODY_WELCOME: self = .welcome(try Welcome(wire.welcome))
        case CARILLON__V1__ENVELOPE__BODY_PING: self = .ping(sentMicroseconds: wire.ping.pointee.sent_us)
        case CARILLON__V1__ENVELOPE__BODY_PONG:
            self = .pong(
                pingSentMicroseconds: wire.pong.pointee.ping_sent_us,
                answeredMicroseconds: wire.pong.pointee.answered_us,
                clockMicroseconds: WireReader.optional(wire.pong.pointee.has_clock_us, wire.pong.pointee.clock_us)
            )
        case CARILLON__V1__ENVELOPE__BODY_GOODBYE: self = .goodbye(why: WireReader.text(wire.goodbye.pointee.why))
        case CARILLON__V1__ENVELOPE__BODY_ERROR: self = .error(try ClientError(wire.error))
        case CARILLON__V1__ENVELOPE__BODY_LEAD:
            self = .lead(
                LeadProof(
                    epoch: wire.lead.pointee.epoch,
                    incarnation: wire.lead.pointee.incarnation,
                    proof: WireReader.code(wire.lead.pointee.proof)
                ),
                shards: try WireReader.shards(wire.lead.pointee.n_shards, wire.lead.pointee.shards)
            )
        case CARILLON__V1__ENVELOPE__BODY_HOLDING:
            self = .holding(
                epoch: wire.holding.pointee.epoch,
                running: try WireReader.list(
                    wire.holding.pointee.n_running,
                    wire.holding.pointee.running,
                    HeldCall.init
                )
            )
        case CARILLON__V1__ENVELOPE__BODY_CREDIT: self = .credit(granted: wire.credit.pointee.granted)
        case CARILLON__V1__ENVELOPE__BODY_DISPATCH:
            self = .dispatch(
                clusterTime: Timestamp(milliseconds: wire.dispatch.pointee.cluster_time),
                try memory.calls(wire.dispatch.pointee.n_calls, wire.dispatch.pointee.calls)
            )
        case CARILLON__V1__ENVELOPE__BODY_STARTED:
            self = .started(WireReader.tokens(wire.started.pointee.n_tokens, wire.started.pointee.tokens))
        case CARILLON__V1__ENVELOPE__BODY_OUTCOME:
            self = .outcome(
                try WireReader.list(
                    wire.outcome.pointee.n_outcomes,
                    wire.outcome.pointee.outcomes,
                    CallOutcome.init
                )
            )
        case CARILLON__V1__ENVELOPE__BODY_OUTCOME_ACK:
            self = .outcomeAck(
                try WireReader.list(
                    wire.outcome_ack.pointee.n_outcomes,
                    wire.outcome_ack.pointee.outcomes,
                    AcknowledgedOutcome.init
                )
            )
        case CARILLON__V1__ENVELOPE__BODY_CANCEL:
            self = .cancel(WireReader.tokens(wire.cancel.pointee.n_tokens, wire.cancel.pointee.tokens))
        case CARILLON__V1__ENVELOPE__BODY_DRAIN: self = .drain
        case CARILLON__V1__ENVELOPE__BODY_LEAD_REFUSED:
            self = .leadRefused(
                epoch: wire.lead_refused.pointee.epoch,
                shards: try WireReader.shards(wire.lead_refused.pointee.n_shards, wire.lead_refused.pointee.shards),
                highest: LeadProof(
                    epoch: wire.lead_refused.pointee.highest_epoch,
                    incarnation: wire.lead_refused.pointee.highest_incarnation,
                    proof: WireReader.code(wire.lead_refused.pointee.highest_proof)
                )
            )
        case CARILLON__V1__ENVELOPE__BODY_CLAIM_QUERY:
            self = .claimQuery(
                try WireReader.list(
                    wire.claim_query.pointee.n_claims,
                    wire.claim_query.pointee.claims,
                    QueriedClaim.init
                )
            )
        case CARILLON__V1__ENVELOPE__BODY_CLAIM_ANSWER:
            self = .claimAnswer(
                rememberedMs: wire.claim_answer.pointee.remembered_ms,
                try WireReader.list(
                    wire.claim_answer.pointee.n_claims,
                    wire.claim_answer.pointee.claims,
                    AnsweredClaim.init
                )
            )
        default:
            if let request = try Request(wire) {
                self = .request(request)
            } else if let answer = try Answer(wire) {
                self = .answer(answer)
            } else {
                self = .unknown
            }
        }
    }
}

extension Hello {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__Hello>) throws(WireError) {
        self.init(
            protocolVersion: wire.pointee.protocol_version,
            role: try Role(wire: wire.pointee.role),
            name: WireReader.text(wire.pointee.name),
            bootID: WireReader.id(wire.pointee.boot_id),
            features: WireReader.strings(wire.pointee.n_features, wire.pointee.features),
            maxWorkers: WireReader.optional(wire.pointee.has_max_workers, wire.pointee.max_workers),
            version: WireReader.optionalText(wire.pointee.version)
        )
    }
}

extension Welcome {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__Welcome>) throws(WireError) {
        self.init(
            protocolVersion: wire.pointee.protocol_version,
            serverID: WireReader.id(wire.pointee.server_id),
            leading: wire.pointee.leading != 0,
            epoch: WireReader.optional(wire.pointee.has_epoch, wire.pointee.epoch),
            shards: try WireReader.shards(wire.pointee.n_shards, wire.pointee.shards),
            heartbeatMs: wire.pointee.heartbeat_ms,
            maxFrameBytes: wire.pointee.max_frame_bytes,
            serverTime: Timestamp(milliseconds: wire.pointee.server_time),
            version: WireReader.optionalText(wire.pointee.version),
            leaderAddress: WireReader.optionalText(wire.pointee.leader_address)
        )
    }
}

extension ClientError {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__Error>) throws(WireError) {
        self.init(
            try Code(wire: wire.pointee.code),
            WireReader.text(wire.pointee.text),
            errors: try WireReader.list(wire.pointee.n_errors, wire.pointee.errors) { (field) throws(WireError) in
                FieldError(
                    field: WireReader.text(field.pointee.field),
                    message: WireReader.text(field.pointee.message)
                )
            },
            retryable: wire.pointee.retryable != 0,
            // A reason from a newer version is dropped; the code remains.
            reason: WireReader.optionalText(wire.pointee.reason).flatMap(Reason.init(rawValue:)),
            leaderAddress: WireReader.optionalText(wire.pointee.leader_address)
        )
    }
}
