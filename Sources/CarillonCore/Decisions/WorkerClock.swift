/// The offset of a worker's monotonic clock to this process's boot time, measured with heartbeats.
///
/// The error of a reading is at most half of the round trip. The best reading is kept for one minute, in which two
/// machines drift apart by about 3 ms.
struct WorkerClock: Sendable {
    /// The offset from the worker's clock to boot time in microseconds, and its maximum error.
    private var best: (offset: Int64, doubt: Int64, at: BootTime)?

    private static let lifeMs: Int64 = 60_000

    /// Adds a reading. A reading that would overflow is ignored.
    mutating func read(_ microseconds: UInt64, sentAt: BootTime, receivedAt: BootTime) {
        guard let clock = Int64(exactly: microseconds), receivedAt >= sentAt else { return }
        let halfway = sentAt.nanoseconds / 2_000 + receivedAt.nanoseconds / 2_000
        let (offset, overflow) = halfway.subtractingReportingOverflow(clock)
        guard !overflow else { return }
        let doubt = (receivedAt - sentAt) / 2_000
        if let best, best.doubt < doubt, receivedAt.milliseconds(since: best.at) < Self.lifeMs { return }
        best = (offset, doubt, receivedAt)
    }

    /// The boot time of a reading of the worker's clock; `nil` if no offset is known or the value is out of range.
    func bootTime(at microseconds: UInt64) -> BootTime? {
        guard let best, let clock = Int64(exactly: microseconds) else { return nil }
        let (boot, overflow) = clock.addingReportingOverflow(best.offset)
        guard !overflow, boot >= 0, boot < Int64.max / 1_000 else { return nil }
        return BootTime(nanoseconds: boot * 1_000)
    }
}
