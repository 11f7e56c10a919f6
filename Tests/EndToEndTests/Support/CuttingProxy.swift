import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy that can cut its connections at any moment.
final class CuttingProxy: Sendable {
    private let listener: any Channel
    let port: Int

    static func start(to port: Int) async throws -> CuttingProxy {
        let open = Holder()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { inbound in
                open.channels.withLock { $0.append(inbound) }
                return ClientBootstrap(group: inbound.eventLoop)
                    .channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: port)
                    .flatMap { outbound in
                        open.channels.withLock { $0.append(outbound) }
                        return inbound.eventLoop.makeCompletedFuture {
                            try inbound.pipeline.syncOperations.addHandler(Relay(to: outbound))
                            try outbound.pipeline.syncOperations.addHandler(Relay(to: inbound))
                        }.flatMap {
                            inbound.setOption(.autoRead, value: true).and(outbound.setOption(.autoRead, value: true))
                        }.map { _ in }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return CuttingProxy(listener, open)
    }

    private let holder: Holder

    private init(_ listener: any Channel, _ holder: Holder) {
        self.listener = listener
        self.holder = holder
        port = listener.localAddress?.port ?? 0
    }

    /// Cuts every connection that is open now; new ones are taken.
    func cut() {
        let channels = holder.channels.withLock { channels in
            defer { channels = [] }
            return channels
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Cuts one of them, or one way of it: what comes from one side goes nowhere any more, and nobody is told.
    func cutOne(using random: inout some RandomNumberGenerator) {
        let channel = holder.channels.withLock { channels -> (any Channel)? in
            channels.removeAll { !$0.isActive }
            guard !channels.isEmpty else { return nil }
            return channels.remove(at: Int.random(in: 0..<channels.count, using: &random))
        }
        guard let channel else { return }
        if Int.random(in: 0..<4, using: &random) == 0 {
            channel.setOption(.autoRead, value: false).whenFailure { _ in }
        } else {
            channel.close(promise: nil)
        }
    }

    func stop() async {
        cut()
        try? await listener.close()
    }

    private final class Holder: Sendable {
        let channels = Mutex<[any Channel]>([])
    }

    private final class Relay: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel

        init(to other: any Channel) { self.other = other }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            other.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
