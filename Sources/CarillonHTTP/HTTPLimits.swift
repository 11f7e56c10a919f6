/// The limits of an HTTP server's connections.
package struct HTTPLimits: Sendable {
    /// Concurrent connections; further connections wait to be accepted.
    package var connections = 4_096
    /// Time without a complete request, also between requests.
    package var idleMs: Int64 = 60_000
    /// Time from a request's head to the end of its body; for the first request, from the start of the connection.
    package var requestMs: Int64 = 30_000
    package var headerBytes = 32 * 1024
    package var headerCount = 100
    /// Size of a body. A client that sends `Expect: 100-continue` for a larger body gets no 100.
    package var bodyBytes = 1_048_576
    /// Whether a larger body closes the connection; otherwise the responder refuses the request.
    package var closesLargeBodies = false
    /// Time without progress while a response is sent.
    package var stallMs: Int64 = 30_000
    /// Times after the last response of a connection: in total, and without further bytes of the client.
    package var lingerMs: Int64 = 30_000
    package var lingerIdleMs: Int64 = 2_000

    package init() {}

    /// The limits of the probe server.
    package static var probes: HTTPLimits {
        var limits = HTTPLimits()
        limits.connections = 64
        limits.idleMs = 30_000
        limits.requestMs = 10_000
        limits.headerBytes = 16 * 1024
        limits.bodyBytes = 64 * 1024
        limits.closesLargeBodies = true
        return limits
    }
}
