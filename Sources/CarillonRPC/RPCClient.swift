package import CarillonCore
package import CarillonRuntime
package import CarillonWire
package import Logging
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// A client of the schedulers: keeps connections to all of them, follows NOT_LEADER, waits during a take-over, and repeats a
/// request only if repeating is harmless. Requests may run concurrently.
package final class RPCClient: Sendable {
    package struct Configuration: Sendable {
        package var schedulers: [HostPort]
        /// Appears in the schedulers' logs.
        package var name: String
        package var version: String?
        package var requestTimeout: Duration
        /// How long a request waits for a scheduler that can take it.
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

    /// A connected scheduler.
    package struct Peer: Sendable, Hashable {
        /// The configured address.
        package var scheduler: String
        /// The resolved address.
        package var address: String
        package var serverID: UniqueID
        /// Whether it led at the start of the connection.
        package var leading: Bool
        package var version: String?
    }

    /// Creates a request's payload for the id of its answers.
    package typealias Encoding = @Sendable (_ id: UInt64) throws(ClientError) -> [UInt8]
    /// Reads an answer's payload.
    package typealias Decoding<Value> = @Sendable (_ payload: [UInt8]) throws(WireError) -> Value

    /// The buffer for answers of a watch that wait for their reader.
    static let watchBuffer = 4_096

    package let configuration: Configuration
    let router: ClientRouter
    private let loop: any EventLoop
    private let group: any EventLoopGroup
    private let ownsGroup: Bool
    private let keeper: NIOLoopBoundBox<ConnectionKeeper?>
    private let isClosing = Mutex(false)

    /// Starts to dial at once.
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
        // Boxed, because the thread sanitizer needs an address for an inout argument, and an empty value has none.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        let hello = Hello(
            role: .client,
            name: configuration.name,
            bootID: UniqueID.random(using: &random),
            version: configuration.version
        )
        var keeping = ConnectionKeeper.Configuration(role: .client, limits: configuration.limits)
        // Shorter than a worker's delay, because people wait for a client.
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

    /// The connected schedulers.
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

    /// Why no scheduler is connected, as `address (reason)`; `nil` when one is connected.
    package var reasonsForNoConnection: String? {
        let list = reasons(beside: [])
        // A connection may have been established meanwhile.
        return router.connections.isEmpty && !list.isEmpty ? list : nil
    }

    // MARK: Requests

    /// Sends a request that the caller encodes, and returns the payload of its answer.
    /// - Parameters:
    ///   - name: the request's name in the envelope (`create_job`).
    ///   - hasIdempotencyKey: whether the scheduler answers a repeated request with the result of the first one.
    ///   - encode: creates the payload for the id of the answer.
    /// - Throws: the scheduler's error; the error of `encode`, before anything is sent; `unavailable` when no scheduler could take
    ///   the request in time, or when the connection ended and the outcome is unknown.
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

    /// Sends a request and returns its answer.
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
            throw WireError(.invalid, "the message is not an answer to a client")
        } catch {
            throw ClientError(.internal, "the scheduler's answer to \(request.name) cannot be read: \(error)")
        }
    }

    /// One round trip to a scheduler on the protocol level.
    /// - Parameter scheduler: a configured or resolved address; by default any connected scheduler.
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

    // MARK: Sending a request

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
                // A standby names the leader, which knows more. The leader is asked once; the standby's answer is the fallback.
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
                        + "whether it was performed is unknown"
                    throw ClientError(.unavailable, text)
                }
                attempt.note(connection, why)
                guard SystemClock.bootTime() < patience else { throw nobody(name, wait, tried: attempt.tried) }
            case .timedOut:
                let doubt = safety.isRepeatable ? "" : "; whether it was performed is unknown"
                let text = "no answer to \(name) from \(connection.name) within \(timeout)\(doubt)"
                throw ClientError(.unavailable, text)
            case .cancelled:
                throw ClientError(.unavailable, "the request was cancelled", retryable: true)
            case .closed:
                throw ClientError(.unavailable, "this client is closed", retryable: false)
            }
        }
    }

    /// The attempts of one request so far.
    private struct Attempts {
        /// Schedulers that did not lead in this round.
        var excluded: Set<ConnectionID> = []
        var tried: [(address: String, why: String)] = []
        var rounds = 0
        /// The last error, thrown if no scheduler takes the request.
        var last: ClientError?
        /// A standby's answer, while the leader is asked.
        var second: RawAnswer?

        mutating func note(_ connection: DialedConnection, _ why: String) {
            tried.removeAll { $0.address == connection.name }
            tried.append((connection.name, why))
        }
    }

    /// Throws the error of an answer, unless another scheduler or a later attempt may succeed.
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

    /// All schedulers have been asked: waits a moment before the next round.
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

    /// Whether a scheduler's answer names another connected scheduler as the leader.
    private func knowsOther(_ answer: RawAnswer, _ connection: DialedConnection) -> Bool {
        guard case .answer(.cluster(let view))? = try? MessageCodec().decode(payload: answer.payload).message else {
            return false
        }
        return router.noteCluster(connection, isLeading: view.leading, leaderAddress: view.leaderAddress)
    }

    /// Records the leader's address from NOT_LEADER, and dials it if it is new.
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

    /// The last failure of each scheduler that did not take the request.
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

    // MARK: Closing

    /// Sends Goodbye to the schedulers; requests that still wait fail.
    package func close() async {
        let isFirst = isClosing.withLock { closing in
            defer { closing = true }
            return !closing
        }
        guard isFirst else { return }
        router.close()
        let keeper = keeper
        try? await loop.submit { keeper.value?.stop(why: "the client stops") }.get()
        // The last messages must be sent before the thread ends.
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
