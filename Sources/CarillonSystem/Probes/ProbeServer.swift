internal import CarillonCore
package import CarillonRuntime
internal import Glibc
package import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// A small HTTP server for those who watch the process: /metrics, /livez and /readyz.
///
/// It is bounded: so many connections, so many seconds for a request to arrive, so many between two requests.
package final class ProbeServer: Sendable {
    /// What a probe server takes before it says no.
    package struct Limits: Sendable {
        package var connections = 64
        /// From the first byte of a request (or the beginning of the connection) to its last.
        package var requestMs = 10_000
        /// Without any byte, either way.
        package var idleMs = 30_000
        package var headerBytes = 16 * 1024
        package var bodyBytes = 64 * 1024

        package init() {}
    }

    private let host: String
    private let port: Int
    private let limits: Limits
    private let responder: ProbeResponder
    private let logger: Logger
    private let connections = Atomic<Int>(0)
    private let channel = Mutex<(any Channel)?>(nil)

    /// - Parameters:
    ///   - port: 0 takes a free one.
    ///   - ready: whether the process can do its work, and a sentence that says why not (or what it does). It is called
    ///     on a network thread and may not wait.
    package init(
        host: String,
        port: Int,
        registry: MetricsRegistry,
        limits: Limits = Limits(),
        logger: Logger,
        ready: @escaping @Sendable () -> (Bool, String)
    ) {
        self.host = host
        self.port = port
        self.limits = limits
        self.logger = logger
        self.responder = ProbeResponder(registry: registry, ready: ready)
    }

    /// Begins to listen.
    /// - Returns: the address that it listens on, with the port that was taken.
    /// - Throws: `ProbeServerError` when the address cannot be had.
    @discardableResult
    package func start() async throws(ProbeServerError) -> HostPort {
        let wanted = HostPort(host: host, port: port)
        let bound: any Channel
        do {
            bound = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 64)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { [self] channel in accept(channel) }
                .childChannelOption(.maxMessagesPerRead, value: 4)
                .bind(host: host, port: port)
                .get()
        } catch {
            let why = Self.text(of: error)
            throw ProbeServerError(message: "cannot listen on \(wanted) for metrics and probes: \(why)")
        }
        channel.withLock { $0 = bound }
        let address = HostPort(
            host: bound.localAddress?.ipAddress ?? host,
            port: bound.localAddress?.port ?? port
        )
        logger.info("metrics and probes are served", metadata: ["address": "\(address)"])
        return address
    }

    private static func text(of error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }

    /// Stops listening; open connections end by themselves.
    package func stop() async {
        let open = channel.withLock { channel in
            defer { channel = nil }
            return channel
        }
        try? await open?.close().get()
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let (_, count) = connections.add(1, ordering: .relaxed)
        channel.closeFuture.whenComplete { [self] _ in
            connections.subtract(1, ordering: .relaxed)
        }
        guard count <= limits.connections else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture { [limits, responder] in
            let pipeline = channel.pipeline.syncOperations
            var decoding = NIOHTTPDecoderLimitConfiguration()
            decoding.maxHeaderFieldSize = limits.headerBytes
            decoding.maxHeaderListSize = limits.headerBytes
            try pipeline.addHandler(IdleStateHandler(allTimeout: .milliseconds(Int64(limits.idleMs))))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true,
                withErrorHandling: true,
                withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: decoding
            )
            try pipeline.addHandler(ProbeHandler(responder: responder, limits: limits))
        }
    }
}

/// The address of the probes cannot be had.
package struct ProbeServerError: Error, Sendable, CustomStringConvertible {
    package var message: String

    package var description: String { message }
}
