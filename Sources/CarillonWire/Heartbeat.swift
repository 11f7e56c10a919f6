internal import CarillonCore

/// The pulse of one end of a connection: when to ping, when the peer has been silent for too long, and how far its clock
/// is ahead.
struct Heartbeat: Sendable {
    private let limits: ConnectionLimits
    /// One end of a connection pings every heartbeat. The other hears that, and pings only when it no longer does: half of the
    /// messages, and of the wake-ups, of a connection with nothing to say.
    private let leads: Bool
    private var nextPing: BootTime
    private var lastReceived: BootTime
    /// While nothing is read from the peer, its silence is ours.
    private var isListening = true
    /// The Ping whose Pong has not come: by its own time, and when it left.
    private var outstanding: (sentMicroseconds: Int64, at: BootTime)?

    /// - Parameters:
    ///   - leads: whether this end pings every heartbeat, or only in the silence of the other.
    ///   - isEager: whether the first ping leaves at once, because the peer's clock is needed for its first report.
    init(limits: ConnectionLimits, leads: Bool, isEager: Bool = false, at now: BootTime) {
        self.limits = limits
        self.leads = leads
        nextPing = isEager ? now : now + limits.heartbeatMs * (leads ? 1 : Self.beatsMissed)
        lastReceived = now
    }

    /// So many heartbeats without a byte, and the end that does not lead pings too: time for two more before five are up.
    private static let beatsMissed: Int64 = 3

    enum Beat: Equatable {
        case nothing
        case ping(sentMicroseconds: Int64)
        case silent(forMs: Int64)
    }

    /// When `tick` has something to do next, unless something is heard before.
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

    /// The peer's clocks, if this Pong answers our last Ping. The way back is taken to be as long as the way there; elapsed
    /// time is boot time, so that a step of our own clock does not count.
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
