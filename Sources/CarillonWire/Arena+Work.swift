internal import CCarillonProto
internal import CarillonCore

/// Messages between scheduler and worker, as protobuf-c's structs.
extension Arena {
    func lead(_ lead: LeadProof, _ shards: [UInt8]) -> UnsafeMutablePointer<Carillon__V1__Lead> {
        let wire = one(carillon__v1__lead__init)
        wire.pointee.epoch = lead.epoch
        wire.pointee.incarnation = lead.incarnation
        wire.pointee.proof = code(lead.proof)
        (wire.pointee.n_shards, wire.pointee.shards) = numbers(shards) { UInt32($0) }
        return wire
    }

    func leadRefused(
        _ epoch: Int64,
        _ shards: [UInt8],
        _ highest: LeadProof
    ) -> UnsafeMutablePointer<Carillon__V1__LeadRefused> {
        let wire = one(carillon__v1__lead_refused__init)
        wire.pointee.epoch = epoch
        (wire.pointee.n_shards, wire.pointee.shards) = numbers(shards) { UInt32($0) }
        wire.pointee.highest_epoch = highest.epoch
        wire.pointee.highest_incarnation = highest.incarnation
        wire.pointee.highest_proof = code(highest.proof)
        return wire
    }

    func claimQuery(_ claims: [QueriedClaim]) -> UnsafeMutablePointer<Carillon__V1__ClaimQuery> {
        let wire = one(carillon__v1__claim_query__init)
        (wire.pointee.n_claims, wire.pointee.claims) = list(claims, carillon__v1__queried_claim__init) {
            $1.pointee.token = token($0.token)
            $1.pointee.execution_id = id($0.executionID.uuid)
            $1.pointee.attempt = UInt32(clamping: $0.attempt)
            $1.pointee.shard = UInt32($0.shard)
        }
        return wire
    }

    func claimAnswer(
        _ rememberedMs: UInt64,
        _ claims: [AnsweredClaim]
    ) -> UnsafeMutablePointer<Carillon__V1__ClaimAnswer> {
        let wire = one(carillon__v1__claim_answer__init)
        wire.pointee.remembered_ms = rememberedMs
        (wire.pointee.n_claims, wire.pointee.claims) = list(claims, carillon__v1__answered_claim__init) {
            $1.pointee.token = token($0.claim.token)
            $1.pointee.execution_id = id($0.claim.executionID.uuid)
            $1.pointee.attempt = UInt32(clamping: $0.claim.attempt)
            $1.pointee.shard = UInt32($0.claim.shard)
            $1.pointee.state = $0.state.wire
        }
        return wire
    }

    func holding(_ epoch: Int64, _ running: [HeldCall]) -> UnsafeMutablePointer<Carillon__V1__Holding> {
        let wire = one(carillon__v1__holding__init)
        wire.pointee.epoch = epoch
        (wire.pointee.n_running, wire.pointee.running) = list(running, carillon__v1__held_call__init) {
            $1.pointee.token = token($0.token, $0.code)
            $1.pointee.execution_id = id($0.executionID.uuid)
            $1.pointee.job_id = id($0.jobID.uuid)
            $1.pointee.attempt = UInt32(clamping: $0.attempt)
            $1.pointee.shard = UInt32($0.shard)
        }
        return wire
    }

    func credit(_ granted: UInt64) -> UnsafeMutablePointer<Carillon__V1__Credit> {
        let wire = one(carillon__v1__credit__init)
        wire.pointee.granted = granted
        return wire
    }

    func dispatch(_ time: Timestamp, _ calls: [DispatchedCall]) -> UnsafeMutablePointer<Carillon__V1__Dispatch> {
        let wire = one(carillon__v1__dispatch__init)
        wire.pointee.cluster_time = time.milliseconds
        (wire.pointee.n_calls, wire.pointee.calls) = list(calls, carillon__v1__dispatched_call__init, fill)
        return wire
    }

    private func fill(_ call: DispatchedCall, _ wire: UnsafeMutablePointer<Carillon__V1__DispatchedCall>) {
        wire.pointee.token = token(call.token, call.code)
        wire.pointee.shard = UInt32(call.shard)
        wire.pointee.execution_id = id(call.executionID.uuid)
        wire.pointee.job_id = id(call.jobID.uuid)
        wire.pointee.attempt = UInt32(clamping: call.attempt)
        wire.pointee.scheduled_time = call.scheduledTime.milliseconds
        if call.startAfterMicroseconds > 0 {
            wire.pointee.has_start_after_us = 1
            wire.pointee.start_after_us = call.startAfterMicroseconds
        }
        if let latest = call.startBeforeClockMicroseconds {
            wire.pointee.has_start_before_clock_us = 1
            wire.pointee.start_before_clock_us = latest
        }
        if case .http(let http) = call.kind {
            wire.pointee.kind_case = CARILLON__V1__DISPATCHED_CALL__KIND_HTTP
            wire.pointee.http = httpCall(http)
        }
        wire.pointee.timeout_ms = UInt32(clamping: call.timeoutMs)
        wire.pointee.connect_timeout_ms = UInt32(clamping: call.connectTimeoutMs)
        wire.pointee.at_most_once = call.atMostOnce ? 1 : 0
        wire.pointee.response_limit = UInt32(clamping: call.responseLimit)
    }

    private func httpCall(_ call: HTTPCall) -> UnsafeMutablePointer<Carillon__V1__HttpCall> {
        let wire = one(carillon__v1__http_call__init)
        wire.pointee.method = string(call.method)
        wire.pointee.url = string(call.url)
        (wire.pointee.n_headers, wire.pointee.headers) = headers(call.headers)
        wire.pointee.body = string(call.body)
        return wire
    }

    func outcome(_ outcomes: [CallOutcome]) -> UnsafeMutablePointer<Carillon__V1__Outcome> {
        let wire = one(carillon__v1__outcome__init)
        (wire.pointee.n_outcomes, wire.pointee.outcomes) = list(outcomes, carillon__v1__call_outcome__init, fill)
        return wire
    }

    private func fill(_ outcome: CallOutcome, _ wire: UnsafeMutablePointer<Carillon__V1__CallOutcome>) {
        wire.pointee.token = token(outcome.token, outcome.code)
        wire.pointee.execution_id = id(outcome.executionID.uuid)
        wire.pointee.job_id = id(outcome.jobID.uuid)
        wire.pointee.attempt = UInt32(clamping: outcome.attempt)
        wire.pointee.kind = outcome.kind.wire
        wire.pointee.shard = UInt32(outcome.shard)
        wire.pointee.started_after_us = outcome.startedAfterMicroseconds
        wire.pointee.duration_us = outcome.durationMicroseconds
        if let status = outcome.httpStatus {
            wire.pointee.has_http_status = 1
            wire.pointee.http_status = UInt32(clamping: status)
        }
        if let response = outcome.response {
            wire.pointee.has_response = 1
            wire.pointee.response = text(response)
        }
        if let message = outcome.errorMessage {
            wire.pointee.has_error_message = 1
            wire.pointee.error_message = text(message)
        }
        if let retryAfter = outcome.retryAfterMs {
            wire.pointee.has_retry_after_ms = 1
            wire.pointee.retry_after_ms = retryAfter
        }
        if let time = outcome.dispatchTime {
            wire.pointee.has_dispatched_ms = 1
            wire.pointee.dispatched_ms = time.milliseconds
        }
        if let clock = outcome.startedClockMicroseconds {
            wire.pointee.has_started_clock_us = 1
            wire.pointee.started_clock_us = clock
        }
    }

    func started(_ tokens: [DispatchToken]) -> UnsafeMutablePointer<Carillon__V1__Started> {
        let wire = one(carillon__v1__started__init)
        (wire.pointee.n_tokens, wire.pointee.tokens) = self.tokens(tokens)
        return wire
    }

    func outcomeAck(_ outcomes: [AcknowledgedOutcome]) -> UnsafeMutablePointer<Carillon__V1__OutcomeAck> {
        let wire = one(carillon__v1__outcome_ack__init)
        (wire.pointee.n_outcomes, wire.pointee.outcomes) = list(outcomes, carillon__v1__acknowledged_outcome__init) {
            $1.pointee.token = token($0.token)
            $1.pointee.result = $0.result.wire
        }
        return wire
    }

    func cancel(_ tokens: [DispatchToken]) -> UnsafeMutablePointer<Carillon__V1__Cancel> {
        let wire = one(carillon__v1__cancel__init)
        (wire.pointee.n_tokens, wire.pointee.tokens) = self.tokens(tokens)
        return wire
    }
}
