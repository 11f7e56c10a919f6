internal import CarillonCore
internal import CarillonJSON
internal import CarillonRuntime
internal import CarillonSystem
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

internal import struct HTTPTypes.HTTPRequest

/// Watches one connection: a request that does not arrive in time ends it (its first one from the beginning, since a head
/// can be sent a byte at a time, the others from their head), an answer that says `Connection: close` is the
/// last one, as is the one to a request that says so, and is given time to arrive, who asks whether a body is wanted (RFC 9110, section 10.1.1) is told,
/// and so is who sends what is no HTTP.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: GatewayLimits
    private let date: DateHeader
    private let log: RateLimitedLog
    private var isReading = false
    /// Heads that have come, and answers that have gone.
    private var (requests, answers) = (0, 0)
    /// The request that says that it is the last one.
    private var lastRequest: Int?
    private var isLast = false
    private var parserError: HTTPParserError?
    private var hasHostProblem = false
    private var deadline: Scheduled<Void>?
    /// When the connection ends at the latest; `nil` until the last answer has gone.
    private var lingersUntil: NIODeadline?

    init(limits: GatewayLimits, date: DateHeader, log: RateLimitedLog) {
        self.limits = limits
        self.date = date
        self.log = log
    }

    private var requestLimit: TimeAmount { .seconds(limits.requestSeconds) }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { close(context, in: requestLimit) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if deadline == nil { close(context, in: requestLimit) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody waits for what a client still sends after the last answer.
        guard lingersUntil == nil else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            isReading = true
            requests += 1
            if lastRequest == nil, head.headerFields[.connection] == "close" { lastRequest = requests }
            if head.headerFields[.expect]?.lowercased() == "100-continue", isWelcome(head) {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .body: break
        case .end:
            isReading = false
            deadline?.cancel()
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    /// Most requests arrive whole: only one that does not is given a deadline.
    func channelReadComplete(context: ChannelHandlerContext) {
        if lingersUntil != nil { linger(context) }
        if isReading, deadline == nil { close(context, in: requestLimit) }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // The server's own answer to what it cannot read says nothing more.
            guard head.headerFields[.date] != nil else { return refuse(context, promise) }
            guard answers + 1 == lastRequest || head.headerFields[.connection] == "close" else {
                return context.write(data, promise: promise)
            }
            isLast = true
            head.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            answers += 1
            context.write(data, promise: promise)
            guard isLast else { return }
            context.flush()
            context.close(mode: .output, promise: nil)
            lingersUntil = .now() + .seconds(limits.lingerSeconds)
            linger(context)
        }
    }

    /// Reads on after the last answer (RFC 9112, section 9.6). The kernel answers bytes that arrive at a closed socket with a
    /// reset, and a client that is still sending loses the answer with it.
    private func linger(_ context: ChannelHandlerContext) {
        guard let lingersUntil else { return }
        deadline?.cancel()
        close(context, in: min(lingersUntil - .now(), .seconds(limits.lingerIdleSeconds)))
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is HostProblem { hasHostProblem = true } else { context.fireUserInboundEventTriggered(event) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser has given up, and complains of each further part.
        guard lingersUntil == nil else { return }
        parserError = error as? HTTPParserError
        context.fireErrorCaught(error)
    }

    private func refuse(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        isLast = true
        let detail =
            if hasHostProblem {
                "the request has no Host header, more than one, or one that is no host or not the host of its URL; it needs one, "
                    + "such as Host: localhost:8000 (RFC 9112, section 3.2)"
            } else if parserError == .headerOverflow {
                "the head of the request is too large; at most \(limits.headerBytes) bytes and \(limits.headerCount) fields are read"
            } else {
                "this is no HTTP/1.1 request that can be read (RFC 9112): its first line, a header or its length "
                    + "is malformed, or its head has more than \(limits.headerBytes) bytes or \(limits.headerCount) fields"
            }
        let problem = Problem(.badRequest, "INVALID_ARGUMENT", detail)
        let body = ByteBuffer(string: JSONText.write(problem.document))
        var fields: HTTPFields = [
            .contentType: Problem.contentType, .contentLength: "\(body.readableBytes)", .connection: "close",
            .date: date.text(at: SystemClock.now().wall),
        ]
        fields.append(contentsOf: Reply.protection)
        context.write(
            wrapOutboundOut(.head(HTTPResponse(status: problem.status, headerFields: fields))),
            promise: nil
        )
        context.write(wrapOutboundOut(.body(body)), promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        context.fireChannelInactive()
    }

    private func isWelcome(_ head: HTTPRequest) -> Bool {
        (head.headerFields[.contentLength].flatMap(Int.init) ?? 0) <= Body.limit
    }

    private func say(_ context: ChannelHandlerContext) {
        log.log(
            .warning,
            key: "slow_request",
            "closed a connection whose request did not come to its end",
            metadata: [
                "peer": "\(context.remoteAddress?.description ?? "unknown")",
                "seconds": "\(limits.requestSeconds)",
            ],
            at: SystemClock.bootTime()
        )
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            if self.requests == 0 || self.isReading, !self.isLast { self.say(context) }
            context.close(promise: nil)
        }
    }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
