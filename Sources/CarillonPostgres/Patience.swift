/// How long a session waits for the answer to its statements, and what it does then.
struct Patience {
    /// What is done with a statement of a slow database.
    enum Slowness {
        /// It is waited for, however long it takes.
        case wait
        /// It is cancelled once its limit is over.
        case cancel
    }

    /// How long nothing may arrive before the server is suspected. `nil`: for ever.
    var silenceMs: Int64?
    /// How long everything together may take; the connection is given up then.
    var totalMs: Int64?
    /// Who knows whether the server is there. `nil`: a silence that is too long ends the connection.
    var watch: LeaseWatch?
    var slowness = Slowness.wait

    /// How long a cancelled statement may take to end.
    static let cancellationMs: Int64 = 2_000

    static func total(_ ms: Int) -> Patience { Patience(totalMs: Int64(ms)) }

    /// Until the server is silent for the watch's limit, and the lease connection has no answer from it either.
    static func progress(_ watch: LeaseWatch) -> Patience {
        Patience(silenceMs: watch.limitMs, watch: watch)
    }
}

/// The wait for one answer: what has been found out about the server since.
struct Wait {
    /// What the session is to do now.
    enum Step {
        /// Wait for the socket, at most so long.
        case poll(ms: Int32)
        /// Have the statement cancelled, and go on waiting.
        case cancel
        case giveUp(String)
    }

    private let patience: Patience
    private let end: Int64?
    private var quietSince: Int64
    /// When the lease connection was asked about the server.
    private var askedAt: Int64?
    private(set) var cancelledAt: Int64?

    init(_ patience: Patience, now: Int64) {
        self.patience = patience
        quietSince = now
        end = patience.totalMs.map { now + $0 }
    }

    /// Bytes went or came.
    mutating func progressed(at now: Int64) {
        (quietSince, askedAt) = (now, nil)
    }

    mutating func next(_ server: LeaseWatch.Server, now: Int64) -> Step {
        if let end, now >= end { return .giveUp("the database did not answer in time") }
        let left = end.map { $0 - now } ?? 60_000
        if let cancelledAt {
            let grace = cancelledAt + Patience.cancellationMs - now
            guard grace > 0 else { return .giveUp("the database is slow, and did not cancel a statement in time") }
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
            // Slow, then. As long as the server is there the wait is measured anew.
            self.askedAt = nil
            quietSince = now
            guard patience.slowness == .cancel else { return .poll(ms: 20) }
            cancelledAt = now
            return .cancel
        }
        guard now - askedAt < LeaseWatch.answerMs else {
            return .giveUp("the database does not answer, neither here nor on the connection of the lease")
        }
        return .poll(ms: 20)
    }
}
