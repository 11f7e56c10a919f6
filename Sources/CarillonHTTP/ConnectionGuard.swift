internal import CarillonCore
internal import CarillonRuntime
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

internal import struct HTTPTypes.HTTPRequest

/// Enforces the limits of one connection. A request that does not arrive in time closes it. The time of the first request starts
/// with the connection, because a head can be sent a byte at a time; of later requests, with their head. After the last response
/// (`Connection: close`) the client gets time to read it. Also answers `Expect: 100-continue` (RFC 9110, section 10.1.1).
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
    /// The bytes of the current body.
    private var bodyBytes = 0
    /// The heads received and the responses sent.
    private var (requests, answers) = (0, 0)
    /// The number of the request that is declared the last one.
    private var lastRequest: Int?
    private var isLast = false
    private var parserError: HTTPParserError?
    private var hasHostProblem = false
    private var deadline: Scheduled<Void>?
    /// Fires when the client has read nothing for too long.
    private var stall: Scheduled<Void>?
    /// The latest end of the connection; `nil` until the last response is sent.
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
        // Bytes after the last response are ignored.
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

    /// Most requests arrive completely; only an incomplete request gets a deadline.
    func channelReadComplete(context: ChannelHandlerContext) {
        if lingersUntil != nil { linger(context) }
        if isReading, deadline == nil { close(context, in: requestLimit) }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // Hummingbird's own response to an invalid request has no Date header and no details.
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

    /// Continues to read after the last response (RFC 9112, section 9.6). Otherwise the kernel would reset the connection when
    /// further bytes arrive, and the client could lose the response.
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
        // The parser has failed and reports an error for each further part.
        guard lingersUntil == nil else { return }
        parserError = error as? HTTPParserError
        context.fireErrorCaught(error)
    }

    private func refuse(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        isLast = true
        let detail =
            if hasHostProblem {
                "the request has no Host header, more than one, or an invalid one, or it differs from the URL's host; send one header, "
                    + "such as Host: localhost:8000 (RFC 9112, section 3.2)"
            } else if parserError == .headerOverflow {
                "the head of the request is too large; at most \(limits.headerBytes) bytes and \(limits.headerCount) fields are allowed"
            } else {
                "not a valid HTTP/1.1 request (RFC 9112): its first line, a header or its length "
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

    /// Closes the connection of a client that reads nothing.
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
            "incomplete request; closing the connection",
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
