import NIOCore
import NIOPosix

/// A target that answers every request with 200 after a delay.
final class DelayServer: Sendable {
    private let channel: any Channel
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)/" }

    init(delay: TimeAmount) async throws {
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4_096)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(delay))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func stop() async throws {
        try await channel.close()
        try await group.shutdownGracefully()
    }

    /// Parses only the end of an HTTP request.
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private static let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        private static let length = Array("content-length: ".utf8)
        private let delay: TimeAmount
        private var request = ByteBuffer()

        init(_ delay: TimeAmount) { self.delay = delay }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = unwrapInboundIn(data)
            request.writeBuffer(&part)
            guard isWhole else { return }
            request.clear()
            let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: delay) {
                loopBound.value.writeAndFlush(NIOAny(Handler.answer), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private var isWhole: Bool {
            let view = request.readableBytesView
            guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
            let head = view[view.startIndex..<end.lowerBound].map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
            guard let found = head.firstRange(of: Handler.length) else { return true }
            let digits = head[found.upperBound...].prefix { $0 >= 48 && $0 <= 57 }
            return view.endIndex - end.upperBound >= digits.reduce(0) { $0 * 10 + Int($1) - 48 }
        }
    }
}
