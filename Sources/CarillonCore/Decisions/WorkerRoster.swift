/// A connection to a worker or a client, as the core names it; never used twice by one process.
package typealias LinkID = Int

/// The number under which a request of a client waits for its answer.
package typealias Ticket = UInt64

/// A worker that is connected.
struct ConnectedWorker {
    var name: String
    var bootID: UniqueID
    var maxWorkers: Int
    /// Cumulative on this connection (design § 5, Credit).
    var granted: UInt64 = 0
    var sent: UInt64 = 0
    /// Slots promised to claims that are not yet durable.
    var reserved = 0
    var inFlight = 0
    var draining = false
    /// The epoch for which it said what it holds; what it has to report follows, and then its credit.
    var heldEpoch: Int64?
    /// It answered our Lead.
    var hasAnswered = false

    var freeSlots: Int {
        draining || !hasAnswered ? 0 : max(0, Int(clamping: Int64(granted) - Int64(sent)) - reserved)
    }
}

/// The workers, and those that were cut off a moment ago.
struct WorkerRoster {
    private(set) var workers: [LinkID: ConnectedWorker] = [:]
    /// By name: until when a cut connection's worker is waited for, and who it was.
    private(set) var parted: [String: (bootID: UniqueID, until: BootTime)] = [:]

    var count: Int { workers.count }
    /// Calls that all workers together can run.
    var capacity: Int { workers.values.reduce(0) { $0 + ($1.draining ? 0 : $1.maxWorkers) } }
    var freeSlots: Int { workers.values.reduce(0) { $0 + $1.freeSlots } }

    subscript(link: LinkID) -> ConnectedWorker? {
        get { workers[link] }
        set { workers[link] = newValue }
    }

    /// The worker with most free slots; of equals the one that came first.
    var freest: LinkID? {
        var best: (link: LinkID, free: Int)?
        for (link, worker) in workers {
            let free = worker.freeSlots
            guard free > 0 else { continue }
            if let current = best, current.free > free || (current.free == free && current.link < link) { continue }
            best = (link, free)
        }
        return best?.link
    }

    var allHaveAnswered: Bool { workers.values.allSatisfy { $0.hasAnswered } }

    mutating func modify(_ link: LinkID, _ body: (inout ConnectedWorker) -> Void) {
        if workers[link] != nil { body(&workers[link]!) }
    }

    mutating func part(_ name: String, bootID: UniqueID, until: BootTime) {
        parted[name] = (bootID, until)
    }

    /// Ends the waiting for a name; returns who was waited for.
    mutating func endParting(_ name: String) -> UniqueID? {
        parted.removeValue(forKey: name)?.bootID
    }

    /// Names whose waiting is over.
    func overdue(at now: BootTime) -> [String] {
        parted.filter { $0.value.until <= now }.keys.sorted()
    }

    var wake: BootTime? { parted.values.map(\.until).min() }

    /// A new leader knows nothing of what it sent before.
    mutating func forgetAnswers() {
        for link in workers.keys {
            workers[link]!.hasAnswered = false
            workers[link]!.heldEpoch = nil
            workers[link]!.inFlight = 0
            workers[link]!.reserved = 0
        }
        parted = [:]
    }
}
