internal import CarillonRuntime
internal import Synchronization

/// Records when each server last answered on the lease connection. Another session that waits too long uses this to tell a slow server
/// from a server that hangs (Architecture.md).
final class LeaseWatch: Sendable {
    /// One start of a server at an address.
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

    /// The time limit for the lease connection's answer.
    static let answerMs: Int64 = 1_500

    /// How long a session waits before it asks whether its server hangs: a lease, at least a second and at most a minute.
    var limitMs: Int64 { state.withLock { min(max($0.leaseMs, 1_000), 60_000) } }

    /// Sets the length of the lease from the latest request.
    func setLease(ms: Int) {
        state.withLock { $0.leaseMs = Int64(ms) }
    }

    /// Sets the function that makes the lease connection send a query.
    func onAsk(_ ask: @escaping @Sendable () -> Void) {
        state.withLock { $0.ask = ask }
    }

    /// The lease connection received bytes from a server.
    func heard(_ server: Server) {
        let now = SystemClock.bootMilliseconds()
        state.withLock { state in
            // Servers that have not answered for long are removed.
            if state.heardAt[server] == nil { state.heardAt = state.heardAt.filter { now - $0.value < 600_000 } }
            state.heardAt[server] = now
        }
    }

    /// Whether a server has answered the lease connection since `time`.
    func hasAnswered(_ server: Server, since time: Int64) -> Bool {
        state.withLock { state in state.heardAt[server].map { $0 >= time } ?? false }
    }

    /// Makes the lease connection query its server.
    func ask() {
        state.withLock { $0.ask }?()
    }
}
