import NIOCore
import NIOExtras
import NIOPosix
import Synchronization

/// A bare SwiftNIO connection that sends the same frame repeatedly, with a number of frames in flight, and counts the
/// replies.
enum FramePeer {
    /// An echo server.
    /// - Parameter framed: whether SwiftNIO's handlers split the data into frames and assemble them again.
    static func echo(framed: Bool, on group: any EventLoopGroup) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if framed {
                        let decoder = LengthFieldBasedFrameDecoder(lengthFieldLength: .four)
                        try pipeline.addHandler(ByteToMessageHandler(decoder))
                        try pipeline.addHandler(LengthFieldPrepender(lengthFieldLength: .four))
                    }
                    try pipeline.addHandler(Echo())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// Round trips a second.
    /// - Parameter hello: sent first; its reply is not counted.
    static func measure(
        port: Int,
        hello: [UInt8]?,
        frame: [UInt8],
        inFlight: Int,
        seconds: Double,
        on group: any EventLoopGroup
    ) async throws -> Double {
        let count = Count()
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Sender(hello, frame, inFlight, count))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        try await Stopwatch.sleep(seconds / 4)
        let (begin, from) = (count.value.load(ordering: .relaxed), Stopwatch.now)
        try await Stopwatch.sleep(seconds)
        let rate = Double(count.value.load(ordering: .relaxed) - begin) / (Stopwatch.now - from)
        try? await channel.close()
        return rate
    }

    private final class Count: Sendable {
        let value = Atomic(0)
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
        func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private final class Sender: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let hello: [UInt8]?
        private let frame: [UInt8]
        private let inFlight: Int
        private let count: Count
        private var isGreeted: Bool
        private var rest = ByteBuffer()

        init(_ hello: [UInt8]?, _ frame: [UInt8], _ inFlight: Int, _ count: Count) {
            self.hello = hello
            self.frame = frame
            self.inFlight = inFlight
            self.count = count
            isGreeted = hello == nil
        }

        func channelActive(context: ChannelHandlerContext) {
            if let hello {
                context.writeAndFlush(NIOAny(ByteBuffer(bytes: hello)), promise: nil)
            } else {
                send(inFlight, context)
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = unwrapInboundIn(data)
            if rest.readableBytes == 0 { rest = part } else { rest.writeBuffer(&part) }
            var frames = 0
            while let length = rest.getInteger(at: rest.readerIndex, as: UInt32.self),
                rest.readableBytes >= Int(length) + 4
            {
                rest.moveReaderIndex(forwardBy: Int(length) + 4)
                frames += 1
            }
            guard frames > 0 else { return }
            guard isGreeted else {
                isGreeted = true
                return send(inFlight, context)
            }
            count.value.add(frames, ordering: .relaxed)
            send(frames, context)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func send(_ frames: Int, _ context: ChannelHandlerContext) {
            var buffer = context.channel.allocator.buffer(capacity: frames * frame.count)
            for _ in 0..<frames { buffer.writeBytes(frame) }
            context.writeAndFlush(NIOAny(buffer), promise: nil)
        }
    }
}
