import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A TCP proxy that ends each of its connections by itself: when and how is drawn from a seed as the connection is made.
final class CuttingProxy: Sendable {
    /// How a connection ends.
    enum Cut: Int, CaseIterable, Sendable {
        /// Both ends are told that it is over.
        case closed
        /// Both ends are told that it never was.
        case reset
        /// The end that dialled hears that no more comes; what it still says arrives.
        case halfClosedToDialler
        /// The other way round.
        case halfClosedToListener
        /// What the end that dialled says is lost from now on, and nobody is told for a while.
        case deafToDialler
        /// What it is told is lost.
        case deafToListener
    }

    /// One connection, as its two channels.
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
    ///   - life: how many seconds a connection lives.
    ///   - silence: how many seconds one that has become deaf is kept open, unless its ends give it up before.
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

    /// How many connections have ended in each way.
    var cuts: [Cut: Int] { state.withLock { $0.cuts } }

    /// Ends what is not whole any more; whatever is open or comes is let alone.
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
            // Each way has its turn, however few connections there are.
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
                // Closed with nothing left to linger for: the other end gets a reset.
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
