import CarillonCore
import CarillonRuntime
import CarillonWire
import Synchronization
import TestSupport

/// The worker's end of a connection; keeps the messages that the worker sends.
struct FakeLink: PeerLink {
    let said = Journal<Message>()
    let closed = Journal<String>()

    func send(_ envelopes: [Envelope]) {
        said.append(contentsOf: envelopes.map(\.message))
    }

    func send(_ envelopes: [Envelope], before deadline: BootTime) { send(envelopes) }

    func deliver(_ envelopes: [Envelope]) async { send(envelopes) }

    func close(why: String) {
        closed.append(contentsOf: [why])
    }
}

/// A dialer that connects when the test asks for it.
final class FakeDialer: SchedulerDialer {
    private struct State {
        var hello: (@Sendable () -> Hello)?
        var receiver: (any SchedulerReceiver)?
        var connections: Set<ConnectionID> = []
        var next = 1
    }

    private let state = Mutex(State())
    let stops = Journal<Bool>()

    func start(hello: @escaping @Sendable () -> Hello, receiver: any SchedulerReceiver) {
        state.withLock { state in
            state.hello = hello
            state.receiver = receiver
        }
    }

    func stop() {
        let (receiver, connections) = state.withLock { ($0.receiver, $0.connections) }
        for connection in connections { receiver?.disconnected(connection, why: "the worker stops") }
        stops.append(contentsOf: [true])
    }

    var hello: Hello? { state.withLock { $0.hello }?() }

    private var receiver: (any SchedulerReceiver)? { state.withLock { $0.receiver } }

    func connect(leading: Bool = true) -> (ConnectionID, FakeLink) {
        let link = FakeLink()
        let id = state.withLock { state in
            defer { state.next += 1 }
            state.connections.insert(state.next)
            return state.next
        }
        let welcome = Welcome(
            serverID: .zero,
            leading: leading,
            epoch: leading ? 1 : nil,
            shards: [],
            heartbeatMs: 2_000,
            maxFrameBytes: 4 << 20,
            serverTime: Timestamp(milliseconds: 0),
            version: "test",
            leaderAddress: nil
        )
        receiver?.connected(id, to: "scheduler:7070", welcome: welcome, link: link)
        return (id, link)
    }

    func say(_ messages: Message..., on connection: ConnectionID) {
        receiver?.received(messages.map { Envelope($0) }, from: connection)
    }

    func cut(_ connection: ConnectionID) {
        state.withLock { _ = $0.connections.remove(connection) }
        receiver?.disconnected(connection, why: "cut by the test")
    }
}

/// An HTTP client whose calls end when the test ends them.
final class FakeCaller: HTTPCaller {
    let started = Journal<HTTPRequest>()
    let cancelled = Journal<DispatchToken>()
    let shutdowns = Journal<Bool>()
    private let deliver: @Sendable ([HTTPResult]) -> Void

    init(deliver: @escaping @Sendable ([HTTPResult]) -> Void) {
        self.deliver = deliver
    }

    func start(_ requests: [HTTPRequest]) {
        started.append(contentsOf: requests)
    }

    func cancel(_ tokens: [DispatchToken]) {
        cancelled.append(contentsOf: tokens)
        end(tokens, kind: .cancelled, status: nil)
    }

    func shutdown() {
        shutdowns.append(contentsOf: [true])
    }

    func end(_ tokens: [DispatchToken], kind: OutcomeKind = .answered, status: Int? = 200) {
        deliver(
            tokens.map {
                HTTPResult(
                    token: $0,
                    kind: kind,
                    startedAt: SystemClock.bootTime(),
                    durationMicroseconds: 10,
                    httpStatus: status
                )
            }
        )
    }
}
