package import CarillonCore

/// The dialling end of one connection, a worker's or a client's, as a value.
///
///     dialled ──Welcome──▶ established ──▶ closed
///        └── no Welcome in time, Error, another frame, invalid bytes ──▶ closed
///
/// - dialled: Hello has been sent. Exits: established, closed.
/// - established: the messages of a scheduler to this role are allowed. Exits: closed (Goodbye, silence, a message out of state,
///   invalid bytes, the end of the connection).
/// - closed: everything is ignored.
package struct ClientConnectionState: ~Copyable {
    package enum Event: Sendable {
        case received(Envelope)
        /// An answer to a client's request, which the caller passes on undecoded.
        case receivedAnswer
        case receivedBytes
        case failedToDecode(WireError)
        case ticked
        case listening(Bool)
        case ended(why: String)
    }

    package enum Action: Sendable, Hashable {
        case none
        case established(Welcome)
        case deliver
        case send(Envelope)
        case measured(PeerClockReading)
        /// Send a Goodbye, unless the peer sent Goodbye or refused the connection; then close.
        case close(why: String, refusal: ClientError?)
    }

    private enum State {
        case dialled(deadline: BootTime)
        case established(Heartbeat)
        case closed
    }

    private let role: Role
    private let limits: ConnectionLimits
    private var state: State

    /// The caller must send Hello first.
    package init(role: Role, limits: ConnectionLimits, at now: WireNow) {
        self.role = role
        self.limits = limits
        state = .dialled(deadline: now.boot + limits.handshakeMs)
    }

    package var deadline: BootTime? {
        switch state {
        case .dialled(let deadline): deadline
        case .established(let heartbeat): heartbeat.deadline
        case .closed: nil
        }
    }

    package var isEstablished: Bool {
        if case .established = state { true } else { false }
    }

    package var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    package mutating func handle(_ event: Event, at now: WireNow) -> Action {
        switch state {
        case .dialled(let deadline): handleDialled(event, deadline: deadline, at: now)
        case .established(let heartbeat): handleEstablished(event, heartbeat, at: now)
        case .closed: .none
        }
    }

    private mutating func handleDialled(_ event: Event, deadline: BootTime, at now: WireNow) -> Action {
        switch event {
        case .received(let envelope):
            switch envelope.message {
            case .welcome(let welcome):
                guard ProtocolVersion.oldest...ProtocolVersion.current ~= welcome.protocolVersion else {
                    return close(
                        "unsupported protocol version \(welcome.protocolVersion) of the scheduler; supported are "
                            + "\(ProtocolVersion.oldest) to \(ProtocolVersion.current)"
                    )
                }
                guard welcome.maxFrameBytes >= Welcome.minFrameBytes else {
                    return close(
                        "max_frame_bytes in Welcome is \(welcome.maxFrameBytes); it must be at least "
                            + "\(Welcome.minFrameBytes)"
                    )
                }
                // The scheduler sets the heartbeat, within limits.
                let heartbeatMs = min(max(Int64(welcome.heartbeatMs), 10), 60_000)
                var agreed = limits
                agreed.heartbeatMs = heartbeatMs
                agreed.silenceMs = heartbeatMs * 5
                state = .established(Heartbeat(limits: agreed, leads: role == .client, at: now.boot))
                return .established(welcome)
            case .error(let error):
                state = .closed
                return .close(why: "refused: \(error.text)", refusal: error)
            case .goodbye(let why):
                state = .closed
                return .close(why: "the scheduler sent Goodbye: \(why)", refusal: nil)
            default: return close("out of state: \(envelope.message.name) before Welcome")
            }
        case .ticked:
            guard now.boot >= deadline else { return .none }
            return close("no Welcome within \(limits.handshakeMs) ms")
        case .receivedAnswer: return close("out of state: an answer before Welcome")
        case .failedToDecode(let error): return close("undecodable: \(error)")
        case .ended: return end()
        case .receivedBytes, .listening: return .none
        }
    }

    private mutating func handleEstablished(_ event: Event, _ before: Heartbeat, at now: WireNow) -> Action {
        var heartbeat = before
        switch event {
        case .received(let envelope):
            heartbeat.received(at: now.boot)
            return receive(envelope, heartbeat, at: now)
        case .receivedAnswer:
            guard role == .client else { return close("out of state: an answer to a worker") }
            heartbeat.received(at: now.boot)
            state = .established(heartbeat)
            return .deliver
        case .receivedBytes:
            heartbeat.received(at: now.boot)
            state = .established(heartbeat)
            return .none
        case .listening(let listening):
            heartbeat.listen(listening, at: now.boot)
            state = .established(heartbeat)
            return .none
        case .ticked:
            let beat = heartbeat.tick(at: now)
            state = .established(heartbeat)
            switch beat {
            case .nothing: return .none
            case .ping(let sent): return .send(Envelope(.ping(sentMicroseconds: sent)))
            case .silent(let silence): return close("silent for \(Heartbeat.text(silence))")
            }
        case .failedToDecode(let error): return close("undecodable: \(error)")
        case .ended: return end()
        }
    }

    private mutating func receive(_ envelope: Envelope, _ before: Heartbeat, at now: WireNow) -> Action {
        var heartbeat = before
        state = .established(heartbeat)
        switch (envelope.message, role) {
        case (.answer, .client), (.lead, _), (.dispatch, .worker), (.outcomeAck, .worker), (.cancel, .worker),
            (.claimQuery, .worker):
            return .deliver
        case (.error(let error), _):
            // With an id this is the answer to a request; without an id it is the reason for the end of the connection.
            if envelope.id != 0 { return role == .client ? .deliver : .none }
            state = .closed
            return .close(why: "closed by the scheduler: \(error.text)", refusal: error)
        case (.ping(let sent), _):
            return .send(
                Envelope(
                    id: envelope.id,
                    .pong(
                        pingSentMicroseconds: sent,
                        answeredMicroseconds: now.wallMicroseconds,
                        clockMicroseconds: role == .worker ? now.boot.microseconds : nil
                    )
                )
            )
        case (.pong(let sent, let answered, let clock), _):
            let reading = heartbeat.pong(
                sentMicroseconds: sent,
                answeredMicroseconds: answered,
                clockMicroseconds: clock,
                at: now
            )
            state = .established(heartbeat)
            return reading.map(Action.measured) ?? .none
        case (.goodbye(let why), _):
            state = .closed
            return .close(why: "the scheduler sent Goodbye: \(why)", refusal: nil)
        case (.unknown, _):
            guard envelope.id != 0 else { return .none }
            let text = "unknown message; this \(role) supports protocol version \(ProtocolVersion.current)"
            return .send(Envelope(id: envelope.id, .error(ClientError(.unimplemented, text))))
        default: return close("out of state: \(envelope.message.name) to a \(role)")
        }
    }

    private mutating func close(_ why: String) -> Action {
        state = .closed
        return .close(why: why, refusal: nil)
    }

    private mutating func end() -> Action {
        state = .closed
        return .none
    }
}
