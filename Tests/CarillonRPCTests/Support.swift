import CarillonCore
import CarillonRPC
import CarillonRuntime
import CarillonWire
import Glibc
import Logging
import Synchronization
import TestSupport

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Short heartbeats: a silent peer is closed after 500 ms.
let quick = ConnectionLimits(heartbeatMs: 100, handshakeMs: 300)

/// A receiver for the tests; answers with a configured behaviour.
final class StubScheduler: PeerReceiver, Sendable {
    enum Event: Sendable {
        case connected(ConnectionID, Hello, String)
        case received(ConnectionID, [Envelope])
        case skew(ConnectionID, Double)
        case full(ConnectionID, Bool)
        case disconnected(ConnectionID, String)
    }

    struct Behaviour: Sendable {
        var leading = true
        var leaderAddress: String?
        /// The error with which connections are refused.
        var refusal: ClientError?
        /// `nil`: no answer.
        var answer: @Sendable (Request) -> Message? = { _ in
            .answer(.scheduleRefreshed(status: "SCHEDULE_REFRESHED", jobs: 1))
        }
    }

    let id: UniqueID
    let journal = Journal<Event>()
    private let behaviour = Mutex(Behaviour())
    private let links = Mutex<[ConnectionID: any PeerLink]>([:])

    init(id: UniqueID) {
        self.id = id
    }

    func behave(_ change: (inout Behaviour) -> Void) {
        behaviour.withLock { change(&$0) }
    }

    func link(_ connection: ConnectionID) -> (any PeerLink)? { links.withLock { $0[connection] } }

    var connectionIDs: [ConnectionID] { links.withLock { $0.keys.sorted() } }

    func answer(to hello: Hello) -> Result<Welcome, ClientError> {
        let behaviour = behaviour.withLock { $0 }
        if let refusal = behaviour.refusal { return .failure(refusal) }
        return .success(welcome(behaviour))
    }

    private func welcome(_ behaviour: Behaviour) -> Welcome {
        Welcome(
            serverID: id,
            leading: behaviour.leading,
            epoch: behaviour.leading ? 4 : nil,
            shards: [],
            heartbeatMs: 0,
            maxFrameBytes: 0,
            serverTime: Timestamp(seconds: 1),
            version: "test",
            leaderAddress: behaviour.leaderAddress
        )
    }

    func connected(_ peer: AcceptedPeer) {
        links.withLock { $0[peer.id] = peer.link }
        journal.append(.connected(peer.id, peer.hello, peer.address))
    }

    func received(_ envelopes: [Envelope], from connection: ConnectionID) {
        // Read before the event is recorded: a test that waits for the event may change the behaviour.
        let behaviour = behaviour.withLock { $0 }
        journal.append(.received(connection, envelopes))
        var answers: [Envelope] = []
        for envelope in envelopes {
            guard case .request(let request) = envelope.message else { continue }
            if let message = behaviour.answer(request) { answers.append(Envelope(id: envelope.id, message)) }
        }
        link(connection)?.send(answers)
    }

    func measured(_ reading: PeerClockReading, of connection: ConnectionID) {
        journal.append(.skew(connection, reading.skewMs))
    }

    func filled(_ connection: ConnectionID, _ isFull: Bool) {
        journal.append(.full(connection, isFull))
    }

    func disconnected(_ connection: ConnectionID, why: String) {
        links.withLock { _ = $0.removeValue(forKey: connection) }
        journal.append(.disconnected(connection, why))
    }

    // MARK: Events to wait for

    func nextConnection(after known: [ConnectionID] = []) async -> (id: ConnectionID, hello: Hello) {
        let event = await journal.first { if case .connected(let id, _, _) = $0 { !known.contains(id) } else { false } }
        guard case .connected(let id, let hello, _) = event else { fatalError("not a connection") }
        return (id, hello)
    }

    func disconnection(of connection: ConnectionID? = nil) async -> String {
        let event = await journal.first {
            if case .disconnected(let id, _) = $0 { connection == nil || id == connection } else { false }
        }
        guard case .disconnected(_, let why) = event else { fatalError("not a disconnection") }
        return why
    }
}

/// A server on a free port of this machine, with a stub scheduler.
struct Station {
    let scheduler: StubScheduler
    let server: RPCServer
    let endpoint: HostPort

    var address: String { endpoint.description }

    static func open(
        _ id: UInt64 = 1,
        port: Int = 0,
        limits: ConnectionLimits = ConnectionLimits(),
        maxConnections: Int = 100,
        maxQueuedBytes: Int = 64 << 20,
        metrics: RPCMetrics = RPCMetrics()
    ) async throws -> Station {
        let scheduler = StubScheduler(id: UniqueID(high: 0xCA, low: id))
        let server = RPCServer(
            configuration: RPCServer.Configuration(
                host: "127.0.0.1",
                port: port,
                limits: limits,
                maxConnections: maxConnections,
                maxQueuedBytes: maxQueuedBytes
            ),
            receiver: scheduler,
            metrics: metrics,
            logger: quiet
        )
        let endpoint = try await server.start()
        return Station(scheduler: scheduler, server: server, endpoint: endpoint)
    }
}

func client(
    _ stations: Station...,
    timeout: Duration = .seconds(10),
    takeOverWait: Duration = .seconds(8)
) -> RPCClient {
    client(stations.map(\.endpoint), timeout: timeout, takeOverWait: takeOverWait)
}

func client(
    _ endpoints: [HostPort],
    timeout: Duration = .seconds(10),
    takeOverWait: Duration = .seconds(8)
) -> RPCClient {
    RPCClient(
        RPCClient.Configuration(
            schedulers: endpoints,
            name: "test",
            requestTimeout: timeout,
            takeOverWait: takeOverWait
        ),
        logger: quiet
    )
}

/// A socket without a protocol. Its calls block a thread each; for tests only.
final class RawSocket: Sendable {
    let descriptor: Int32

    init(_ endpoint: HostPort, receiveBuffer: Int32? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(endpoint.port).bigEndian
        address.sin_addr.s_addr = inet_addr(endpoint.host)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(result == 0, "connect: \(errno)")
    }

    deinit { Glibc.close(descriptor) }

    func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.unsafelyUnwrapped + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func write(_ envelopes: [Envelope]) {
        write(envelopes.flatMap { MessageCodec.frame(of: $0) })
    }

    /// Reads frames until the other end closes, or until a frame matches.
    func read(until fits: @escaping @Sendable (Envelope) -> Bool = { _ in false }) async -> [Envelope] {
        await withCheckedContinuation { continuation in
            let thread = ReaderThread { continuation.resume(returning: self.readBlocking(fits)) }
            thread.start()
        }
    }

    /// The answer to a request; pings before and after it are skipped.
    func answer(to id: UInt64) async -> Envelope? {
        await read { $0.id == id }.first { $0.id == id }
    }

    private func readBlocking(_ fits: (Envelope) -> Bool) -> [Envelope] {
        var decoder = FrameDecoder()
        let codec = MessageCodec()
        var envelopes: [Envelope] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return envelopes }
            var isFound = false
            try? decoder.feed(Array(buffer[..<count])) { (payload) throws(WireError) in
                let envelope = try codec.decode(payload: payload)
                envelopes.append(envelope)
                if fits(envelope) { isFound = true }
            }
            if isFound { return envelopes }
        }
    }

    func hello(
        role: Role = .client,
        name: String = "raw",
        bootID: UInt64 = 1,
        version: UInt32 = ProtocolVersion.current
    ) -> [Envelope] {
        [
            Envelope(
                .hello(
                    Hello(
                        protocolVersion: version,
                        role: role,
                        name: name,
                        bootID: UniqueID(high: 1, low: bootID),
                        maxWorkers: role == .worker ? 4 : nil
                    )
                )
            )
        ]
    }
}

/// A thread for a blocking call.
final class ReaderThread: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }

    func start() {
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ReaderThread>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            Unmanaged.passRetained(self).toOpaque()
        )
        pthread_detach(thread)
    }
}

extension [Envelope] {
    var names: [String] { map(\.message.name) }

    var error: ClientError? {
        for case .error(let error) in map(\.message) { return error }
        return nil
    }

    var goodbye: String? {
        for case .goodbye(let why) in map(\.message) { return why }
        return nil
    }
}
