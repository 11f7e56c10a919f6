package import CarillonCore

/// What one heartbeat says of a peer's clocks.
package struct PeerClockReading: Sendable, Hashable {
    /// How far the peer's wall clock is ahead of ours, in milliseconds.
    package var skewMs: Double
    /// A worker's monotonic clock, read between `sentAt` and `receivedAt`.
    package var clockMicroseconds: UInt64?
    package var sentAt: BootTime
    package var receivedAt: BootTime

    package init(skewMs: Double, clockMicroseconds: UInt64?, sentAt: BootTime, receivedAt: BootTime) {
        self.skewMs = skewMs
        self.clockMicroseconds = clockMicroseconds
        self.sentAt = sentAt
        self.receivedAt = receivedAt
    }
}
