internal import CarillonSystem
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes

/// Watches one connection: a request that does not arrive in time ends it (its first one from the beginning, since a head
/// can be sent a byte at a time, the others from their head), an answer that says `Connection: close` is the
/// last one, and who asks whether a body is wanted (RFC 9110, section 10.1.1) is told.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let requestLimit: TimeAmount
    private let log: RateLimitedLog
    private var isReading = false
    /// Nothing of a request is known yet.
    private var isNew = true
    private var isLast = false
    private var deadline: Scheduled<Void>?

    /// For the client to read the last answer while it still sends.
    private static let lingering: TimeAmount = .seconds(2)

    init(requestLimit: TimeAmount, log: RateLimitedLog) {
        self.requestLimit = requestLimit
        self.log = log
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { close(context, in: requestLimit) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if deadline == nil { close(context, in: requestLimit) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isReading = true
            isNew = false
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
        if isReading, deadline == nil { close(context, in: requestLimit) }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.headerFields[.connection] == "close" { isLast = true }
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.write(data, promise: promise)
            guard isLast else { return }
            context.flush()
            context.close(mode: .output, promise: nil)
            deadline?.cancel()
            close(context, in: ConnectionGuard.lingering)
        }
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
                "seconds": "\(requestLimit.nanoseconds / 1_000_000_000)",
            ],
            at: SystemClock.bootTime()
        )
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            if self.isNew || self.isReading, !self.isLast { self.say(context) }
            context.close(promise: nil)
        }
    }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
