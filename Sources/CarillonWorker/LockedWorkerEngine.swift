internal import CarillonCore
internal import Synchronization

/// Holds the engine. Only the event loop's thread calls it; the mutex makes that safe, not fast.
final class LockedWorkerEngine: Sendable {
    private struct Held: ~Copyable {
        var engine: WorkerEngine
    }

    private let held: Mutex<Held>

    init(_ configuration: WorkerEngineConfiguration) {
        held = Mutex(Held(engine: WorkerEngine(configuration: configuration)))
    }

    func handle(_ event: WorkerEvent, at now: BootTime, into actions: inout [WorkerAction]) {
        let made = held.withLock { held in
            var made: [WorkerAction] = []
            held.engine.handle(event, at: now, into: &made)
            return made
        }
        actions.append(contentsOf: made)
    }

    var wake: BootTime? {
        held.withLock { $0.engine.wake }
    }

    func status(address: (ConnectionID) -> String?) -> WorkerStatus {
        let (status, leader) = held.withLock { held in
            var status = WorkerStatus()
            status.running = held.engine.runningCount
            status.waiting = held.engine.waitingCount
            status.unacknowledged = held.engine.unacknowledgedCount
            status.free = held.engine.freeCount
            status.connections = held.engine.connectionCount
            status.leaderEpoch = held.engine.leaderEpoch
            status.isDraining = held.engine.isDraining
            status.counters = held.engine.counters
            return (status, held.engine.leader)
        }
        var named = status
        named.leaderAddress = leader.flatMap(address)
        return named
    }
}
