package import CarillonCore

/// The scheduler's end of one connection, as a value: the allowed events of each state, and the resulting actions.
///
///     accepted ──Hello──▶ established ──▶ closed
///        └── no Hello in time, another frame, invalid bytes, an unsupported version ──▶ closed
///
/// - accepted: only Hello is allowed, once, within the handshake time. Exits: established, closed.
/// - established: the messages of the peer's role are allowed. Exits: closed (Goodbye, silence, a message out of state, invalid
///   bytes, the end of the connection).
/// - closed: everything is ignored.
package struct ServerConnectionState: ~Copyable {
    package enum Event: Sendable {
        case received(Envelope)
        /// Bytes of an incomplete frame arrived.
        case receivedBytes
        case failedToDecode(WireError)
        /// The deadline was reached.
        case ticked
        /// Reads from the peer were paused (false) or resumed (true).
        case listening(Bool)
        case ended(why: String)
    }

    package enum Action: Sendable, Hashable {
        case none
        /// Send Welcome; the peer is established.
        case welcome(Hello)
        /// Pass the message to the receiver.
        case deliver
        case send(Envelope)
        case measured(PeerClockReading)
        /// Send the error, or a Goodbye if there is none, then close.
        case close(why: String, error: ClientError?)
    }

    private enum State {
        case accepted(deadline: BootTime)
        case established(Role, Heartbeat)
        case closed
    }

    private let limits: ConnectionLimits
    private var state: State

    package init(limits: ConnectionLimits, at now: WireNow) {
        self.limits = limits
        state = .accepted(deadline: now.boot + limits.handshakeMs)
    }

    /// When `ticked` is due next; `nil` once closed.
    package var deadline: BootTime? {
        switch state {
        case .accepted(let deadline): deadline
        case .established(_, let heartbeat): heartbeat.deadline
        case .closed: nil
        }
    }

    /// The largest payload accepted in this state.
    package var maxFrameBytes: Int {
        if case .established = state { limits.maxFrameBytes } else { limits.maxHandshakeBytes }
    }

    package var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    package mutating func handle(_ event: Event, at now: WireNow) -> Action {
        switch state {
        case .accepted(let deadline): handleAccepted(event, deadline: deadline, at: now)
        case .established(let role, let heartbeat): handleEstablished(event, role, heartbeat, at: now)
        case .closed: .none
        }
    }

    private mutating func handleAccepted(_ event: Event, deadline: BootTime, at now: WireNow) -> Action {
        switch event {
        case .received(let envelope):
            guard case .hello(let hello) = envelope.message else {
                return close(outOfState: "\(envelope.message.name) before Hello")
            }
            // A peer of the next version may connect: it gets this version in Welcome and uses it (rolling upgrade).
            guard ProtocolVersion.oldest...ProtocolVersion.current + 1 ~= hello.protocolVersion else {
                let text =
                    "unsupported protocol version \(hello.protocolVersion); supported are "
                    + "\(ProtocolVersion.oldest) to \(ProtocolVersion.current)"
                return close(text, ClientError(.failedPrecondition, text, retryable: false))
            }
            guard !hello.name.isEmpty, hello.name.utf8.count <= 255 else {
                let text = "name in Hello must have 1 to 255 bytes"
                return close(text, ClientError(.invalidArgument, text))
            }
            if hello.role == .worker, (hello.maxWorkers ?? 0) < 1 {
                let text = "max_workers in a worker's Hello must be at least 1"
                return close(text, ClientError(.invalidArgument, text))
            }
            guard hello.features.count <= Hello.maxFeatures,
                hello.features.allSatisfy({ 1...Hello.maxFeatureBytes ~= $0.utf8.count })
            else {
                let text =
                    "features in Hello must be at most \(Hello.maxFeatures) texts of 1 to \(Hello.maxFeatureBytes) bytes"
                return close(text, ClientError(.invalidArgument, text))
            }
            // The scheduler pings a worker, because it needs the worker's clock. A client pings the scheduler.
            let leads = hello.role == .worker
            state = .established(hello.role, Heartbeat(limits: limits, leads: leads, isEager: leads, at: now.boot))
            return .welcome(hello)
        case .ticked:
            guard now.boot >= deadline else { return .none }
            return close("no Hello within \(limits.handshakeMs) ms", nil)
        case .failedToDecode(let error): return close(undecodable: error)
        case .ended: return end()
        case .receivedBytes, .listening: return .none
        }
    }

    private mutating func handleEstablished(
        _ event: Event,
        _ role: Role,
        _ before: Heartbeat,
        at now: WireNow
    ) -> Action {
        var heartbeat = before
        switch event {
        case .received(let envelope):
            heartbeat.received(at: now.boot)
            return receive(envelope, role, heartbeat, at: now)
        case .receivedBytes:
            heartbeat.received(at: now.boot)
            state = .established(role, heartbeat)
            return .none
        case .listening(let listening):
            heartbeat.listen(listening, at: now.boot)
            state = .established(role, heartbeat)
            return .none
        case .ticked:
            let beat = heartbeat.tick(at: now)
            state = .established(role, heartbeat)
            switch beat {
            case .nothing: return .none
            case .ping(let sent): return .send(Envelope(.ping(sentMicroseconds: sent)))
            case .silent(let silence): return close("silent for \(Heartbeat.text(silence))", nil)
            }
        case .failedToDecode(let error):
            heartbeat.received(at: now.boot)
            guard let id = error.requestID, role == .client else { return close(undecodable: error) }
            state = .established(role, heartbeat)
            return .send(Envelope(id: id, .error(error.asClientError)))
        case .ended: return end()
        }
    }

    private mutating func receive(
        _ envelope: Envelope,
        _ role: Role,
        _ before: Heartbeat,
        at now: WireNow
    ) -> Action {
        var heartbeat = before
        state = .established(role, heartbeat)
        switch (envelope.message, role) {
        case (.request, .client):
            guard envelope.id != 0 else { return close(outOfState: "\(envelope.message.name) without an id") }
            return .deliver
        case (.holding, .worker), (.credit, .worker), (.started, .worker), (.outcome, .worker), (.drain, .worker),
            (.leadRefused, .worker), (.claimAnswer, .worker):
            return .deliver
        case (.ping(let sent), _):
            return .send(
                Envelope(
                    id: envelope.id,
                    .pong(pingSentMicroseconds: sent, answeredMicroseconds: now.wallMicroseconds)
                )
            )
        case (.pong(let sent, let answered, let clock), _):
            let reading = heartbeat.pong(
                sentMicroseconds: sent,
                answeredMicroseconds: answered,
                clockMicroseconds: clock,
                at: now
            )
            state = .established(role, heartbeat)
            return reading.map(Action.measured) ?? .none
        case (.goodbye(let why), _):
            state = .closed
            return .close(why: "the peer sent Goodbye: \(why)", error: nil)
        case (.error, _): return .none
        case (.unknown, _):
            guard envelope.id != 0 else { return .none }
            let text = "unknown message; this scheduler supports protocol version \(ProtocolVersion.current)"
            return .send(Envelope(id: envelope.id, .error(ClientError(.unimplemented, text))))
        case (.hello, _): return close(outOfState: "a second Hello")
        default:
            return close(outOfState: "\(envelope.message.name) from a \(role)")
        }
    }

    private mutating func close(outOfState text: String) -> Action {
        close("out of state: \(text)", ClientError(.invalidArgument, "out of state: \(text)"))
    }

    private mutating func close(undecodable error: WireError) -> Action {
        close("undecodable: \(error)", error.asClientError)
    }

    private mutating func close(_ why: String, _ error: ClientError?) -> Action {
        state = .closed
        return .close(why: why, error: error)
    }

    private mutating func end() -> Action {
        state = .closed
        return .none
    }
}
