/// The limits of a connection, in milliseconds, bytes and counts.
package struct ConnectionLimits: Sendable, Hashable {
    /// The time between Pings of the end that pings (`Heartbeat`). Welcome carries the scheduler's value to its peers.
    package var heartbeatMs: Int64
    /// A peer that sends nothing for this long is disconnected.
    package var silenceMs: Int64
    /// The time from the start of the connection to Hello, and to Welcome.
    package var handshakeMs: Int64
    /// The largest payload accepted after the handshake.
    package var maxFrameBytes: Int
    /// The largest payload accepted during the handshake.
    package var maxHandshakeBytes: Int
    /// The limit of a client's unanswered requests; above it, the client is not read from.
    package var maxRequestsInFlight: Int

    package init(
        heartbeatMs: Int64 = 2_000,
        silenceMs: Int64? = nil,
        handshakeMs: Int64 = 5_000,
        maxFrameBytes: Int = FrameDecoder.defaultMaxFrameBytes,
        maxHandshakeBytes: Int = 64 << 10,
        maxRequestsInFlight: Int = 1_024
    ) {
        self.heartbeatMs = heartbeatMs
        self.silenceMs = silenceMs ?? heartbeatMs * 5
        self.handshakeMs = handshakeMs
        self.maxFrameBytes = maxFrameBytes
        self.maxHandshakeBytes = min(maxHandshakeBytes, maxFrameBytes)
        self.maxRequestsInFlight = maxRequestsInFlight
    }
}
