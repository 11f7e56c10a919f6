package import CarillonCore
package import CarillonRuntime
package import CarillonWire
package import Logging
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// A client of the schedulers: keeps connections to all of them, follows NOT_LEADER, waits out a take-over, and repeats a
/// request only where a repeat is harmless. Any number of requests can be under way at once.
package final class RPCClient: Sendable {
    package struct Configuration: Sendable {
        package var schedulers: [HostPort]
        /// Appears in the schedulers' logs.
        package var name: String
        package var version: String?
        package var requestTimeout: Duration
        /// For how long a request waits for somebody who can take it.
        package var takeOverWait: Duration
        package var limits: ConnectionLimits

        package init(
            schedulers: [HostPort],
            name: String,
            version: String? = nil,
            requestTimeout: Duration = .seconds(10),
            takeOverWait: Duration = .seconds(8),
            limits: ConnectionLimits = ConnectionLimits()
        ) {
            self.schedulers = schedulers
            self.name = name
            self.version = version
            self.requestTimeout = requestTimeout
            self.takeOverWait = takeOverWait
            self.limits = limits
        }
    }

    /// A scheduler that the client is connected to.
    package struct Peer: Sendable, Hashable {
        /// The configured address.
        package var scheduler: String
        /// The resolved one.
        package var address: String
        package var serverID: UniqueID
        /// As of the connection's begin.
        package var leading: Bool
        package var version: String?
    }

    /// Makes a request's payload for the id that its answers will carry.
    package typealias Encoding = @Sendable (_ id: UInt64) throws(ClientError) -> [UInt8]
    /// Reads an answer's payload.
    package typealias Decoding<Value> = @Sendable (_ payload: [UInt8]) throws(WireError) -> Value

    /// Answers of a watch that wait for their reader.
    static let watchBuffer = 4_096

    package let configuration: Configuration
    let router: ClientRouter
    private let loop: any EventLoop
    private let group: any EventLoopGroup
    private let ownsGroup: Bool
    private let keeper: NIOLoopBoundBox<ConnectionKeeper?>
    private let isClosing = Mutex(false)

    /// Begins to dial at once.
    package init(
        _ configuration: Configuration,
        metrics: RPCMetrics = RPCMetrics(),
        logger: Logger,
        group: (any EventLoopGroup)? = nil
    ) {
        self.configuration = configuration
        self.group = group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
        ownsGroup = group == nil
        loop = self.group.next()
        router = ClientRouter(loop: loop)
        keeper = NIOLoopBoundBox.makeEmptyBox(eventLoop: loop)
        // In a box: the thread sanitizer looks at what is passed inout, and an empty value has no address.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        let hello = Hello(
            role: .client,
            name: configuration.name,
            bootID: UniqueID.random(using: &random),
            version: configuration.version
        )
        var keeping = ConnectionKeeper.Configuration(role: .client, limits: configuration.limits)
        // People wait for a client: it looks more often than a worker.
        keeping.backoff.maxMs = 500
        let (loop, router, keeper) = (loop, router, keeper)
        loop.execute { [keeping] in
            let made = ConnectionKeeper(
                configuration: keeping,
                loop: loop,
                owner: router,
                hello: { hello },
                metrics: metrics,
                logger: logger
            )
            keeper.value = made
            for scheduler in configuration.schedulers { made.keep(scheduler) }
        }
    }

    /// The schedulers that it is connected to.
    package var peers: [Peer] {
        router.connections.map {
            Peer(
                scheduler: $0.scheduler,
                address: $0.address,
                serverID: $0.welcome.serverID,
                leading: $0.welcome.leading,
                version: $0.welcome.version
            )
        }
    }

    /// Why there is no connection to any scheduler at the moment, as `address (reason)`; `nil`: there is one.
    package var reasonsForNoConnection: String? {
        let list = reasons(beside: [])
        // A connection that was made while they were gathered leaves none.
        return router.connections.isEmpty && !list.isEmpty ? list : nil
    }

    // MARK: Requests

    /// Makes a request whose payload somebody else encodes, and returns the payload of its answer.
    /// - Parameters:
    ///   - name: of the request in the envelope (`create_job`).
    ///   - hasIdempotencyKey: the scheduler answers a repeated request with what the first one did.
    ///   - encode: makes the payload for the id that the answer will carry.
    /// - Throws: what the scheduler says; what `encode` throws, before anything is sent; `unavailable` when no scheduler could
    ///   take the request in time, or when its connection was cut and nobody knows what became of it.
    package func exchange(
        name: String,
        hasIdempotencyKey: Bool,
        timeout: Duration,
        encode: (_ id: UInt64) throws(ClientError) -> [UInt8]
    ) async throws(ClientError) -> [UInt8] {
        let id = router.nextID()
        return try await perform(
            id,
            FrameEncoder.frame(payload: try encode(id)),
            name: name,
            RequestSafety(name: name, hasIdempotencyKey: hasIdempotencyKey),
            timeout: timeout
        ).payload
    }

    /// Makes a request.
    package func request(
        _ request: Request,
        timeout: Duration? = nil
    ) async throws(ClientError) -> Answer {
        let id = router.nextID()
        let waits = if case .executeNow(_, wait: true) = request { true } else { false }
        let answer = try await perform(
            id,
            MessageCodec.frame(of: Envelope(id: id, .request(request))),
            name: request.name,
            RequestSafety(request),
            timeout: timeout ?? (waits ? .seconds(300) : configuration.requestTimeout)
        )
        do throws(WireError) {
            if case .answer(let answer) = try MessageCodec().decode(payload: answer.payload).message { return answer }
            throw WireError(.invalid, "it is no answer to a client")
        } catch {
            throw ClientError(.internal, "the scheduler's answer to \(request.name) cannot be read: \(error)")
        }
    }

    /// One round trip to a scheduler, over the protocol and not further.
    /// - Parameter scheduler: a configured or resolved address; any unless told.
    package func ping(
        scheduler: String? = nil
    ) async throws(ClientError) -> (roundTrip: Duration, address: String) {
        let end = SystemClock.bootTime() + milliseconds(configuration.takeOverWait)
        while true {
            let version = router.version
            let connection = router.connections.first {
                scheduler == nil || $0.scheduler == scheduler || $0.address == scheduler
            }
            guard let connection else {
                if SystemClock.bootTime() >= end || router.isClosed || Task.isCancelled {
                    throw nobody("ping", configuration.takeOverWait, tried: [])
                }
                await router.waitForChange(since: version, until: end)
                continue
            }
            let id = router.nextID()
            let sent = WireNow.current
            let frame = MessageCodec.frame(of: Envelope(id: id, .ping(sentMicroseconds: sent.wallMicroseconds)))
            let reply = await router.exchange(
                id,
                frame,
                name: "ping",
                on: connection,
                deadline: sent.boot + milliseconds(configuration.requestTimeout)
            )
            if case .answer = reply {
                return (.nanoseconds(SystemClock.bootTime() - sent.boot), connection.address)
            }
            throw ClientError(.unavailable, "no Pong from \(connection.name): \(reply.text)")
        }
    }

    // MARK: The way of a request

    private func perform(
        _ id: UInt64,
        _ frame: [UInt8],
        name: String,
        _ safety: RequestSafety,
        timeout: Duration
    ) async throws(ClientError) -> RawAnswer {
        let begin = SystemClock.bootTime()
        let deadline = begin + milliseconds(timeout)
        let wait = min(timeout, configuration.takeOverWait)
        let patience = begin + milliseconds(wait)
        var attempt = Attempts()
        while true {
            if Task.isCancelled { throw ClientError(.unavailable, "the request was cancelled", retryable: true) }
            let version = router.version
            guard let connection = router.pick(safety, excluding: attempt.excluded) else {
                if let second = attempt.second { return second }
                guard SystemClock.bootTime() < patience, !router.isClosed else {
                    throw attempt.last ?? nobody(name, wait, tried: attempt.tried)
                }
                await pause(&attempt, since: version, until: patience)
                continue
            }
            let reply = await router.exchange(id, frame, name: name, on: connection, deadline: deadline)
            if let second = attempt.second {
                guard case .answer(let answer) = reply, answer.body != MessageCodec.errorField else { return second }
            }
            switch reply {
            case .answer(let answer) where answer.body != MessageCodec.errorField:
                if safety.isLeaders { router.noteLeader(connection) }
                // The leader knows best: one that stands by says who that is. It is asked once, and what we have is an answer.
                guard name == "get_cluster", attempt.second == nil, knowsOther(answer, connection) else {
                    return answer
                }
                attempt.second = answer
                attempt.excluded.insert(connection.id)
            case .answer(let answer):
                try judge(readError(answer), from: connection, safety, &attempt, name, patience, wait)
            case .notSent:
                attempt.note(connection, "the connection ended")
            case .connectionLost(let why):
                guard safety.isRepeatable else {
                    let text =
                        "the connection to \(connection.name) was lost while it had \(name) (\(why)); "
                        + "whether it was done is not known"
                    throw ClientError(.unavailable, text)
                }
                attempt.note(connection, why)
                guard SystemClock.bootTime() < patience else { throw nobody(name, wait, tried: attempt.tried) }
            case .timedOut:
                let doubt = safety.isRepeatable ? "" : "; whether it was done is not known"
                let text = "no answer to \(name) from \(connection.name) within \(timeout)\(doubt)"
                throw ClientError(.unavailable, text)
            case .cancelled:
                throw ClientError(.unavailable, "the request was cancelled", retryable: true)
            case .closed:
                throw ClientError(.unavailable, "this client is closed", retryable: false)
            }
        }
    }

    /// What one request has tried so far.
    private struct Attempts {
        /// Those that do not lead, in this round.
        var excluded: Set<ConnectionID> = []
        var tried: [(address: String, why: String)] = []
        var rounds = 0
        /// What to say in the end, instead of "nobody".
        var last: ClientError?
        /// An answer, while a better one is looked for.
        var second: RawAnswer?

        mutating func note(_ connection: DialedConnection, _ why: String) {
            tried.removeAll { $0.address == connection.name }
            tried.append((connection.name, why))
        }
    }

    /// An error that was answered: thrown, unless someone else or a later time may do better.
    private func judge(
        _ error: ClientError,
        from connection: DialedConnection,
        _ safety: RequestSafety,
        _ attempt: inout Attempts,
        _ name: String,
        _ patience: BootTime,
        _ wait: Duration
    ) throws(ClientError) {
        switch error.code {
        case .notLeader:
            attempt.note(connection, "does not lead")
            follow(error, from: connection)
        case .unavailable where safety.isRepeatable && error.retryable:
            attempt.note(connection, error.text)
            attempt.last = error
        default: throw error
        }
        attempt.excluded.insert(connection.id)
        guard SystemClock.bootTime() < patience else {
            throw attempt.last ?? nobody(name, wait, tried: attempt.tried)
        }
    }

    /// All have been asked: a moment, and then again from the start.
    private func pause(_ attempt: inout Attempts, since version: UInt64, until patience: BootTime) async {
        guard !attempt.excluded.isEmpty else {
            return await router.waitForChange(since: version, until: patience)
        }
        attempt.rounds += 1
        attempt.excluded = []
        var random = SystemRandomNumberGenerator()
        let delay = Backoff(firstMs: 50, maxMs: 400).boundMs(failures: attempt.rounds)
        let jittered = Int64.random(in: delay / 2...delay, using: &random)
        await router.waitForChange(since: version, until: min(patience, SystemClock.bootTime() + jittered))
    }

    /// Whether what a scheduler tells of the cluster names another one, to which we are connected, as its leader.
    private func knowsOther(_ answer: RawAnswer, _ connection: DialedConnection) -> Bool {
        guard case .answer(.cluster(let view))? = try? MessageCodec().decode(payload: answer.payload).message else {
            return false
        }
        return router.noteCluster(connection, isLeading: view.leading, leaderAddress: view.leaderAddress)
    }

    /// Takes note of where NOT_LEADER points, and dials it if it is new.
    func follow(_ error: ClientError, from connection: DialedConnection) {
        guard let address = router.noteNotLeader(connection, leaderAddress: error.leaderAddress),
            let endpoint = HostPort(address)
        else { return }
        loop.execute { [keeper] in keeper.value?.keep(endpoint) }
    }

    func readError(_ answer: RawAnswer) -> ClientError {
        do throws(WireError) {
            if case .error(let error) = try MessageCodec().decode(payload: answer.payload).message { return error }
            return ClientError(.internal, "the scheduler's error cannot be read")
        } catch {
            return ClientError(.internal, "the scheduler's error cannot be read: \(error)")
        }
    }

    func nobody(_ name: String, _ wait: Duration, tried: [(address: String, why: String)]) -> ClientError {
        let list = reasons(beside: tried)
        return ClientError(
            .unavailable,
            "no scheduler took \(name) within \(wait): \(list.isEmpty ? "no scheduler is configured" : list)"
        )
    }

    /// What is known of each scheduler that took nothing.
    private func reasons(beside tried: [(address: String, why: String)]) -> String {
        var reasons = tried
        for failure in router.failures where !reasons.contains(where: { $0.address.contains(failure.address) }) {
            reasons.append(failure)
        }
        for scheduler in configuration.schedulers {
            let text = scheduler.description
            if !reasons.contains(where: { $0.address.contains(text) || text == $0.address }),
                !router.connections.contains(where: { $0.scheduler == text })
            {
                let resolved = reasons.contains { $0.address.hasSuffix(":\(scheduler.port)") }
                if !resolved { reasons.append((text, "no answer yet")) }
            }
        }
        return reasons.map { "\($0.address) (\($0.why))" }.joined(separator: ", ")
    }

    func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }

    // MARK: The end

    /// Says goodbye to the schedulers; whoever still waits gets an error.
    package func close() async {
        let isFirst = isClosing.withLock { closing in
            defer { closing = true }
            return !closing
        }
        guard isFirst else { return }
        router.close()
        let keeper = keeper
        try? await loop.submit { keeper.value?.stop(why: "the client is done") }.get()
        // The last words go out before the thread ends.
        try? await loop.scheduleTask(in: .milliseconds(5)) { keeper.value = nil }.futureResult.get()
        if ownsGroup { try? await group.shutdownGracefully() }
    }
}

extension ClientRouter.Reply {
    var text: String {
        switch self {
        case .answer: "an answer"
        case .notSent: "the connection ended"
        case .connectionLost(let why): why
        case .timedOut: "no answer in time"
        case .cancelled: "cancelled"
        case .closed: "this client is closed"
        }
    }
}
