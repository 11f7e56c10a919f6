internal import CarillonCore
package import CarillonRuntime
internal import Glibc
internal import HTTPTypes
package import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

package import struct HummingbirdCore.Request

/// The HTTP server of all processes: Hummingbird's server without its `Application`, whose timer for the `Date` header would wake
/// an idle process every second, and whose loggers are created for every request.
package struct HTTPServer: Service {
    /// - Parameter peer: the address at the other end of the connection.
    package typealias Responder = @Sendable (_ request: Request, _ peer: String?) async throws -> Response

    private let server: Server<LoopBoundChannel>

    /// - Parameters:
    ///   - listen: port 0 takes a free one.
    ///   - log: logs connections that are closed early.
    ///   - malformed: creates the response to an invalid request; the argument says what is invalid.
    ///   - onListening: receives the address with the actual port, and a function that closes the listening socket.
    ///   - responder: called on the connection's event loop; must not block.
    package init(
        listen: HostPort,
        limits: HTTPLimits,
        log: RateLimitedLog,
        malformed: @escaping @Sendable (_ detail: String) -> MalformedRequestAnswer,
        onListening:
            @escaping @Sendable (
                _ address: HostPort, _ close: @escaping @Sendable () async -> Void
            ) async -> Void,
        responder: @escaping Responder
    ) {
        // The responder logs requests where necessary.
        let quiet = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
        let date = DateHeader()
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                var response = try await responder(request, channel.remoteAddress?.ipAddress)
                response.headers[.date] = date.text(at: SystemClock.now().wall)
                try await writer.write(response: response.head, body: response.body)
            },
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    ConnectionGuard(limits: limits, date: date, log: log, malformed: malformed)
                ],
                idleTimeout: .milliseconds(limits.idleMs),
                httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                    maxHeaderFieldSize: limits.headerBytes,
                    maxHeaderListSize: limits.headerBytes,
                    maxHeaderFieldCount: limits.headerCount
                )
            )
        )
        server = Server(
            childChannelSetup: LoopBoundChannel(channel: channel),
            configuration: ServerConfiguration(
                address: .hostname(listen.host, port: listen.port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: quiet)
            ),
            onServerRunning: { channel in
                // The connection limit is checked between reads, and a read accepts up to this many connections.
                try? await channel.setOption(.maxMessagesPerRead, value: 1).get()
                let address = channel.localAddress
                await onListening(
                    HostPort(host: address?.ipAddress ?? listen.host, port: address?.port ?? listen.port),
                    { try? await channel.close().get() }
                )
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: quiet
        )
    }

    /// Runs until it is shut down gracefully, or until its listening socket is closed and the last connection has ended.
    package func run() async throws {
        try await server.run()
    }

    /// A short reason why an address is unavailable.
    package static func text(ofListenError error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }
}
