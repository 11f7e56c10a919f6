import CarillonCore
import CarillonWire
import NIOCore
import NIOPosix
import Synchronization

/// A TCP connection that can break the rules of the protocol.
final class RawPeer: Sendable {
    private let channel: any Channel
    private let bytes: Mutex<[UInt8]>

    private init(_ channel: any Channel, _ collector: Collector) {
        self.channel = channel
        bytes = Mutex([])
        collector.peer.withLock { $0 = self }
    }

    /// - Parameter reads: whether data from the other end is read.
    static func connect(_ port: Int, reads: Bool = true) async throws -> RawPeer {
        let collector = Collector()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(collector) }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let peer = RawPeer(channel, collector)
        if reads { try await channel.setOption(.autoRead, value: true).get() }
        return peer
    }

    func write(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    func write(_ text: String) { write(Array(text.utf8)) }
    func write(_ message: Message, id: UInt64 = 0) { write(MessageCodec.frame(of: Envelope(id: id, message))) }

    /// Sends the first message of a client or a worker.
    func hello(_ role: Role, maxWorkers: UInt32? = nil, name: String = "raw") {
        let bootID = UniqueID(high: UInt64.random(in: 0...UInt64.max), low: 1)
        write(
            .hello(
                Hello(
                    protocolVersion: ProtocolVersion.current,
                    role: role,
                    name: name,
                    bootID: bootID,
                    maxWorkers: maxWorkers
                )
            )
        )
    }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
    var count: Int { bytes.withLock { $0.count } }
    var isOpen: Bool { channel.isActive }

    /// The messages that the other end has sent so far.
    var received: [Envelope] {
        var envelopes: [Envelope] = []
        var decoder = FrameDecoder()
        let codec = MessageCodec()
        // Messages beyond the buffer, and the rest of an incomplete frame, are ignored.
        try? decoder.feed(bytes.withLock { $0 }) { (payload) throws(WireError) in
            envelopes.append(try codec.decode(payload: payload))
        }
        return envelopes
    }

    /// The calls dispatched to this worker.
    var dispatched: [DispatchedCall] {
        received.flatMap { envelope -> [DispatchedCall] in
            if case .dispatch(_, let calls) = envelope.message { return calls }
            return []
        }
    }

    func close() { channel.close(promise: nil) }

    /// Waits until the other end has closed the connection.
    func closed() async { try? await channel.closeFuture.get() }

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let peer = Mutex<RawPeer?>(nil)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let part = unwrapInboundIn(data)
            guard let peer = peer.withLock({ $0 }) else { return }
            // Only the start of the data is needed.
            peer.bytes.withLock { if $0.count < 1 << 20 { $0.append(contentsOf: part.readableBytesView) } }
        }

        func channelInactive(context: ChannelHandlerContext) { peer.withLock { $0 = nil } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
