internal import CarillonCore
internal import CarillonRuntime
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

internal import struct HTTPTypes.HTTPRequest

/// Watches one connection. A request that does not arrive in time ends it: its first one from the beginning, since a head can be
/// sent a byte at a time, the others from their head. An answer that says `Connection: close`, or the one to a request that says so,
/// is the last one and is given time to arrive. A client that asks whether a body is wanted (RFC 9110, section 10.1.1) is told.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: HTTPLimits
    private let date: DateHeader
    private let log: RateLimitedLog
    private let malformed: @Sendable (_ detail: String) -> MalformedRequestAnswer
    private var isReading = false
    /// Of the body that arrives.
    private var bodyBytes = 0
    /// Heads that have come, and answers that have gone.
    private var (requests, answers) = (0, 0)
    /// The request that says that it is the last one.
    private var lastRequest: Int?
    private var isLast = false
    private var parserError: HTTPParserError?
    private var hasHostProblem = false
    private var deadline: Scheduled<Void>?
    /// When the client must have taken some of what was sent.
    private var stall: Scheduled<Void>?
    /// When the connection ends at the latest; `nil` until the last answer has gone.
    private var lingersUntil: NIODeadline?

    init(
        limits: HTTPLimits,
        date: DateHeader,
        log: RateLimitedLog,
        malformed: @escaping @Sendable (_ detail: String) -> MalformedRequestAnswer
    ) {
        self.limits = limits
        self.date = date
        self.log = log
        self.malformed = malformed
    }

    private var requestLimit: TimeAmount { .milliseconds(limits.requestMs) }

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
            bodyBytes = 0
            requests += 1
            if lastRequest == nil, head.headerFields[.connection] == "close" { lastRequest = requests }
            if head.headerFields[.expect]?.lowercased() == "100-continue", isWelcome(head) {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .body(let part):
            bodyBytes += part.readableBytes
            if limits.closesLargeBodies, bodyBytes > limits.bodyBytes { return context.close(promise: nil) }
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
            lingersUntil = .now() + .milliseconds(limits.lingerMs)
            linger(context)
        }
    }

    /// Reads on after the last answer (RFC 9112, section 9.6). The kernel answers bytes that arrive at a closed socket with a
    /// reset, and a client that is still sending loses the answer with it.
    private func linger(_ context: ChannelHandlerContext) {
        guard let lingersUntil else { return }
        deadline?.cancel()
        close(context, in: min(lingersUntil - .now(), .milliseconds(limits.lingerIdleMs)))
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
        let answer = malformed(detail)
        let body = ByteBuffer(string: answer.body)
        var fields: HTTPFields = [
            .contentType: answer.contentType, .contentLength: "\(body.readableBytes)", .connection: "close",
            .date: date.text(at: SystemClock.now().wall),
        ]
        fields.append(contentsOf: answer.headers)
        context.write(
            wrapOutboundOut(.head(HTTPResponse(status: .badRequest, headerFields: fields))),
            promise: nil
        )
        context.write(wrapOutboundOut(.body(body)), promise: promise)
    }

    /// A client that takes nothing does not keep its place.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable {
            stall = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(limits.stallMs)) {
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    private func cancelTimers() {
        deadline?.cancel()
        deadline = nil
        stall?.cancel()
        stall = nil
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        cancelTimers()
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancelTimers()
        context.fireChannelInactive()
    }

    private func isWelcome(_ head: HTTPRequest) -> Bool {
        (head.headerFields[.contentLength].flatMap(Int.init) ?? 0) <= limits.bodyBytes
    }

    private func say(_ context: ChannelHandlerContext) {
        log.log(
            .warning,
            key: "slow_request",
            "closed a connection whose request did not come to its end",
            metadata: [
                "peer": "\(context.remoteAddress?.description ?? "unknown")",
                "limit_ms": "\(limits.requestMs)",
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
