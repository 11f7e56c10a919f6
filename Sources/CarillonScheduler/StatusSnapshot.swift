internal import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// The last status that the dispatcher's thread left, and what the lease connection says of the leader.
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

    /// host:port of the scheduler that held the lease when the database was last asked.
    var leaderAddress: String? {
        get { held.withLock { $0.leaderAddress } }
        set { held.withLock { $0.leaderAddress = newValue } }
    }

    var current: Status { held.withLock { $0.status } }

    /// Returns whether the scheduler has begun or ceased to lead, or leads under another epoch.
    @discardableResult
    func update(_ status: Status) -> Bool {
        held.withLock { held in
            defer { held.status = status }
            return held.status.epoch != status.epoch
        }
    }

    /// Who leads, by the last turn of the dispatcher.
    var leadership: LeadershipStatus {
        held.withLock { held in
            if let epoch = held.status.epoch { return .leading(epoch: epoch) }
            return .standingBy(leader: held.leaderAddress == held.ownAddress ? nil : held.leaderAddress)
        }
    }

    /// Cluster time now: what it was at the last turn, and the time since.
    func clusterTime() -> Timestamp {
        let (status, boot) = (current, SystemClock.bootTime())
        guard status.readAt.nanoseconds != 0 else { return SystemClock.now().wall }
        return status.clusterTime + boot.milliseconds(since: status.readAt)
    }

    /// What keeps executions from being called, by what happens: a database that does not answer, executions that are due and
    /// not dispatched, workers that obey another leader. `nil` while all is well.
    func problem(of health: StoreHealth, limitMs: Int64) -> String? {
        let current = current
        if let problem = health.problem(limitMs: limitMs) { return problem }
        guard current.isLeading else { return nil }
        if let worker = current.disobedientWorkers.first {
            return "worker \(worker.name) obeys epoch \(worker.epoch), which this cluster never held; restart it"
        }
        let idleMs = current.starvedMs + SystemClock.bootTime().milliseconds(since: current.readAt)
        guard current.starvedMs > 0, idleMs > Self.starvationMs else { return nil }
        return "\(current.readyQueueDepth) executions are due, and no worker has taken a call for \(idleMs / 1_000) s"
    }

    private static let starvationMs: Int64 = 10_000

    /// Whether clients can be served, and why not. What the database has not answered for `limitMs` counts, be it the leader
    /// that asks or a standby.
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
