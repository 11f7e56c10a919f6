package import CarillonHTTP
internal import CarillonJSON
package import CarillonRuntime
internal import HTTPTypes

/// The HTTP server around a gateway.
package enum GatewayServer {
    /// The document that is served as /openapi.json.
    package static var openAPI: String {
        JSONText.write(OpenAPIDocument.make(RouteTable.all.routes), pretty: true)
    }

    /// - Parameter onListening: called with the listening address, including the assigned port.
    package static func make(
        _ gateway: Gateway,
        configuration: GatewayConfiguration,
        limits: HTTPLimits = HTTPLimits(),
        onListening: @escaping @Sendable (HostPort) async -> Void = { _ in }
    ) -> HTTPServer {
        var limits = limits
        limits.connections = configuration.maxConnections
        limits.bodyBytes = Body.limit
        let responder = GatewayResponder(gateway: gateway, originGuard: OriginGuard(configuration))
        return HTTPServer(
            listen: configuration.listen,
            limits: limits,
            log: gateway.failureLog,
            malformed: { detail in
                let problem = Problem(.badRequest, "INVALID_ARGUMENT", detail)
                return MalformedRequestAnswer(
                    contentType: Problem.contentType,
                    body: JSONText.write(problem.document),
                    headers: RouteResponse.protection
                )
            },
            onListening: { address, _ in await onListening(address) },
            responder: { request, peer in try await responder.respond(to: request, from: peer) }
        )
    }
}
