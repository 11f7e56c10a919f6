import NIOCore
import NIOPosix
import Synchronization

/// A target that speaks HTTP/2 frame by frame (RFC 9113), or HTTP/1.1 to clients that start with it, and reacts as the test asks.
final class FrameTarget: Sendable {
    /// The reaction to a request.
    enum Reaction: Sendable {
        /// Status 200, with the version as the body.
        case answer
        /// RST_STREAM with this code.
        case reset(UInt32)
        /// GOAWAY that declares all requests unprocessed, and the end of the connection.
        case goAway
        /// GOAWAY that declares this request possibly processed, and the end of the connection.
        case goAwayAfterProcessing
        /// Status 200 and a part of the body; after their arrival, RST_STREAM with this code.
        case resetAnswer(UInt32)
        /// GOAWAY that declares this request unprocessed and earlier requests processed; those are answered.
        case goAwayBefore
        /// Status 200 and nothing more.
        case beginAnswer
    }

    static let refusedStream: UInt32 = 7
    static let http11Required: UInt32 = 13

    private struct State {
        var reactions: [Reaction]
        var versions: [String] = []
        var connections = 0
        var requestConnections: [Int] = []
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Mutex<State>
    private let channel = Mutex<(any Channel)?>(nil)

    /// - Parameter reactions: to successive requests; later requests are answered.
    init(_ reactions: [Reaction] = []) {
        state = Mutex(State(reactions: reactions))
    }

    static func start(_ reactions: [Reaction] = []) async throws -> FrameTarget {
        let target = FrameTarget(reactions)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameHandler(target))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        target.channel.withLock { $0 = channel }
        return target
    }

    func stop() async throws {
        try await channel.withLock { $0 }?.close().get()
    }

    var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
    var url: String { "http://127.0.0.1:\(port)/" }
    /// The HTTP versions of the requests, in order.
    var versions: [String] { state.withLock { $0.versions } }
    var connections: Int { state.withLock { $0.connections } }
    /// The connection of each request, from 1.
    var requestConnections: [Int] { state.withLock { $0.requestConnections } }

    /// Returns once this many requests have arrived.
    func received(count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.versions.count >= count { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    fileprivate func accepted() -> Int {
        state.withLock { state in
            state.connections += 1
            return state.connections
        }
    }

    fileprivate func reaction(to version: String, on connection: Int) -> Reaction {
        let (reaction, ready) = state.withLock { state in
            state.versions.append(version)
            state.requestConnections.append(connection)
            let count = state.versions.count
            let ready = state.waiting.filter { $0.count <= count }
            state.waiting.removeAll { $0.count <= count }
            return (state.reactions.isEmpty ? Reaction.answer : state.reactions.removeFirst(), ready)
        }
        for waiting in ready { waiting.continuation.resume() }
        return reaction
    }
}

/// One connection.
final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    private let target: FrameTarget
    private var connection = 0
    private var received = ByteBuffer()
    private var isHTTP2 = false
    /// The stream whose response has started, and its reset code once the client has confirmed a PING.
    private var (begun, resetCode) = (UInt32(0), UInt32(0))

    init(_ target: FrameTarget) {
        self.target = target
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if connection == 0 { connection = target.accepted() }
        received.writeImmutableBuffer(unwrapInboundIn(data))
        while begin(context), let (type, flags, stream) = nextFrame() {
            // SETTINGS that is not an acknowledgement.
            if type == 4, flags & 1 == 0 { send(frame(type: 4, flags: 1), context) }
            if type == 6, flags & 1 != 0 { send(reset(begun, resetCode), context) }
            // HEADERS or DATA that end the request.
            if type <= 1, flags & 1 != 0 { react(to: stream, context) }
        }
    }

    /// Reads the start of a connection, or an HTTP/1.1 request.
    /// - Returns: whether frames follow.
    private func begin(_ context: ChannelHandlerContext) -> Bool {
        // The pipes of a TLS server carry successive connections.
        if isHTTP2, ["PRI ", "POST"].contains(received.getString(at: received.readerIndex, length: 4)) {
            isHTTP2 = false
            connection = target.accepted()
        }
        guard !isHTTP2 else { return true }
        let text = String(buffer: received)
        if text.hasPrefix(Self.preface) {
            isHTTP2 = true
            received.moveReaderIndex(forwardBy: Self.preface.utf8.count)
            send(frame(type: 4), context)
        } else if !Self.preface.hasPrefix(text), text.contains("\r\n\r\n") {
            _ = target.reaction(to: "HTTP/1.1", on: connection)
            received.clear()
            send(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nHTTP/1.1"), context)
        }
        return isHTTP2
    }

    private func nextFrame() -> (type: UInt8, flags: UInt8, stream: UInt32)? {
        guard let head = received.getBytes(at: received.readerIndex, length: 9) else { return nil }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        guard received.readableBytes >= 9 + length else { return nil }
        received.moveReaderIndex(forwardBy: 9 + length)
        return (head[3], head[4], head[5...8].reduce(0) { $0 << 8 | UInt32($1) })
    }

    private func react(to stream: UInt32, _ context: ChannelHandlerContext) {
        // The HPACK index of `:status: 200`.
        let head = frame(type: 1, flags: 4, stream: stream, [0x88])
        switch target.reaction(to: "HTTP/2", on: connection) {
        case .answer:
            send(head, context)
            send(frame(type: 0, flags: 1, stream: stream, Array("HTTP/2".utf8)), context)
        case .reset(let code): send(reset(stream, code), context)
        case .goAway: goAway(lastStream: 0, context)
        case .goAwayAfterProcessing: goAway(lastStream: stream, context)
        case .resetAnswer(let code):
            (begun, resetCode) = (stream, code)
            send(head, context)
            send(frame(type: 0, stream: stream, Array("part".utf8)), context)
            send(frame(type: 6, Array(repeating: 0, count: 8)), context)
        case .goAwayBefore:
            send(frame(type: 7, number(begun) + number(0)), context)
            send(frame(type: 0, flags: 1, stream: begun, Array("begun".utf8)), context)
        case .beginAnswer:
            begun = stream
            send(head, context)
        }
    }

    private func goAway(lastStream: UInt32, _ context: ChannelHandlerContext) {
        send(frame(type: 7, number(lastStream) + number(0)), context)
        context.close(promise: nil)
    }

    private func reset(_ stream: UInt32, _ code: UInt32) -> ByteBuffer {
        frame(type: 3, stream: stream, number(code))
    }

    private func frame(type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> ByteBuffer {
        let length = Array(number(UInt32(payload.count)).dropFirst())
        return ByteBuffer(bytes: length + [type, flags] + number(stream) + payload)
    }

    private func number(_ value: UInt32) -> [UInt8] {
        (0..<4).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }

    private func send(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
}
