internal import CarillonRuntime
internal import Synchronization

/// What the lease connection knows of the servers: when each last answered. A session that waits longer than its limit finds
/// out here whether its server is slow or hangs (design § 5, "Slow is not hung").
final class LeaseWatch: Sendable {
    /// One start of one server at one address.
    struct Server: Sendable, Hashable {
        var address: String
        var startedAt: String
    }

    private struct State {
        var heardAt: [Server: Int64] = [:]
        var leaseMs: Int64 = 5_000
        var ask: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// How long the lease connection may take to answer whether its server is there.
    static let answerMs: Int64 = 1_500

    /// How long a session waits before it asks whether its server hangs: a lease, at least a second and at most a minute.
    var limitMs: Int64 { state.withLock { min(max($0.leaseMs, 1_000), 60_000) } }

    /// The length of the lease, from the request that was made last.
    func setLease(ms: Int) {
        state.withLock { $0.leaseMs = Int64(ms) }
    }

    /// How the lease connection is made to send a question.
    func onAsk(_ ask: @escaping @Sendable () -> Void) {
        state.withLock { $0.ask = ask }
    }

    /// The lease connection got bytes from a server.
    func heard(_ server: Server) {
        let now = SystemClock.bootMilliseconds()
        state.withLock { state in
            // A server that was left long ago is of no more use.
            if state.heardAt[server] == nil { state.heardAt = state.heardAt.filter { now - $0.value < 600_000 } }
            state.heardAt[server] = now
        }
    }

    /// Whether a server has answered the lease connection since `time`.
    func hasAnswered(_ server: Server, since time: Int64) -> Bool {
        state.withLock { state in state.heardAt[server].map { $0 >= time } ?? false }
    }

    /// Lets the lease connection ask its server for a sign.
    func ask() {
        state.withLock { $0.ask }?()
    }
}
