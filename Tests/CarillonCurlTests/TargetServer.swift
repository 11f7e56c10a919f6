import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server on a free loopback port that answers by path and records its requests.
final class TargetServer: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var headers: [(name: String, value: String)]
        var body: String
        /// The number of the connection, from 1, in order of arrival.
        var connection: Int

        func values(_ name: String) -> [String] {
            headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        }
    }

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    static func start() async throws -> TargetServer {
        let server = TargetServer()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                let connection = server.accepted()
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
                    try channel.pipeline.syncOperations.addHandler(
                        TargetHandler(server: server, connection: connection)
                    )
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        server.channel.withLock { $0 = channel }
        return server
    }

    func stop() async {
        let open = channel.withLock { $0 }
        try? await open?.close().get()
    }

    var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }

    /// Returns once this many requests have arrived.
    func received(count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.requests.count >= count { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private func accepted() -> Int {
        state.withLock { state in
            state.connections += 1
            return state.connections
        }
    }

    fileprivate func record(_ request: Request) {
        let ready = state.withLock { state in
            state.requests.append(request)
            let count = state.requests.count
            let ready = state.waiting.filter { $0.count <= count }
            state.waiting.removeAll { $0.count <= count }
            return ready
        }
        for waiting in ready { waiting.continuation.resume() }
    }
}

/// One connection of the server.
private final class TargetHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: TargetServer
    private let connection: Int
    private var head: HTTPRequestHead?
    private var body = ""

    init(server: TargetServer, connection: Int) {
        self.server = server
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ""
        case .body(let part):
            body += String(buffer: part)
        case .end:
            guard let head else { return }
            server.record(
                TargetServer.Request(
                    method: head.method.rawValue,
                    path: head.uri,
                    headers: head.headers.map { (name: $0.name, value: $0.value) },
                    body: body,
                    connection: connection
                )
            )
            answer(head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// `/answer/<status>`, `/bytes/<count>`, `/chunks/<count>`, `/raw/<hexadecimal>`, `/hang`, `/close`, `/partial`,
    /// `/redirect`, `/retry-after/<status>/<value with _ for spaces>`.
    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let parts = head.uri.split(separator: "/").map(String.init)
        switch parts.first {
        case "answer": send(Int(parts[1]) ?? 200, [UInt8]("hello".utf8), [:], context)
        case "bytes": send(200, Array(repeating: UInt8(ascii: "x"), count: Int(parts[1]) ?? 0), [:], context)
        case "chunks":
            let bytes = Array(repeating: UInt8(ascii: "y"), count: Int(parts[1]) ?? 0)
            send(200, bytes, ["Transfer-Encoding": "chunked"], context)
        case "raw":
            let digits = Array(parts[1].utf8)
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
            }
            send(200, bytes, [:], context)
        case "close": context.close(promise: nil)
        case "partial":
            send(200, [UInt8]("half".utf8), ["Content-Length": "1000"], context)
            context.close(promise: nil)
        case "redirect": send(302, [], ["Location": "\(server.url)/answer/200"], context)
        case "retry-after":
            send(
                Int(parts[1]) ?? 429,
                [],
                [
                    "Retry-After": parts[2].split(separator: "_").joined(separator: " "),
                    "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
                ],
                context
            )
        default: break
        }
    }

    private func send(
        _ status: Int,
        _ bytes: [UInt8],
        _ headers: HTTPHeaders,
        _ context: ChannelHandlerContext
    ) {
        var headers = headers
        if !headers.contains(name: "Content-Length"), !headers.contains(name: "Transfer-Encoding") {
            headers.add(name: "Content-Length", value: String(bytes.count))
        }
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: status),
            headers: headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
