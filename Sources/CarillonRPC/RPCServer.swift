package import CarillonCore
package import CarillonRuntime
package import CarillonWire
package import Logging
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// Accepts connections of workers and clients, and passes their messages to a receiver.
package final class RPCServer: Sendable {
    package struct Configuration: Sendable {
        package var host: String
        /// Port 0 takes a free port.
        package var port: Int
        package var limits: ConnectionLimits
        package var maxConnections: Int
        /// A peer with more queued bytes than this that reads nothing for ten seconds is closed; so is a peer with four times as
        /// many queued bytes.
        package var maxQueuedBytes: Int

        package init(
            host: String,
            port: Int,
            limits: ConnectionLimits = ConnectionLimits(),
            maxConnections: Int = 10_000,
            maxQueuedBytes: Int = 64 << 20
        ) {
            self.host = host
            self.port = port
            self.limits = limits
            self.maxConnections = maxConnections
            self.maxQueuedBytes = maxQueuedBytes
        }
    }

    private struct State {
        var listener: (any Channel)?
        var isStopped = false
    }

    private let shared: ServerShared
    private let group: any EventLoopGroup
    private let ownsGroup: Bool
    private let state = Mutex(State())

    /// - Parameter group: the event loops of the connections; by default the server starts a separate thread.
    package init(
        configuration: Configuration,
        receiver: any PeerReceiver,
        metrics: RPCMetrics = RPCMetrics(),
        logger: Logger,
        group: (any EventLoopGroup)? = nil
    ) {
        shared = ServerShared(
            configuration: configuration,
            receiver: receiver,
            metrics: metrics,
            logger: logger
        )
        self.group = group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
        ownsGroup = group == nil
    }

    /// Binds and starts to accept. Returns the address, with the actual port.
    /// - Throws: a `ClientError` (`failedPrecondition`) with the address and the reason.
    @discardableResult
    package func start() async throws(ClientError) -> HostPort {
        let shared = shared
        let configuration = shared.configuration
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ServerPeerHandler(shared: shared))
                }
            }
        do {
            let listener = try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
            let port = listener.localAddress?.port ?? configuration.port
            let isLate = state.withLock { state in
                state.listener = listener
                return state.isStopped
            }
            if isLate { try? await listener.close() }
            return HostPort(host: configuration.host, port: port)
        } catch {
            let address = HostPort(host: configuration.host, port: configuration.port)
            throw ClientError(.failedPrecondition, "cannot listen on \(address): \(FailureText.of(error))")
        }
    }

    /// The open connections.
    package var connectionCount: Int { shared.count }

    /// Stops accepting, sends Goodbye on all connections, and returns when they have ended, or after a second.
    package func stop(why: String = "the scheduler stops") async {
        let listener: (any Channel)? = state.withLock { state in
            guard !state.isStopped else { return nil }
            state.isStopped = true
            return state.listener
        }
        try? await listener?.close()
        shared.closeAll(why: why)
        let end = SystemClock.bootTime() + 1_000
        while shared.count > 0, SystemClock.bootTime() < end {
            try? await Task.sleep(for: .milliseconds(5))
        }
        // The last messages are written; the sockets need a moment to send them.
        try? await Task.sleep(for: .milliseconds(20))
        if ownsGroup { try? await group.shutdownGracefully() }
    }
}
