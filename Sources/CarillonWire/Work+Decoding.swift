internal import CCarillonProto
internal import CarillonCore

extension HeldCall {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__HeldCall>) throws(WireError) {
        self.init(
            token: WireReader.token(wire.pointee.token),
            code: WireReader.code(of: wire.pointee.token),
            shard: try WireReader.shard(wire.pointee.shard),
            executionID: ExecutionID(WireReader.id(wire.pointee.execution_id)),
            jobID: JobID(WireReader.id(wire.pointee.job_id)),
            attempt: Int(wire.pointee.attempt)
        )
    }
}

extension AcknowledgedOutcome {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__AcknowledgedOutcome>) throws(WireError) {
        self.init(WireReader.token(wire.pointee.token), try AckResult(wire: wire.pointee.result))
    }
}

extension QueriedClaim {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__QueriedClaim>) throws(WireError) {
        self.init(
            token: WireReader.token(wire.pointee.token),
            executionID: ExecutionID(WireReader.id(wire.pointee.execution_id)),
            attempt: Int(wire.pointee.attempt),
            shard: try WireReader.shard(wire.pointee.shard)
        )
    }
}

extension AnsweredClaim {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__AnsweredClaim>) throws(WireError) {
        self.init(
            QueriedClaim(
                token: WireReader.token(wire.pointee.token),
                executionID: ExecutionID(WireReader.id(wire.pointee.execution_id)),
                attempt: Int(wire.pointee.attempt),
                shard: try WireReader.shard(wire.pointee.shard)
            ),
            try ClaimState(wire: wire.pointee.state)
        )
    }
}

extension DispatchedCall {
    /// A day.
    private static let timeoutsMs: ClosedRange<UInt32> = 1...86_400_000

    init(
        _ wire: UnsafeMutablePointer<Carillon__V1__DispatchedCall>,
        memory: inout DispatchMemory
    ) throws(WireError) {
        self.init(
            token: WireReader.token(wire.pointee.token),
            code: WireReader.code(of: wire.pointee.token),
            shard: try WireReader.shard(wire.pointee.shard),
            executionID: ExecutionID(WireReader.id(wire.pointee.execution_id)),
            jobID: JobID(WireReader.id(wire.pointee.job_id)),
            attempt: try WireReader.number(wire.pointee.attempt, in: 1...UInt32.max, "attempt"),
            scheduledTime: Timestamp(milliseconds: wire.pointee.scheduled_time),
            startAfterMicroseconds: wire.pointee.has_start_after_us != 0 ? wire.pointee.start_after_us : 0,
            startBeforeClockMicroseconds: WireReader.optional(
                wire.pointee.has_start_before_clock_us,
                wire.pointee.start_before_clock_us
            ),
            kind: CallKind(wire, memory: &memory),
            timeoutMs: try WireReader.number(wire.pointee.timeout_ms, in: Self.timeoutsMs, "timeout_ms"),
            connectTimeoutMs: try WireReader.number(
                wire.pointee.connect_timeout_ms,
                in: Self.timeoutsMs,
                "connect_timeout_ms"
            ),
            atMostOnce: wire.pointee.at_most_once != 0,
            responseLimit: Int(wire.pointee.response_limit)
        )
    }
}

extension CallKind {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__DispatchedCall>, memory: inout DispatchMemory) {
        guard wire.pointee.kind_case == CARILLON__V1__DISPATCHED_CALL__KIND_HTTP, let http = wire.pointee.http else {
            self = .unsupported
            return
        }
        self = .http(
            HTTPCall(
                url: memory.text(http.pointee.url),
                method: WireReader.text(http.pointee.method),
                headers: WireReader.headers(http.pointee.n_headers, http.pointee.headers) { memory.text($0) },
                body: WireReader.optionalText(http.pointee.body)
            )
        )
    }

    /// The size of the body in bytes.
    var bodyBytes: Int {
        switch self {
        case .http(let http): http.body?.utf8.count ?? 0
        case .unsupported: 0
        }
    }
}

extension CallOutcome {
    init(_ wire: UnsafeMutablePointer<Carillon__V1__CallOutcome>) throws(WireError) {
        self.init(
            token: WireReader.token(wire.pointee.token),
            code: WireReader.code(of: wire.pointee.token),
            shard: try WireReader.shard(wire.pointee.shard),
            executionID: ExecutionID(WireReader.id(wire.pointee.execution_id)),
            jobID: JobID(WireReader.id(wire.pointee.job_id)),
            attempt: Int(wire.pointee.attempt),
            kind: (try? OutcomeKind(wire: wire.pointee.kind)) ?? .unknown,
            startedAfterMicroseconds: wire.pointee.started_after_us,
            durationMicroseconds: wire.pointee.duration_us,
            httpStatus: wire.pointee.has_http_status != 0 ? Int(wire.pointee.http_status) : nil,
            response: WireReader.repairedText(wire.pointee.has_response, wire.pointee.response),
            errorMessage: WireReader.repairedText(wire.pointee.has_error_message, wire.pointee.error_message),
            retryAfterMs: WireReader.optional(wire.pointee.has_retry_after_ms, wire.pointee.retry_after_ms),
            dispatchTime: WireReader.optional(wire.pointee.has_dispatched_ms, wire.pointee.dispatched_ms)
                .flatMap { WireTime.range.contains($0) ? Timestamp(milliseconds: $0) : nil },
            startedClockMicroseconds: WireReader.optional(
                wire.pointee.has_started_clock_us,
                wire.pointee.started_clock_us
            )
        )
    }
}
