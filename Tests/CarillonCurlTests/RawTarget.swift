import NIOCore
import NIOPosix

/// A TCP server that says something no HTTP client expects, and counts who came.
struct RawTarget {
    var channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }

    /// Answers the first bytes of each connection with `answer`, and closes; without an answer it says nothing for ever.
    static func start(answer: String?) async throws -> RawTarget {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RawHandler(answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        return RawTarget(channel: channel)
    }

    /// A port that nobody listens on.
    static func freePort() async throws -> Int {
        let target = try await start(answer: nil)
        let port = target.port
        try await target.stop()
        return port
    }

    func stop() async throws {
        try await channel.close().get()
    }
}

private final class RawHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: String?

    init(answer: String?) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let answer else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        context.close(promise: nil)
    }
}
