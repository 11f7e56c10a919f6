internal import CarillonCore
internal import Synchronization

/// Holds the desk. Only the pump's thread calls it; the mutex makes that safe, not fast.
final class DeskBox: Sendable {
    private struct Held: ~Copyable {
        var desk: WorkerDesk
    }

    private let held: Mutex<Held>

    init(_ configuration: WorkerDeskConfiguration) {
        held = Mutex(Held(desk: WorkerDesk(configuration: configuration)))
    }

    func handle(_ event: WorkerEvent, at now: BootTime, into actions: inout [WorkerAction]) {
        let made = held.withLock { held in
            var made: [WorkerAction] = []
            held.desk.handle(event, at: now, into: &made)
            return made
        }
        actions.append(contentsOf: made)
    }

    var wake: BootTime? {
        held.withLock { $0.desk.wake }
    }

    func status(address: (LinkID) -> String?) -> WorkerStatus {
        let (status, leader) = held.withLock { held in
            var status = WorkerStatus()
            status.running = held.desk.runningCount
            status.waiting = held.desk.waitingCount
            status.unacknowledged = held.desk.unacknowledgedCount
            status.free = held.desk.freeCount
            status.connections = held.desk.connectionCount
            status.leaderEpoch = held.desk.leaderEpoch
            status.isDraining = held.desk.isDraining
            status.figures = held.desk.figures
            return (status, held.desk.leader)
        }
        var named = status
        named.leaderAddress = leader.flatMap(address)
        return named
    }
}
