internal import CarillonCore
package import CarillonRuntime
package import CarillonWire
package import Logging
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// A worker's connections: one to every scheduler behind every configured address.
package final class RPCDialer: SchedulerDialer, Sendable {
    private struct State {
        var keeper: NIOLoopBoundBox<ConnectionKeeper?>?
        var isStopped = false
    }

    private let schedulers: [HostPort]
    private let configuration: ConnectionKeeper.Configuration
    private let metrics: RPCMetrics
    private let logger: Logger
    private let group: any EventLoopGroup
    private let ownsGroup: Bool
    private let state = Mutex(State())

    /// - Parameter group: the event loops of the connections; by default the dialer starts a separate thread.
    package init(
        schedulers: [HostPort],
        limits: ConnectionLimits = ConnectionLimits(),
        resolveEveryMs: Int64 = 10_000,
        metrics: RPCMetrics = RPCMetrics(),
        logger: Logger,
        group: (any EventLoopGroup)? = nil
    ) {
        self.schedulers = schedulers
        var configuration = ConnectionKeeper.Configuration(role: .worker, limits: limits)
        configuration.resolveEveryMs = resolveEveryMs
        // A restarted standby may lead a second later, and its workers should be connected by then.
        configuration.backoff.maxMs = 1_000
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        self.group = group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
        ownsGroup = group == nil
    }

    package func start(hello: @escaping @Sendable () -> Hello, receiver: any SchedulerReceiver) {
        let loop = group.next()
        let box = NIOLoopBoundBox<ConnectionKeeper?>.makeEmptyBox(eventLoop: loop)
        let proceed = state.withLock { state in
            guard state.keeper == nil, !state.isStopped else { return false }
            state.keeper = box
            return true
        }
        guard proceed else { return }
        let owner = ReceiverOwner(receiver: receiver, logger: logger)
        let (configuration, metrics, logger, schedulers) = (configuration, metrics, logger, schedulers)
        loop.execute {
            let keeper = ConnectionKeeper(
                configuration: configuration,
                loop: loop,
                owner: owner,
                hello: hello,
                metrics: metrics,
                logger: logger
            )
            box.value = keeper
            for scheduler in schedulers { keeper.keep(scheduler) }
        }
    }

    /// Sends Goodbye to every scheduler and stops dialling.
    package func stop() {
        let box = state.withLock { state in
            state.isStopped = true
            return state.keeper
        }
        guard let box else { return shutdown() }
        box.eventLoop.execute {
            box.value?.stop(why: "the worker stops")
            // The last messages must be sent before the thread ends.
            box.eventLoop.scheduleTask(in: .milliseconds(200)) { self.shutdown() }
        }
    }

    private func shutdown() {
        if ownsGroup { group.shutdownGracefully { _ in } }
    }

    /// Passes the events of the connections to the worker.
    private struct ReceiverOwner: DialedConnectionOwner {
        let receiver: any SchedulerReceiver
        let logger: Logger

        func established(_ connection: DialedConnection) {
            receiver.connected(
                connection.id,
                to: connection.scheduler,
                welcome: connection.welcome,
                link: connection.outbox
            )
        }

        func received(_ envelopes: [Envelope], from connection: DialedConnection) {
            receiver.received(envelopes, from: connection.id)
        }

        func answered(_ answers: [RawAnswer], from connection: DialedConnection) {}

        func ended(_ connection: DialedConnection, why: String) {
            receiver.disconnected(connection.id, why: why)
        }

        func attemptFailed(scheduler: String, address: String, why: String) {}
    }
}
