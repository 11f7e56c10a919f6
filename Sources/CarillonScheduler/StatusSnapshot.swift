internal import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// The dispatcher's latest status, and the leader according to the lease connection.
final class StatusSnapshot: Sendable {
    private struct Held {
        var status = Status()
        var leaderAddress: String?
        var ownAddress = ""
    }

    private let held = Mutex(Held())

    /// host:port at which clients and workers reach this scheduler.
    var ownAddress: String {
        get { held.withLock { $0.ownAddress } }
        set { held.withLock { $0.ownAddress = newValue } }
    }

    /// host:port of the scheduler that held the lease at the last read of the database.
    var leaderAddress: String? {
        get { held.withLock { $0.leaderAddress } }
        set { held.withLock { $0.leaderAddress = newValue } }
    }

    var current: Status { held.withLock { $0.status } }

    /// Returns whether this scheduler started or stopped leading, or leads under a new epoch.
    @discardableResult
    func update(_ status: Status) -> Bool {
        held.withLock { held in
            defer { held.status = status }
            return held.status.epoch != status.epoch
        }
    }

    /// The leadership after the dispatcher's last turn.
    var leadership: LeadershipStatus {
        held.withLock { held in
            if let epoch = held.status.epoch { return .leading(epoch: epoch) }
            return .standingBy(leader: held.leaderAddress == held.ownAddress ? nil : held.leaderAddress)
        }
    }

    /// Cluster time now: the time of the last turn plus the time since.
    func clusterTime() -> Timestamp {
        let (status, boot) = (current, SystemClock.bootTime())
        guard status.readAt.nanoseconds != 0 else { return SystemClock.now().wall }
        return status.clusterTime + boot.milliseconds(since: status.readAt)
    }

    /// Why executions are not being called: the database does not answer, due executions are not dispatched, or a worker follows
    /// another leader. `nil` without a problem.
    func problem(of health: StoreHealth, limitMs: Int64) -> String? {
        let current = current
        if let problem = health.problem(limitMs: limitMs) { return problem }
        guard current.isLeading else { return nil }
        if let worker = current.disobedientWorkers.first {
            return "worker \(worker.name) follows epoch \(worker.epoch), which this cluster never held; restart it"
        }
        let idleMs = current.starvedMs + SystemClock.bootTime().milliseconds(since: current.readAt)
        guard current.starvedMs > 0, idleMs > Self.starvationMs else { return nil }
        return "\(current.readyQueueDepth) executions are due, and no worker has taken a call for \(idleMs / 1_000) s"
    }

    private static let starvationMs: Int64 = 10_000

    /// Whether clients can be served, and if not, why. A database that has not answered for `limitMs` is a reason, for a leader
    /// and for a standby.
    func readiness(of health: StoreHealth, limitMs: Int64) -> (isReady: Bool, text: String) {
        let current = current
        if let problem = health.problem(limitMs: limitMs) { return (false, problem) }
        if current.isLeading { return (true, "leading, epoch \(current.epoch ?? 0)") }
        if case .standingBy(let leader?) = leadership { return (true, "standing by; \(leader) leads") }
        if let problem = health.loadProblem(limitMs: limitMs) { return (false, problem) }
        let why = health.lease.failure.map { ": \($0.message)" } ?? ""
        return (false, "no scheduler leads: the database is not reachable, or a take-over is under way\(why)")
    }
}
