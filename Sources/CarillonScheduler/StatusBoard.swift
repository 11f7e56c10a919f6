internal import CarillonCore
internal import CarillonSystem
internal import Synchronization

/// The last status that the dispatcher's thread left.
final class StatusBoard: Sendable {
    private let held = Mutex(Status())
    private let address = Mutex("")

    /// host:port at which clients and workers reach this scheduler.
    var ownAddress: String {
        get { address.withLock { $0 } }
        set { address.withLock { $0 = newValue } }
    }

    var current: Status { held.withLock { $0 } }

    func update(_ status: Status) {
        held.withLock { $0 = status }
    }

    func setLeader(_ address: String?) {
        held.withLock { $0.leaderAddress = address }
    }

    /// Cluster time now: what it was at the last turn, and the time since.
    func clusterTime() -> Timestamp {
        let (status, boot) = (current, SystemClock.bootTime())
        guard status.readAt.nanoseconds != 0 else { return SystemClock.now().wall }
        return status.clusterTime + boot.milliseconds(since: status.readAt)
    }
}
