import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A TCP proxy that ends each of its connections. The time and the way are drawn from a seed when the connection is
/// made.
final class CuttingProxy: Sendable {
    /// The way in which a connection ends.
    enum Cut: Int, CaseIterable, Sendable {
        /// Both ends get an orderly close.
        case closed
        /// Both ends get a reset.
        case reset
        /// The dialling end gets a half-close; its own data still arrives.
        case halfClosedToDialler
        /// The listening end gets a half-close.
        case halfClosedToListener
        /// Data from the dialling end is lost from now on. Neither end gets a close for a while.
        case deafToDialler
        /// Data to the dialling end is lost.
        case deafToListener
    }

    /// One connection as its two channels.
    private struct Pair: Sendable {
        var dialler: any Channel
        var listener: any Channel
        var diallerRelay: NIOLoopBound<Relay>
        var listenerRelay: NIOLoopBound<Relay>
    }

    private struct State {
        var random: SeededGenerator
        var pairs: [ObjectIdentifier: Pair] = [:]
        var made = 0
        var cuts: [Cut: Int] = [:]
        var isCutting = true
    }

    private let state: Mutex<State>
    private let target: Int
    private let life: Range<Double>
    private let silence: Range<Double>
    private let listening = Mutex<(any Channel)?>(nil)

    /// - Parameters:
    ///   - life: the duration of a connection in seconds.
    ///   - silence: the seconds that a silent connection is kept open, unless one of its ends closes it first.
    static func start(
        to port: Int,
        life: Range<Double>,
        silence: Range<Double>,
        seed: UInt64
    ) async throws -> CuttingProxy {
        let proxy = CuttingProxy(to: port, life: life, silence: silence, seed: seed)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { proxy.accepted($0) }
            .bind(host: "127.0.0.1", port: 0).get()
        proxy.listening.withLock { $0 = channel }
        return proxy
    }

    private init(to target: Int, life: Range<Double>, silence: Range<Double>, seed: UInt64) {
        (self.target, self.life, self.silence) = (target, life, silence)
        state = Mutex(State(random: SeededGenerator(seed: seed)))
    }

    var port: Int { listening.withLock { $0?.localAddress?.port } ?? 0 }

    /// The number of connections that ended in each way.
    var cuts: [Cut: Int] { state.withLock { $0.cuts } }

    /// Closes the connections that have been cut. Other connections and new ones are not touched.
    func calm() {
        let pairs = state.withLock { state in
            state.isCutting = false
            return state.pairs.values
        }
        for pair in pairs {
            pair.dialler.eventLoop.execute {
                if pair.diallerRelay.value.isDeaf || pair.listenerRelay.value.isDeaf { Self.close(pair) }
            }
        }
    }

    func stop() async {
        let pairs = state.withLock { $0.pairs.values }
        for pair in pairs { Self.close(pair) }
        try? await listening.withLock { $0 }?.close()
    }

    private func accepted(_ dialler: any Channel) -> EventLoopFuture<Void> {
        ClientBootstrap(group: dialler.eventLoop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: target)
            .flatMap { [self] listener in
                dialler.eventLoop.makeCompletedFuture {
                    let fromDialler = Relay(to: listener)
                    let fromListener = Relay(to: dialler)
                    try dialler.pipeline.syncOperations.addHandler(fromDialler)
                    try listener.pipeline.syncOperations.addHandler(fromListener)
                    opened(
                        Pair(
                            dialler: dialler,
                            listener: listener,
                            diallerRelay: NIOLoopBound(fromDialler, eventLoop: dialler.eventLoop),
                            listenerRelay: NIOLoopBound(fromListener, eventLoop: dialler.eventLoop)
                        )
                    )
                }.flatMap {
                    dialler.setOption(.autoRead, value: true).and(listener.setOption(.autoRead, value: true))
                }.map { _ in }
            }
    }

    private func opened(_ pair: Pair) {
        let id = ObjectIdentifier(pair.dialler)
        let (seconds, cut, silence) = state.withLock { state in
            state.pairs[id] = pair
            // The ways alternate, so that even few connections cover all of them.
            let cut = Cut(rawValue: state.made % Cut.allCases.count) ?? .closed
            state.made += 1
            return (
                Double.random(in: life, using: &state.random), cut,
                Double.random(in: self.silence, using: &state.random)
            )
        }
        pair.dialler.closeFuture.whenComplete { [self] _ in _ = state.withLock { $0.pairs.removeValue(forKey: id) } }
        pair.dialler.eventLoop.scheduleTask(in: .milliseconds(Int64(seconds * 1_000))) { [self] in
            guard state.withLock({ $0.isCutting }), pair.dialler.isActive, pair.listener.isActive else { return }
            end(pair, cut, silence: silence)
            state.withLock { $0.cuts[cut, default: 0] += 1 }
        }
    }

    private func end(_ pair: Pair, _ cut: Cut, silence: Double) {
        switch cut {
        case .closed: Self.close(pair)
        case .reset:
            for channel in [pair.dialler, pair.listener] {
                // Closing with a linger time of zero sends a reset to the other end.
                guard let options = channel as? any SocketOptionProvider else { continue }
                options.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                    .whenComplete { _ in channel.close(promise: nil) }
            }
        case .halfClosedToDialler: pair.dialler.close(mode: .output, promise: nil)
        case .halfClosedToListener: pair.listener.close(mode: .output, promise: nil)
        case .deafToDialler, .deafToListener:
            (cut == .deafToDialler ? pair.diallerRelay : pair.listenerRelay).value.isDeaf = true
            pair.dialler.eventLoop.scheduleTask(in: .milliseconds(Int64(silence * 1_000))) { Self.close(pair) }
        }
    }

    private static func close(_ pair: Pair) {
        pair.dialler.close(promise: nil)
        pair.listener.close(promise: nil)
    }

    private final class Relay: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        var isDeaf = false

        init(to other: any Channel) { self.other = other }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if !isDeaf { other.writeAndFlush(unwrapInboundIn(data), promise: nil) }
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
