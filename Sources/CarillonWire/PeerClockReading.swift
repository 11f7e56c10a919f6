package import CarillonCore

/// The peer's clocks according to one heartbeat.
package struct PeerClockReading: Sendable, Hashable {
    /// The offset of the peer's wall clock from the local clock, in milliseconds.
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
