import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A request received by the target.
struct ReceivedCall: Sendable, Hashable {
    var path: String
    /// Idempotency-Key: the execution's id.
    var key: String
    var jobID: String
    var scheduledTime: String
    var attempt: Int
    var body: String
    var headers: [String: String]
    /// Seconds of a monotonic clock.
    var receivedAt: Double
}

/// A real HTTP server that records its requests. The path determines the response: /ok 200, /fail 500, /hang none,
/// /slow 200 after 100 ms, /endless an endless body, /drip a byte a second, all others 404. A `Trouble` overrides the
/// path.
final class CountingTarget: Sendable {
    /// The behaviour for every call, whatever its path. Calls are recorded as usual.
    enum Trouble: Sendable {
        /// Responds with 503.
        case failing
        /// Closes the connection without a response.
        case cutting
        /// Never responds.
        case hanging
        /// Responds when the trouble ends.
        case holding
    }

    private struct State {
        var calls: [ReceivedCall] = []
        var trouble: Trouble?
        var held: [@Sendable () -> Void] = []
        var isRefusing = false
        var listener: (any Channel)?
        var open: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())
    let port: Int

    static func start() async throws -> CountingTarget {
        let holder = Holder()
        let listener = try await bind(0, holder)
        let target = CountingTarget(listener)
        holder.target.withLock { $0 = target }
        return target
    }

    private static func bind(_ port: Int, _ holder: Holder) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                holder.target.withLock { $0 }?.opened(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(holder))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    private init(_ listener: any Channel) {
        port = listener.localAddress?.port ?? 0
        state.withLock { $0.listener = listener }
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    var calls: [ReceivedCall] { state.withLock { $0.calls } }
    var count: Int { state.withLock { $0.calls.count } }

    /// Starts or ends a trouble.
    func set(_ trouble: Trouble?) {
        let held = state.withLock { state in
            state.trouble = trouble
            defer { if trouble != .holding { state.held = [] } }
            return trouble == .holding ? [] : state.held
        }
        for answer in held { answer() }
    }

    /// Closes the listener and all connections, so that new connections are refused.
    func refuse() async throws {
        let (listener, open) = state.withLock { state in
            defer { (state.isRefusing, state.listener, state.open) = (true, nil, [:]) }
            return (state.listener, state.open.values)
        }
        try await listener?.close()
        // Requests in transit have been recorded when this returns.
        for channel in open { try? await channel.close() }
    }

    /// Listens again on the same port.
    func listen() async throws {
        let holder = Holder()
        holder.target.withLock { $0 = self }
        state.withLock { $0.isRefusing = false }
        var attempts = 0
        while true {
            do {
                let listener = try await Self.bind(port, holder)
                return state.withLock { $0.listener = listener }
            } catch  where attempts < 100 {
                // An outgoing connection of another process may temporarily use the port.
                attempts += 1
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    func stop() async { try? await refuse() }

    private func opened(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        // Close connections that were accepted while the listener was closing.
        let isWelcome = state.withLock { state in
            if !state.isRefusing { state.open[id] = channel }
            return !state.isRefusing
        }
        guard isWelcome else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [self] _ in _ = state.withLock { $0.open.removeValue(forKey: id) } }
    }

    /// Records a call and returns how to handle it.
    private func take(_ call: ReceivedCall, answer: @escaping @Sendable () -> Void) -> Trouble? {
        state.withLock { state in
            state.calls.append(call)
            if state.trouble == .holding { state.held.append(answer) }
            return state.trouble
        }
    }

    private final class Holder: Sendable {
        let target = Mutex<CountingTarget?>(nil)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let holder: Holder
        private var head: HTTPRequestHead?
        private var body = ""

        init(_ holder: Holder) { self.holder = holder }

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
            let target = holder.target.withLock { $0 }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let trouble = target?.take(call) { [loop = context.eventLoop] in
                loop.execute { bound.value.0.answerByPath(head, bound.value.1) }
            }
            switch trouble {
            case .failing: respond(.serviceUnavailable, head, context)
            case .cutting: context.close(promise: nil)
            case .hanging, .holding: break
            case nil: answerByPath(head, context)
            }
        }

        private func answerByPath(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
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

        /// Writes without end while the connection is open.
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
