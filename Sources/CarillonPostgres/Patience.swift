/// How long a session waits for results, and what happens afterwards.
struct Patience {
    /// The handling of a statement on a slow database.
    enum Slowness {
        /// Wait without a limit.
        case wait
        /// Cancel the statement when its limit has passed.
        case cancel
    }

    /// The silence after which the server is suspected to hang. `nil`: no limit.
    var silenceMs: Int64?
    /// The limit of the whole wait, after which the connection is abandoned.
    var totalMs: Int64?
    /// Knows whether the server answers elsewhere. `nil`: a long silence ends the connection.
    var watch: LeaseWatch?
    var slowness = Slowness.wait

    /// How long a cancelled statement may take to end.
    static let cancellationMs: Int64 = 2_000

    static func total(_ ms: Int) -> Patience { Patience(totalMs: Int64(ms)) }

    /// Waits until the server is silent for the watch's limit, and also silent on the lease connection.
    static func progress(_ watch: LeaseWatch) -> Patience {
        Patience(silenceMs: watch.limitMs, watch: watch)
    }
}

/// The wait for one result, with the observations of the server.
struct Wait {
    /// The next action of the session.
    enum Step {
        /// Wait for the socket, at most this long.
        case poll(ms: Int32)
        /// Cancel the statement, and continue to wait.
        case cancel
        case giveUp(String)
    }

    private let patience: Patience
    private let end: Int64?
    private var quietSince: Int64
    /// When the lease connection was asked to query the server.
    private var askedAt: Int64?
    private(set) var cancelledAt: Int64?

    init(_ patience: Patience, now: Int64) {
        self.patience = patience
        quietSince = now
        end = patience.totalMs.map { now + $0 }
    }

    /// Bytes were sent or received.
    mutating func progressed(at now: Int64) {
        (quietSince, askedAt) = (now, nil)
    }

    mutating func next(_ server: LeaseWatch.Server, now: Int64) -> Step {
        if let end, now >= end { return .giveUp("the database did not answer in time") }
        let left = end.map { $0 - now } ?? 60_000
        if let cancelledAt {
            let grace = cancelledAt + Patience.cancellationMs - now
            guard grace > 0 else { return .giveUp("the database is slow and did not cancel a statement in time") }
            return .poll(ms: Int32(min(left, grace)))
        }
        guard let silenceMs = patience.silenceMs else { return .poll(ms: Int32(min(left, 60_000))) }
        let quiet = quietSince + silenceMs - now
        if quiet > 0 { return .poll(ms: Int32(min(left, quiet, 60_000))) }
        guard let watch = patience.watch else { return .giveUp("the database did not answer in time") }
        guard let askedAt else {
            self.askedAt = now
            watch.ask()
            return .poll(ms: 20)
        }
        if watch.hasAnswered(server, since: askedAt) {
            // The server answers elsewhere, so it is slow. The silence is measured from here again.
            self.askedAt = nil
            quietSince = now
            guard patience.slowness == .cancel else { return .poll(ms: 20) }
            cancelledAt = now
            return .cancel
        }
        guard now - askedAt < LeaseWatch.answerMs else {
            return .giveUp("the database does not answer, neither here nor on the lease connection")
        }
        return .poll(ms: 20)
    }
}
