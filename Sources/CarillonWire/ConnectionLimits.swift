/// What a connection allows, in milliseconds, bytes and counts.
package struct ConnectionLimits: Sendable, Hashable {
    /// Between two Pings of the end that leads (`Heartbeat`). The scheduler's value goes to its peers in Welcome.
    package var heartbeatMs: Int64
    /// A peer that has sent nothing for this long is closed.
    package var silenceMs: Int64
    /// From the connection's begin to Hello, and to Welcome.
    package var handshakeMs: Int64
    /// The largest payload accepted from an established peer.
    package var maxFrameBytes: Int
    /// The largest payload accepted before the handshake is complete.
    package var maxHandshakeBytes: Int
    /// Requests of one client that are not answered yet; above, nothing more is read from it.
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
