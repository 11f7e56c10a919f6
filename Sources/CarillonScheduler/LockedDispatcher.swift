internal import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// Holds the dispatcher. Only the event loop's thread calls `turn`, `status` and `wake`; the mutex makes that safe, not fast.
final class LockedDispatcher: Sendable {
    private struct Held: ~Copyable {
        var dispatcher: Dispatcher
        var random = SystemRandomNumberGenerator()
    }

    private struct Ending {
        var hasStopped = false
        var isReleased = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let held: Mutex<Held>
    private let ending = Mutex(Ending())

    init(_ dispatcher: consuming sending Dispatcher) {
        held = Mutex(Held(dispatcher: dispatcher))
    }

    /// One turn: applies the events, then checks the timers. Returns the actions, and the time until which the lease allows them.
    func turn(_ events: [Event], at now: Now) -> (actions: [Action], leaseDeadline: BootTime?) {
        held.withLock { held in
            var actions: [Action] = []
            for event in events { held.dispatcher.handle(event, at: now, using: &held.random, into: &actions) }
            held.dispatcher.handle(.tick, at: SystemClock.now(), using: &held.random, into: &actions)
            return (actions, held.dispatcher.leaseDeadline)
        }
    }

    func wake(after now: Now) -> BootTime? {
        held.withLock { $0.dispatcher.wake(after: now) }
    }

    func status(at now: Now) -> Status {
        held.withLock { held in
            var status = Status()
            status.epoch = held.dispatcher.leadingEpoch(at: now.boot)
            status.isLeading = status.epoch != nil
            status.isReady = held.dispatcher.isReadyToLead
            status.clusterTime = held.dispatcher.isReadyToLead ? held.dispatcher.clusterTime(at: now.boot) : now.wall
            status.readAt = now.boot
            status.jobs = held.dispatcher.jobCount
            status.activeJobs = held.dispatcher.activeJobCount
            status.heapSize = held.dispatcher.heapSize
            status.readyQueueDepth = held.dispatcher.readyQueueDepth
            status.openExecutions = held.dispatcher.openExecutionCount
            status.lastFailed = held.dispatcher.lastFailedCount
            status.counters = held.dispatcher.counters
            status.starvedMs = held.dispatcher.starvedMs(at: now.boot) ?? 0
            status.disobedientWorkers = held.dispatcher.disobedientWorkers
            for worker in held.dispatcher.workers {
                status.workers[worker.link] = (worker.inFlight, worker.freeSlots, worker.isDraining)
            }
            return status
        }
    }

    // MARK: Stopping

    /// The dispatcher has finished. Without a lease to release, nothing is left to do.
    func stopped() {
        finish { $0.hasStopped = true }
    }

    func released() {
        finish { $0.isReleased = true }
    }

    private func finish(_ change: (inout Ending) -> Void) {
        let waiting = ending.withLock { ending in
            change(&ending)
            guard ending.hasStopped, ending.isReleased || !isReleasing else {
                return nil as CheckedContinuation<Void, Never>?
            }
            defer { ending.waiting = nil }
            return ending.waiting
        }
        waiting?.resume()
    }

    /// Whether a lease is being released.
    private var isReleasing: Bool {
        held.withLock { $0.dispatcher.isReleasing }
    }

    func waitUntilStopped(limitMs: Int) async {
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(limitMs))
            finish {
                $0.hasStopped = true
                $0.isReleased = true
            }
        }
        await withCheckedContinuation { continuation in
            let isOver = ending.withLock { ending in
                if ending.hasStopped, ending.isReleased || !isReleasing { return true }
                ending.waiting = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
        timer.cancel()
    }
}
