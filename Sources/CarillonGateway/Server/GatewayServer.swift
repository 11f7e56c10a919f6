internal import CarillonCore
internal import CarillonRuntime
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix

/// The HTTP server around a gateway. It is Hummingbird's server without its `Application`, whose timer for the `Date` header
/// would wake an idle gateway every second, and whose loggers are made for every request.
enum GatewayServer {
    static func make(
        _ gateway: Gateway,
        configuration: GatewayConfiguration,
        limits: GatewayLimits = GatewayLimits(),
        onListening: @escaping @Sendable (HostPort) async -> Void = { _ in }
    ) -> Server<LoopBoundChannel> {
        // What there is to say of requests is said by the responder.
        let quiet = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
        let (host, port) = (configuration.listen.host, configuration.listen.port)
        let responder = GatewayResponder(gateway: gateway, originGuard: OriginGuard(configuration))
        let date = DateHeader()
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                let peer = channel.remoteAddress?.ipAddress
                var response = try await responder.respond(to: request, from: peer)
                response.headers[.date] = date.text(at: SystemClock.now().wall)
                try await writer.write(response: response.head, body: response.body)
            },
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    ConnectionGuard(limits: limits, date: date, log: gateway.failureLog)
                ],
                idleTimeout: .seconds(limits.idleSeconds),
                httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                    maxHeaderFieldSize: limits.headerBytes,
                    maxHeaderListSize: limits.headerBytes,
                    maxHeaderFieldCount: limits.headerCount
                )
            )
        )
        return Server(
            childChannelSetup: LoopBoundChannel(channel: channel),
            configuration: ServerConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.maxConnections, logger: quiet)
            ),
            onServerRunning: { channel in
                let address = channel.localAddress
                await onListening(HostPort(host: address?.ipAddress ?? host, port: address?.port ?? port))
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: quiet
        )
    }
}
