internal import NIOCore
internal import NIOHTTP1

/// One connection of a `RequestListener`.
final class RequestListenerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let listener: RequestListener
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var bodyBytes = 0
    private var isResponding = false

    init(listener: RequestListener) {
        self.listener = listener
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
            bodyBytes = 0
        case .body(let part):
            bodyBytes += part.readableBytes
            let room = ReceivedRequest.keptBodyBytes - body.count
            if room > 0 { body += part.readableBytesView.prefix(room) }
        case .end:
            guard let head else { return }
            self.head = nil
            respond(to: head, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            if !isResponding { context.close(promise: nil) }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        isResponding = true
        let isLast = listener.received(head, body: body, bodyBytes: bodyBytes)
        body = []
        guard listener.response.delayMs > 0 else { return write(head, isLast: isLast, context) }
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(listener.response.delayMs)) {
            self.write(head, isLast: isLast, context)
        }
    }

    private func write(_ request: HTTPRequestHead, isLast: Bool, _ context: ChannelHandlerContext) {
        isResponding = false
        let keepsAlive = request.isKeepAlive && !isLast
        let status = listener.response.status
        let hasBody = status != 204 && status != 205 && status != 304
        let body = context.channel.allocator.buffer(string: hasBody ? "ok\n" : "")
        var headers: HTTPHeaders = ["Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"]
        if hasBody { headers.add(name: "Content-Type", value: "text/plain; charset=utf-8") }
        if status != 204, status != 304 { headers.add(name: "Content-Length", value: String(body.readableBytes)) }
        if !keepsAlive { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: request.version,
            status: HTTPResponseStatus(statusCode: status),
            headers: headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if hasBody, request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [listener] _ in
            if !keepsAlive { context.close(promise: nil) }
            if isLast { listener.stop() }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }
}
