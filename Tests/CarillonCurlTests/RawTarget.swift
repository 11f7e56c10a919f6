import NIOCore
import NIOPosix

/// A TCP server that sends arbitrary bytes and counts connections.
struct RawTarget {
    var channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }

    /// Answers the first bytes of each connection with `answer`, and closes; without an answer it never sends anything.
    static func start(answer: String?) async throws -> RawTarget {
        try await start(bytes: answer.map { Array($0.utf8) })
    }

    /// - Parameter closes: whether the server closes the connection after the answer.
    static func start(bytes: [UInt8]?, closes: Bool = true) async throws -> RawTarget {
        try await start { RawHandler(answer: bytes, closes: closes) }
    }

    /// Answers the first request of each connection, and closes the connection at the second request.
    static func startForgetful() async throws -> RawTarget {
        try await start { ForgetfulHandler() }
    }

    private static func start(_ makeHandler: @escaping @Sendable () -> any ChannelHandler) async throws -> RawTarget {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(makeHandler()) }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        return RawTarget(channel: channel)
    }

    /// A port without a listener.
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

    private var answer: [UInt8]?
    private let closes: Bool

    init(answer: [UInt8]?, closes: Bool) {
        self.answer = answer
        self.closes = closes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let answer else { return }
        self.answer = nil
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        if closes { context.close(promise: nil) }
    }
}

private final class ForgetfulHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var hasAnswered = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasAnswered else { return context.close(promise: nil) }
        hasAnswered = true
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }
}
