internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import Logging
internal import NIOCore
internal import NIOPosix

/// Keeps one connection to each scheduler behind a list of names. Resolves the names periodically, dials each address, and dials
/// again with backoff and jitter when a connection ends. All state is bound to one event loop.
///
/// Two addresses may belong to one scheduler (IPv4 and IPv6 of one machine); Welcome's server id shows this. The newer
/// connection is kept, because the scheduler may have replaced the older one by it. The older address rests until the newer
/// connection ends. The addresses of a name are dialled one after the other, so that the order is certain.
final class ConnectionKeeper {
    struct Configuration: Sendable {
        var role: Role
        var limits = ConnectionLimits()
        var backoff = Backoff()
        /// The interval between lookups of a name that has been resolved.
        var resolveEveryMs: Int64 = 10_000
        var connectTimeoutMs: Int64 = 3_000
        /// The time after which the next address of a name is dialled although the previous one has not answered.
        var attemptDelayMs: Int64 = 250
    }

    private final class Name {
        let endpoint: HostPort
        var slots: [Slot] = []
        var resolveFailures = 0
        /// The slot that is being dialled, and the slots that wait for it.
        var dialing: Slot?
        var waiting: [Slot] = []

        init(endpoint: HostPort) {
            self.endpoint = endpoint
        }
    }

    private final class Slot {
        enum Phase {
            case waiting
            case dialing
            case connected(DialedConnection, since: BootTime)
            /// The same scheduler is connected through another address.
            case resting(UniqueID)
        }

        let address: SocketAddress
        let text: String
        var phase = Phase.waiting
        var failures = 0
        var isResolved = true

        init(address: SocketAddress) {
            self.address = address
            text = HostPort.text(address)
        }
    }

    private let configuration: Configuration
    private let loop: any EventLoop
    private let owner: any DialedConnectionOwner
    private let hello: @Sendable () -> Hello
    private let metrics: RPCMetrics
    private let logger: Logger
    private var names: [Name] = []
    private var isStopped = false
    private var generator = SystemRandomNumberGenerator()

    /// Called on the event loop.
    init(
        configuration: Configuration,
        loop: any EventLoop,
        owner: any DialedConnectionOwner,
        hello: @escaping @Sendable () -> Hello,
        metrics: RPCMetrics,
        logger: Logger
    ) {
        self.configuration = configuration
        self.loop = loop
        self.owner = owner
        self.hello = hello
        self.metrics = metrics
        self.logger = logger
    }

    /// Starts to keep connections to the endpoint. Does nothing if it is kept already.
    func keep(_ endpoint: HostPort) {
        guard !isStopped, !names.contains(where: { $0.endpoint == endpoint }) else { return }
        let name = Name(endpoint: endpoint)
        names.append(name)
        resolve(name)
    }

    /// Sends Goodbye on all connections and stops dialling.
    func stop(why: String) {
        isStopped = true
        for name in names {
            for slot in name.slots {
                if case .connected(let connection, _) = slot.phase { connection.outbox.close(why: why) }
            }
        }
    }

    // MARK: Name resolution

    private func resolve(_ name: Name) {
        guard !isStopped else { return }
        Resolver.addresses(of: name.endpoint, on: loop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let addresses): self.resolved(name, addresses)
            case .failure(let error):
                name.resolveFailures += 1
                let why = FailureText.of(error)
                self.owner.attemptFailed(
                    scheduler: name.endpoint.description,
                    address: name.endpoint.description,
                    why: why
                )
                let delay = self.configuration.backoff.delayMs(
                    failures: name.resolveFailures,
                    using: &self.generator
                )
                self.after(delay) { self.resolve(name) }
            }
        }
    }

    private func resolved(_ name: Name, _ addresses: [SocketAddress]) {
        guard !isStopped else { return }
        name.resolveFailures = 0
        for slot in name.slots { slot.isResolved = addresses.contains(slot.address) }
        name.slots.removeAll { slot in
            if case .connected = slot.phase { return false }
            return !slot.isResolved
        }
        for address in addresses where !name.slots.contains(where: { $0.address == address }) {
            let slot = Slot(address: address)
            name.slots.append(slot)
            dial(slot, of: name)
        }
        // A literal address never changes.
        let isLiteral = (try? SocketAddress(ipAddress: name.endpoint.host, port: name.endpoint.port)) != nil
        if !isLiteral { after(configuration.resolveEveryMs) { self.resolve(name) } }
    }

    // MARK: Dialling

    private func dial(_ slot: Slot, of name: Name) {
        guard !isStopped, isKept(slot, name) else { return }
        guard name.dialing == nil else {
            if !name.waiting.contains(where: { $0 === slot }) { name.waiting.append(slot) }
            return
        }
        name.dialing = slot
        slot.phase = .dialing
        after(configuration.attemptDelayMs) { self.dialNext(after: slot, of: name) }
        let setup = DialedHandler.Setup(
            role: configuration.role,
            hello: hello(),
            limits: configuration.limits,
            scheduler: name.endpoint.description,
            address: slot.text,
            owner: owner,
            metrics: metrics,
            reports: DialedHandler.Reports(
                established: { self.established($0, slot, name) },
                ended: { self.ended($0, slot, name, why: $1) }
            )
        )
        // Created and used on the event loop.
        let handler = NIOLoopBound(DialedHandler(setup), eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .connectTimeout(.milliseconds(configuration.connectTimeoutMs))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
            .connect(to: slot.address)
            .assumeIsolated().whenFailure { error in self.ended(nil, slot, name, why: FailureText.of(error)) }
    }

    private func isKept(_ slot: Slot, _ name: Name) -> Bool { name.slots.contains { $0 === slot } }

    private func dialNext(after slot: Slot, of name: Name) {
        guard name.dialing === slot else { return }
        name.dialing = nil
        if !name.waiting.isEmpty { dial(name.waiting.removeFirst(), of: name) }
    }

    private func established(_ connection: DialedConnection, _ slot: Slot, _ name: Name) {
        slot.phase = .connected(connection, since: SystemClock.bootTime())
        logger.info(
            "connected to scheduler",
            metadata: [
                "scheduler": "\(connection.name)", "server_id": "\(connection.welcome.serverID)",
                "leading": "\(connection.welcome.leading)",
            ]
        )
        for other in names.flatMap(\.slots) where other !== slot {
            guard case .connected(let older, _) = other.phase,
                older.welcome.serverID == connection.welcome.serverID
            else { continue }
            other.phase = .resting(connection.welcome.serverID)
            older.outbox.close(why: "the same scheduler is connected through another address")
        }
        dialNext(after: slot, of: name)
        if isStopped { connection.outbox.close(why: "stopped") }
    }

    private func ended(_ connection: DialedConnection?, _ slot: Slot, _ name: Name, why: String) {
        defer { dialNext(after: slot, of: name) }
        // A failed connect is reported twice: by the handler and by the future.
        switch slot.phase {
        case .resting, .waiting: return
        case .dialing:
            slot.failures += 1
            owner.attemptFailed(scheduler: name.endpoint.description, address: slot.text, why: why)
            let level: Logger.Level = slot.failures == 1 ? .info : .debug
            logger.log(
                level: level,
                "connection to scheduler failed",
                metadata: ["scheduler": "\(name.endpoint)", "address": "\(slot.text)", "why": "\(why)"]
            )
        case .connected(let connected, let since):
            guard connection === connected else { return }
            // A connection that lasted is not a failure. Another one counts as a failure, so that it is not dialled in a tight loop.
            slot.failures = SystemClock.bootTime().milliseconds(since: since) > 1_000 ? 1 : slot.failures + 1
            if !isStopped {
                logger.info(
                    "connection to scheduler lost",
                    metadata: ["scheduler": "\(connected.name)", "why": "\(why)"]
                )
            }
            wakeResting(connected.welcome.serverID)
        }
        slot.phase = .waiting
        if !slot.isResolved { name.slots.removeAll { $0 === slot } }
        let delay = configuration.backoff.delayMs(failures: slot.failures, using: &generator)
        after(delay) { if case .waiting = slot.phase { self.dial(slot, of: name) } }
    }

    private func wakeResting(_ serverID: UniqueID) {
        for name in names {
            for slot in name.slots {
                guard case .resting(serverID) = slot.phase else { continue }
                slot.phase = .waiting
                dial(slot, of: name)
            }
        }
    }

    private func after(_ milliseconds: Int64, _ work: @escaping () -> Void) {
        loop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds)) {
            if !self.isStopped { work() }
        }
    }
}
