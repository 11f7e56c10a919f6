internal import CarillonCore

/// The heartbeat of one end of a connection: when to ping, when the peer has been silent for too long, and the offset of its
/// clock.
struct Heartbeat: Sendable {
    private let limits: ConnectionLimits
    /// Whether this end pings at every heartbeat. The other end pings only when these pings stop. An idle connection thereby needs
    /// half of the messages and wake-ups.
    private let leads: Bool
    private var nextPing: BootTime
    private var lastReceived: BootTime
    /// While reads are paused, missing traffic does not count as the peer's silence.
    private var isListening = true
    /// The unanswered Ping: its timestamp, and the boot time at which it was sent.
    private var outstanding: (sentMicroseconds: Int64, at: BootTime)?

    /// - Parameters:
    ///   - leads: whether this end pings at every heartbeat, or only when the other end is silent.
    ///   - isEager: whether the first ping is sent at once, because the peer's clock is needed for its first report.
    init(limits: ConnectionLimits, leads: Bool, isEager: Bool = false, at now: BootTime) {
        self.limits = limits
        self.leads = leads
        nextPing = isEager ? now : now + limits.heartbeatMs * (leads ? 1 : Self.beatsMissed)
        lastReceived = now
    }

    /// After this many heartbeats of silence, the end that does not lead pings as well; two more fit before the limit of five.
    private static let beatsMissed: Int64 = 3

    enum Beat: Equatable {
        case nothing
        case ping(sentMicroseconds: Int64)
        case silent(forMs: Int64)
    }

    /// When `tick` must be called next, unless something arrives before.
    var deadline: BootTime { isListening ? min(nextPing, lastReceived + limits.silenceMs) : nextPing }

    mutating func received(at now: BootTime) {
        lastReceived = max(lastReceived, now)
        if !leads { nextPing = max(nextPing, now + limits.heartbeatMs * Self.beatsMissed) }
    }

    mutating func listen(_ listening: Bool, at now: BootTime) {
        isListening = listening
        received(at: now)
    }

    mutating func tick(at now: WireNow) -> Beat {
        if isListening, now.boot >= lastReceived + limits.silenceMs, !InjectedFault.believesInSilentConnections.isActive
        {
            return .silent(forMs: now.boot.milliseconds(since: lastReceived))
        }
        guard now.boot >= nextPing else { return .nothing }
        nextPing = now.boot + limits.heartbeatMs
        outstanding = (now.wallMicroseconds, now.boot)
        return .ping(sentMicroseconds: now.wallMicroseconds)
    }

    /// The peer's clocks, if this Pong answers the last Ping. Assumes equal delays in both directions. Elapsed time is boot time,
    /// so a step of the local clock has no effect.
    mutating func pong(
        sentMicroseconds: Int64,
        answeredMicroseconds: Int64,
        clockMicroseconds: UInt64?,
        at now: WireNow
    ) -> PeerClockReading? {
        guard let ping = outstanding, ping.sentMicroseconds == sentMicroseconds else { return nil }
        outstanding = nil
        let halfway = Double(now.boot - ping.at) / 2_000
        let (ahead, overflow) = answeredMicroseconds.subtractingReportingOverflow(sentMicroseconds)
        guard !overflow else { return nil }
        return PeerClockReading(
            skewMs: (Double(ahead) - halfway) / 1_000,
            clockMicroseconds: clockMicroseconds,
            sentAt: ping.at,
            receivedAt: now.boot
        )
    }

    /// "10 s", or "500 ms".
    static func text(_ milliseconds: Int64) -> String {
        milliseconds >= 1_000 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
