import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A request that the target got.
struct ReceivedCall: Sendable, Hashable {
    var path: String
    /// Idempotency-Key: the execution's id.
    var key: String
    var jobID: String
    var scheduledTime: String
    var attempt: Int
    var body: String
    var headers: [String: String]
    /// Seconds of a clock that never steps.
    var receivedAt: Double
}

/// A real HTTP server that writes down what it gets. The path decides what it answers: /ok 200, /fail 500, /hang nothing,
/// /slow 200 after 100 ms, /endless a body without an end, /drip a byte a second, everything else 404. While it is down it
/// closes what comes; while it hangs it answers nothing.
final class CountingTarget: Sendable {
    private struct State {
        var calls: [ReceivedCall] = []
        var isDown = false
        var isHanging = false
    }

    private let state = Mutex(State())
    private let listener: Mutex<any Channel>
    private let held: Held
    let port: Int

    static func start() async throws -> CountingTarget {
        let held = Held()
        let target = CountingTarget(try await listen(on: 0, held), held)
        held.target.withLock { $0 = target }
        return target
    }

    private static func listen(on port: Int, _ held: Held) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(held))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    private init(_ listener: any Channel, _ held: Held) {
        self.listener = Mutex(listener)
        self.held = held
        port = listener.localAddress?.port ?? 0
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    var calls: [ReceivedCall] { state.withLock { $0.calls } }
    var count: Int { state.withLock { $0.calls.count } }

    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    func setHanging(_ isHanging: Bool) { state.withLock { $0.isHanging = isHanging } }

    /// From now on nobody listens, as on a machine that has just started: connections are refused. (Those that are open are
    /// closed at the next request if it is down, too.)
    func refuse() async throws { try await listener.withLock { $0 }.close() }

    /// Listens again.
    func listen() async throws {
        let channel = try await Self.listen(on: port, held)
        listener.withLock { $0 = channel }
    }

    func stop() async { try? await listener.withLock { $0 }.close() }

    private func take(_ call: ReceivedCall) -> Bool {
        state.withLock { state in
            guard !state.isDown else { return false }
            state.calls.append(call)
            return true
        }
    }

    private final class Held: Sendable {
        let target = Mutex<CountingTarget?>(nil)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let held: Held
        private var head: HTTPRequestHead?
        private var body = ""

        init(_ held: Held) { self.held = held }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, "")
            case .body(let part): body += String(buffer: part)
            case .end:
                guard let head else { return }
                answer(head, context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            var headers: [String: String] = [:]
            for (name, value) in head.headers { headers[name.lowercased()] = value }
            let call = ReceivedCall(
                path: head.uri,
                key: headers["idempotency-key"] ?? "",
                jobID: headers["x-carillon-job-id"] ?? "",
                scheduledTime: headers["x-carillon-scheduled-time"] ?? "",
                attempt: Int(headers["x-carillon-attempt"] ?? "") ?? 0,
                body: body,
                headers: headers,
                receivedAt: Stopwatch.now
            )
            let target = held.target.withLock { $0 }
            guard target?.take(call) == true else { return context.close(promise: nil) }
            if target?.state.withLock({ $0.isHanging }) == true { return }
            let status: HTTPResponseStatus
            switch head.uri {
            case "/hang": return
            case "/slow":
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                context.eventLoop.scheduleTask(in: .milliseconds(100)) {
                    let (handler, context) = bound.value
                    handler.respond(.ok, head, context)
                }
                return
            case "/endless", "/drip":
                let response = HTTPResponseHead(
                    version: head.version,
                    status: .ok,
                    headers: ["transfer-encoding": "chunked"]
                )
                context.writeAndFlush(wrapOutboundOut(.head(response)), promise: nil)
                let isDrip = head.uri == "/drip"
                trickle(isDrip ? 1 : 65_536, every: isDrip ? .seconds(1) : .milliseconds(1), context)
                return
            case "/ok": status = .ok
            case "/fail": status = .internalServerError
            default: status = .notFound
            }
            respond(status, head, context)
        }

        /// Writes without an end, as long as somebody is there.
        private func trickle(_ count: Int, every pause: TimeAmount, _ context: ChannelHandlerContext) {
            guard context.channel.isActive else { return }
            if context.channel.isWritable {
                let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: count)
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(part))), promise: nil)
            }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: pause) {
                let (handler, context) = bound.value
                handler.trickle(count, every: pause, context)
            }
        }

        private func respond(_ status: HTTPResponseStatus, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            guard context.channel.isActive else { return }
            let text = ByteBuffer(string: status == .ok ? "ok" : "no")
            let response = HTTPResponseHead(
                version: head.version,
                status: status,
                headers: ["content-length": "\(text.readableBytes)"]
            )
            context.write(wrapOutboundOut(.head(response)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// Seconds of CLOCK_MONOTONIC.
enum Stopwatch {
    static var now: Double {
        Double(NIODeadline.now().uptimeNanoseconds) / 1e9
    }
}
