/// What a client of an HTTP server gets before it loses its connection.
package struct HTTPLimits: Sendable {
    /// At a time; further ones wait to be accepted.
    package var connections = 4_096
    /// Without a whole request, between requests too.
    package var idleMs: Int64 = 60_000
    /// From a request's head to the end of its body; of the first request from the beginning of the connection.
    package var requestMs: Int64 = 30_000
    package var headerBytes = 32 * 1024
    package var headerCount = 100
    /// Of a body. A client that asks whether a larger one is wanted is not told to go on.
    package var bodyBytes = 1_048_576
    /// Whether the connection of a larger body is closed; otherwise who answers the request refuses it.
    package var closesLargeBodies = false
    /// While more is to be sent than the client takes.
    package var stallMs: Int64 = 30_000
    /// After the last answer of a connection, while the client still sends, and while it sends nothing.
    package var lingerMs: Int64 = 30_000
    package var lingerIdleMs: Int64 = 2_000

    package init() {}

    /// For metrics and probes.
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
