import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// Sends messages back unchanged.
enum PingServer {
    static func serve(port: Int) async throws {
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: port),
            transportSecurity: .plaintext,
            config: .defaults { config in config.http2.maxConcurrentStreams = 1_024 }
        )
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        for method in [Ping.once, Ping.stream] {
            router.registerHandler(forMethod: method, deserializer: Bytes(), serializer: Bytes()) { request, _ in
                StreamingServerResponse { writer in
                    for try await message in request.messages { try await writer.write(message) }
                    return [:]
                }
            }
        }
        try await GRPCServer(transport: transport, router: router).serve()
    }
}
