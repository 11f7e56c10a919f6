internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import Logging
internal import Synchronization

/// State shared by all connections of a server.
final class ServerShared: Sendable {
    let configuration: RPCServer.Configuration
    let receiver: any PeerReceiver
    let metrics: RPCMetrics
    let logger: Logger
    /// Logs refused and closed peers.
    let refusals: RateLimitedLog

    private struct State {
        var connections: [ConnectionID: @Sendable (String) -> Void] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())

    init(
        configuration: RPCServer.Configuration,
        receiver: any PeerReceiver,
        metrics: RPCMetrics,
        logger: Logger
    ) {
        self.configuration = configuration
        self.receiver = receiver
        self.metrics = metrics
        self.logger = logger
        refusals = RateLimitedLog(logger)
    }

    /// Registers a connection; returns false above the limit. `close` sends Goodbye.
    func opened(_ id: ConnectionID, _ close: @escaping @Sendable (String) -> Void) -> Bool {
        state.withLock { state in
            guard !state.isStopping, state.connections.count < configuration.maxConnections else { return false }
            state.connections[id] = close
            return true
        }
    }

    func closed(_ id: ConnectionID) {
        state.withLock { _ = $0.connections.removeValue(forKey: id) }
    }

    func closeAll(why: String) {
        let closers = state.withLock { state in
            state.isStopping = true
            return Array(state.connections.values)
        }
        for close in closers { close(why) }
    }

    var count: Int { state.withLock { $0.connections.count } }
}
