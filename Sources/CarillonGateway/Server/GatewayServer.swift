internal import CarillonSystem
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// The HTTP server around a gateway.
enum GatewayServer {
    static func application(
        _ gateway: Gateway,
        configuration: GatewayConfiguration,
        limits: GatewayLimits = GatewayLimits(),
        onListening: @escaping @Sendable (HostPort) async -> Void = { _ in }
    ) -> Application<GatewayResponder> {
        let quiet = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
        let (host, port) = (configuration.listen.host, configuration.listen.port)
        let http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionGuard(requestLimit: .seconds(limits.requestSeconds), log: gateway.failureLog)
            ],
            idleTimeout: .seconds(limits.idleSeconds),
            httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                maxHeaderFieldSize: limits.headerBytes,
                maxHeaderListSize: limits.headerBytes,
                maxHeaderFieldCount: limits.headerCount
            )
        )
        return Application(
            responder: GatewayResponder(gateway: gateway),
            server: HTTPServerBuilder { LoopBoundChannel(channel: HTTP1Channel(responder: $0, configuration: http)) },
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.maxConnections, logger: quiet)
            ),
            onServerRunning: { channel in
                let address = channel.localAddress
                await onListening(HostPort(host: address?.ipAddress ?? host, port: address?.port ?? port))
            },
            // What there is to say of requests is said by the responder.
            logger: quiet
        )
    }
}
