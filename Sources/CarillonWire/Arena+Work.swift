internal import CCarillonProto
internal import CarillonCore

/// Messages between scheduler and worker, as protobuf-c's structs.
extension Arena {
    func lead(_ epoch: Int64, _ shards: [UInt8]) -> UnsafeMutablePointer<Carillon__V1__Lead> {
        let wire = one(carillon__v1__lead__init)
        wire.pointee.epoch = epoch
        (wire.pointee.n_shards, wire.pointee.shards) = numbers(shards) { UInt32($0) }
        return wire
    }

    func holding(_ epoch: Int64, _ running: [HeldCall]) -> UnsafeMutablePointer<Carillon__V1__Holding> {
        let wire = one(carillon__v1__holding__init)
        wire.pointee.epoch = epoch
        (wire.pointee.n_running, wire.pointee.running) = list(running, carillon__v1__held_call__init) {
            $1.pointee.token = token($0.token)
            $1.pointee.execution_id = id($0.executionID.uuid)
            $1.pointee.job_id = id($0.jobID.uuid)
            $1.pointee.attempt = UInt32(clamping: $0.attempt)
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
        wire.pointee.token = token(call.token)
        wire.pointee.shard = UInt32(call.shard)
        wire.pointee.execution_id = id(call.executionID.uuid)
        wire.pointee.job_id = id(call.jobID.uuid)
        wire.pointee.attempt = UInt32(clamping: call.attempt)
        wire.pointee.scheduled_time = call.scheduledTime.milliseconds
        if call.startAfterMicroseconds > 0 {
            wire.pointee.has_start_after_us = 1
            wire.pointee.start_after_us = call.startAfterMicroseconds
        }
        wire.pointee.method = string(call.call.method)
        wire.pointee.url = string(call.call.url)
        (wire.pointee.n_headers, wire.pointee.headers) = headers(call.call.headers)
        wire.pointee.body = string(call.call.body)
        wire.pointee.timeout_ms = UInt32(clamping: call.timeoutMs)
        wire.pointee.connect_timeout_ms = UInt32(clamping: call.connectTimeoutMs)
        wire.pointee.at_most_once = call.atMostOnce ? 1 : 0
        wire.pointee.response_limit = UInt32(clamping: call.responseLimit)
    }

    func outcome(_ outcomes: [CallOutcome]) -> UnsafeMutablePointer<Carillon__V1__Outcome> {
        let wire = one(carillon__v1__outcome__init)
        (wire.pointee.n_outcomes, wire.pointee.outcomes) = list(outcomes, carillon__v1__call_outcome__init, fill)
        return wire
    }

    private func fill(_ outcome: CallOutcome, _ wire: UnsafeMutablePointer<Carillon__V1__CallOutcome>) {
        wire.pointee.token = token(outcome.token)
        wire.pointee.execution_id = id(outcome.executionID.uuid)
        wire.pointee.job_id = id(outcome.jobID.uuid)
        wire.pointee.attempt = UInt32(clamping: outcome.attempt)
        wire.pointee.kind = outcome.kind.wire
        wire.pointee.started_after_us = outcome.startedAfterMicroseconds
        wire.pointee.duration_us = outcome.durationMicroseconds
        if let status = outcome.httpStatus {
            wire.pointee.has_http_status = 1
            wire.pointee.http_status = UInt32(clamping: status)
        }
        wire.pointee.response = string(outcome.response)
        wire.pointee.error_message = string(outcome.errorMessage)
        if let retryAfter = outcome.retryAfterMs {
            wire.pointee.has_retry_after_ms = 1
            wire.pointee.retry_after_ms = retryAfter
        }
        if let time = outcome.dispatchTime {
            wire.pointee.has_dispatch_time = 1
            wire.pointee.dispatch_time = time.milliseconds
        }
    }

    func started(_ tokens: [Token]) -> UnsafeMutablePointer<Carillon__V1__Started> {
        let wire = one(carillon__v1__started__init)
        (wire.pointee.n_tokens, wire.pointee.tokens) = self.tokens(tokens)
        return wire
    }

    func outcomeAck(_ tokens: [Token]) -> UnsafeMutablePointer<Carillon__V1__OutcomeAck> {
        let wire = one(carillon__v1__outcome_ack__init)
        (wire.pointee.n_tokens, wire.pointee.tokens) = self.tokens(tokens)
        return wire
    }

    func cancel(_ tokens: [Token]) -> UnsafeMutablePointer<Carillon__V1__Cancel> {
        let wire = one(carillon__v1__cancel__init)
        (wire.pointee.n_tokens, wire.pointee.tokens) = self.tokens(tokens)
        return wire
    }
}
