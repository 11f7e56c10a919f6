internal import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// Collects the values of `StoreHealth`. Each connection of a store writes to it from its own thread.
final class HealthSnapshot: Sendable {
    /// An operation in progress.
    enum Work: Hashable {
        case batch, load
    }

    private struct Failure {
        var message: String
        var state: String?
        var at: Int64
    }

    private struct State {
        var begun: [Work: [UInt64: Int64]] = [:]
        var next: UInt64 = 0
        var failures: [ConnectionRole: Failure] = [:]
        /// When the lease was first requested, or the last answer arrived.
        var leaseSince: Int64?
    }

    private let state = Mutex(State())

    /// Returns the number for the matching call of `ended`.
    func began(_ work: Work) -> UInt64 {
        let now = SystemClock.bootMilliseconds()
        return state.withLock { state in
            state.next += 1
            state.begun[work, default: [:]][state.next] = now
            return state.next
        }
    }

    func ended(_ work: Work, _ number: UInt64) {
        state.withLock { _ = $0.begun[work]?.removeValue(forKey: number) }
    }

    func leaseAsked() {
        let now = SystemClock.bootMilliseconds()
        state.withLock { $0.leaseSince = $0.leaseSince ?? now }
    }

    /// The database has answered who holds the lease.
    func leaseAnswered() {
        let now = SystemClock.bootMilliseconds()
        state.withLock { $0.leaseSince = now }
    }

    /// The lease is no longer requested.
    func leaseReleased() {
        state.withLock { $0.leaseSince = nil }
    }

    func failed(_ role: ConnectionRole, _ error: DatabaseError) {
        let failure = Failure(message: error.message, state: error.state, at: SystemClock.bootMilliseconds())
        state.withLock { $0.failures[role] = failure }
    }

    var health: StoreHealth {
        let now = SystemClock.bootMilliseconds()
        let state = state.withLock { $0 }
        func failure(_ role: ConnectionRole) -> StoreHealth.Failure? {
            state.failures[role].map { StoreHealth.Failure(message: $0.message, state: $0.state, ageMs: now - $0.at) }
        }
        func waited(_ work: Work) -> Int64? { state.begun[work]?.values.min().map { now - $0 } }
        return StoreHealth(
            batch: .init(waitedMs: waited(.batch), failure: failure(.writer)),
            lease: .init(waitedMs: state.leaseSince.map { now - $0 }, failure: failure(.lease)),
            load: .init(waitedMs: waited(.load), failure: failure(.loader))
        )
    }
}
