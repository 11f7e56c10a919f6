/// How a worker's monotonic clock relates to this process's boot time, from the heartbeats of its connection.
///
/// A reading was made between the Ping's departure and the Pong's arrival, so it is wrong by at most half of that time. The
/// best recent one counts; it is replaced after a minute, in which two machines drift apart by some 3 ms.
struct WorkerClock: Sendable {
    /// Microseconds to add to the worker's clock to get boot time, and by how much that may be wrong.
    private var best: (offset: Int64, doubt: Int64, at: BootTime)?

    private static let lifeMs: Int64 = 60_000

    /// Takes in a reading. One that no arithmetic can use is ignored.
    mutating func read(_ microseconds: UInt64, sentAt: BootTime, receivedAt: BootTime) {
        guard let clock = Int64(exactly: microseconds), receivedAt >= sentAt else { return }
        let halfway = sentAt.nanoseconds / 2_000 + receivedAt.nanoseconds / 2_000
        let (offset, overflow) = halfway.subtractingReportingOverflow(clock)
        guard !overflow else { return }
        let doubt = (receivedAt - sentAt) / 2_000
        if let best, best.doubt < doubt, receivedAt.milliseconds(since: best.at) < Self.lifeMs { return }
        best = (offset, doubt, receivedAt)
    }

    /// The instant at which the worker's clock showed that; `nil` when nothing is known of it, or the number makes no sense.
    func bootTime(at microseconds: UInt64) -> BootTime? {
        guard let best, let clock = Int64(exactly: microseconds) else { return nil }
        let (boot, overflow) = clock.addingReportingOverflow(best.offset)
        guard !overflow, boot >= 0, boot < Int64.max / 1_000 else { return nil }
        return BootTime(nanoseconds: boot * 1_000)
    }
}
