internal import CarillonCore
internal import CarillonRuntime
internal import CarillonSystem
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// An HTTP server that passes each request to a closure and sends the same response to all requests.
///
/// All connections share one event loop. Requests are passed to the closure one at a time, in the order of their
/// completion.
final class RequestListener: Sendable {
    /// The response to every request.
    struct Response: Sendable {
        var status = 200
        /// The delay between the end of the request and the response.
        var delayMs: Int64 = 0
    }

    /// The closure's decision after a request.
    enum Next: Sendable {
        case goOn
        /// The server stops after the response to this request.
        case stop
    }

    /// Limits that bound memory for any client behaviour.
    enum Limits {
        static let connections = 256
        /// A job has at most 32 KiB of headers.
        static let headerBytes = 65_536
        /// The time without any byte in either direction after which an idle connection is closed. A delayed response
        /// does not count.
        static let idleMs: Int64 = 120_000
    }

    let response: Response
    private let now: @Sendable () -> Timestamp
    private let receive: @Sendable (ReceivedRequest) throws -> Next
    private let connections = Atomic<Int>(0)
    private let stopped = StopSignal()
    private let failure = Mutex<(any Error)?>(nil)
    private let server = Mutex<(any Channel)?>(nil)

    /// - Parameters:
    ///   - now: returns the time of a request.
    ///   - receive: called on the event loop for each request. An error stops the server.
    init(
        response: Response,
        now: @escaping @Sendable () -> Timestamp,
        receive: @escaping @Sendable (ReceivedRequest) throws -> Next
    ) {
        self.response = response
        self.now = now
        self.receive = receive
    }

    /// Starts to listen.
    /// - Parameter address: the address; port 0 means any free port.
    /// - Returns: the address with the assigned port.
    /// - Throws: `CommandFailure` if listening on the address fails.
    func start(on address: HostPort) async throws(CommandFailure) -> HostPort {
        let bound: any Channel
        do {
            bound = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
                .serverChannelOption(.backlog, value: 64)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { [self] channel in accept(channel) }
                .bind(host: address.host, port: address.port)
                .get()
        } catch {
            throw CommandFailure(status: .unavailable, text: RequestListener.text(of: error, on: address))
        }
        server.withLock { $0 = bound }
        return HostPort(
            host: bound.localAddress?.ipAddress ?? address.host,
            port: bound.localAddress?.port ?? address.port
        )
    }

    /// Returns when the closure has stopped the server and the socket is closed.
    /// - Throws: the error of the closure.
    func untilStopped() async throws {
        await stopped.wait()
        let channel = server.withLock { $0 }
        // Close the socket in both cases.
        try? await channel?.close()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    private static func text(of error: any Error, on address: HostPort) -> String {
        let code = (error as? IOError)?.errnoCode
        guard code != EADDRINUSE else {
            return "another program listens on \(address); choose another port, or 0 for a free one"
        }
        return "cannot listen on \(address): \(code.map { String(cString: strerror($0)) } ?? "\(error)")"
    }

    // MARK: Connections

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let count = connections.add(1, ordering: .relaxed).newValue
        channel.closeFuture.whenComplete { [self] _ in connections.subtract(1, ordering: .relaxed) }
        guard count <= Limits.connections else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            var decoding = NIOHTTPDecoderLimitConfiguration()
            decoding.maxHeaderFieldSize = Limits.headerBytes
            decoding.maxHeaderListSize = Limits.headerBytes
            try pipeline.addHandler(IdleStateHandler(allTimeout: .milliseconds(Limits.idleMs)))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true,
                withErrorHandling: true,
                withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: decoding
            )
            try pipeline.addHandler(RequestListenerHandler(listener: self))
        }
    }

    /// Passes a complete request to the closure.
    /// - Returns: whether the server stops after the response.
    func received(_ head: HTTPRequestHead, body: [UInt8], bodyBytes: Int) -> Bool {
        let request = ReceivedRequest(
            time: now(),
            method: head.method.rawValue,
            target: head.uri,
            headers: head.headers.map { ReceivedRequest.Header(name: $0.name, value: $0.value) },
            body: body,
            bodyBytes: bodyBytes
        )
        do {
            return try receive(request) == .stop
        } catch {
            failure.withLock { $0 = error }
            return true
        }
    }

    func stop() {
        stopped.raise("stop")
    }
}
