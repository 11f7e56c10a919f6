import CarillonRuntime
import NIOCore
import NIOPosix

/// A test's connection to a server: sends bytes and awaits the response.
struct Connection {
    private let channel: any Channel
    private var parts: AsyncStream<String>.Iterator
    private(set) var read = ""

    /// Returns when the kernel has established the connection, even if the server has not accepted it.
    /// - Parameter reads: whether received bytes are read from the kernel.
    init(to address: HostPort, reads: Bool = true) async throws {
        let (parts, continuation) = AsyncStream.makeStream(of: String.self)
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Receiver(continuation))
                }
            }
            .connect(host: address.host, port: address.port)
            .get()
        self.parts = parts.makeAsyncIterator()
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// Reads until the received text has this ending; without an ending, until the server closes or resets the connection.
    @discardableResult
    mutating func receive(until end: String? = nil) async -> String {
        while end.map({ !read.hasSuffix($0) }) ?? true {
            guard let part = await parts.next(isolation: #isolation) else { break }
            read += part
        }
        return read
    }

    /// Reads further bytes.
    mutating func receiveMore() async {
        if let part = await parts.next(isolation: #isolation) { read += part }
    }

    func close() async throws {
        try await channel.close().get()
    }

    /// Sends bytes, and returns everything received until the server closes the connection.
    static func exchange(_ address: HostPort, _ text: String) async throws -> String {
        var connection = try await Connection(to: address)
        // The server may have answered and closed the connection before the bytes were sent.
        if !text.isEmpty { try? await connection.send(text) }
        return await connection.receive()
    }

    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let output: AsyncStream<String>.Continuation

        init(_ output: AsyncStream<String>.Continuation) {
            self.output = output
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            output.yield(String(buffer: unwrapInboundIn(data)))
        }

        func channelInactive(context: ChannelHandlerContext) {
            output.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
