/// A worker that is connected.
struct ConnectedWorker {
    var name: String
    var bootID: UniqueID
    var maxWorkers: Int
    /// What the worker can do beyond the protocol's version, by its Hello.
    var features: Set<String>
    /// Calls that the worker takes on this connection in all, as its last Credit says (design § 5, Credit).
    var granted: UInt64 = 0
    var sent: UInt64 = 0
    /// Slots promised to claims that are not yet durable.
    var reserved = 0
    var inFlight = 0
    /// Calls that were sent to it and of which it has said nothing yet: neither that they run nor what came of them.
    var unacknowledged = 0
    /// Its name is durable: a leader after this one will ask it.
    var isRecorded = false
    var draining = false
    /// The epoch for which it said what it holds; what it has to report follows, and then its credit.
    var heldEpoch: Int64?
    /// When it did.
    var heldAt: BootTime?
    /// It answered our Lead.
    var hasAnswered = false
    /// The epoch that it obeys instead of ours, until it answers our Lead.
    var obeyedEpoch: Int64?
    /// Calls that it did not report in time. They count as unanswered, so that other workers are preferred.
    var overdue = 0
    /// Calls that it gave back since its last outcome, while it did not drain.
    var returned = 0
    /// The key of the codes of its dispatch tokens.
    var key: DispatchKey

    init(name: String, bootID: UniqueID, maxWorkers: Int, features: Set<String> = [], key: DispatchKey) {
        self.name = name
        self.bootID = bootID
        self.maxWorkers = maxWorkers
        self.features = features
        self.key = key
    }

    /// Answers that it owes, or will owe when its claims are durable.
    var outstanding: Int { unacknowledged + reserved + overdue + returned }

    /// What it offers, but never more than it has by its own word.
    var freeSlots: Int {
        guard !draining, hasAnswered, isRecorded, obeyedEpoch == nil else { return 0 }
        let offered = granted > sent ? Int(clamping: granted - sent) : 0
        return max(0, min(offered, maxWorkers - inFlight) - reserved)
    }
}

/// The workers, and those that were cut off a moment ago.
struct WorkerRoster {
    private(set) var workers: [ConnectionID: ConnectedWorker] = [:]
    /// By name: until when a cut connection's worker is waited for, and who it was.
    private(set) var disconnected: [String: (bootID: UniqueID, until: BootTime)] = [:]
    /// The clocks of worker processes, also of those that are disconnected: a process that comes back has the same one.
    private var clocks: [Process: WorkerClock] = [:]
    private static let clockLimit = 10_000

    private struct Process: Hashable {
        var name: String
        var bootID: UniqueID
    }

    /// The names in the last batch that told of them.
    private var told: Set<String> = []
    /// The names that are durable, and stay so whatever becomes of the batches on their way.
    private var recorded: Set<String> = []
    /// Somebody came or went since.
    private(set) var isRecordDue = false

    /// Calls that all workers together can run; one that came back before its old connection was seen to be dead counts once.
    var capacity: Int {
        var slots: [UniqueID: Int] = [:]
        for worker in workers.values where !worker.draining { slots[worker.bootID] = worker.maxWorkers }
        return slots.values.reduce(0, +)
    }

    subscript(link: ConnectionID) -> ConnectedWorker? {
        get { workers[link] }
        set {
            workers[link] = newValue
            if let name = newValue?.name { workers[link]!.isRecorded = recorded.contains(name) }
            isRecordDue = true
        }
    }

    /// The worker with a free slot that owes the fewest answers; of equals the one with most free slots, then the one that
    /// came first. Free slots are only a worker's word, and one that answers nothing may have given any: it gets no more than
    /// those that do answer leave unanswered at a time.
    var leastLoaded: ConnectionID? { leastLoaded(having: []) }

    /// The same among the workers that have these features.
    func leastLoaded(having features: Set<String>) -> ConnectionID? {
        var best: (link: ConnectionID, outstanding: Int, free: Int)?
        for (link, worker) in workers {
            let free = worker.freeSlots
            guard free > 0, features.isEmpty || features.isSubset(of: worker.features) else { continue }
            if let best, (best.outstanding, -best.free, best.link) < (worker.outstanding, -free, link) { continue }
            best = (link, worker.outstanding, free)
        }
        return best?.link
    }

    /// Whether every one that is connected has answered, and every one that bears such a name.
    func haveAllAnswered(besides names: Set<String>) -> Bool {
        guard workers.values.allSatisfy({ $0.hasAnswered }) else { return false }
        let connected = Set(workers.values.map(\.name))
        return names.isSubset(of: connected)
    }

    // MARK: Whom the next leader has to ask

    /// The names to write down, if they are others than before.
    mutating func namesToRecord(besides others: Set<String>) -> [String]? {
        isRecordDue = false
        let names = others.union(workers.values.map(\.name)).union(disconnected.keys)
        guard names != told else { return nil }
        told = names
        recorded.formIntersection(names)
        markRecorded()
        return names.sorted()
    }

    /// They are durable. One that is left out by a batch behind that one is not: it waits for the next.
    mutating func recorded(_ names: [String]) {
        recorded.formUnion(told.intersection(names))
        markRecorded()
    }

    /// What the leader before has written down.
    mutating func restoreRecorded(_ names: [String]) {
        (told, recorded) = (Set(names), Set(names))
        isRecordDue = true
        markRecorded()
    }

    /// Those that were waited for, and did not come, need not be asked again.
    mutating func forgetPendingReports() { isRecordDue = true }

    private mutating func markRecorded() {
        for link in workers.keys { workers[link]!.isRecorded = recorded.contains(workers[link]!.name) }
    }

    mutating func modify(_ link: ConnectionID, _ body: (inout ConnectedWorker) -> Void) {
        guard let index = workers.index(forKey: link) else { return }
        body(&workers.values[index])
    }

    mutating func workerDisconnected(_ name: String, bootID: UniqueID, until: BootTime) {
        disconnected[name] = (bootID, until)
        isRecordDue = true
    }

    /// Ends the waiting for a name; returns who was waited for.
    mutating func endReconnectWait(_ name: String) -> UniqueID? {
        isRecordDue = true
        return disconnected.removeValue(forKey: name)?.bootID
    }

    /// Names whose waiting is over.
    func overdue(at now: BootTime) -> [String] {
        disconnected.filter { $0.value.until <= now }.keys.sorted()
    }

    var wake: BootTime? { disconnected.values.map(\.until).min() }

    mutating func readClock(of link: ConnectionID, _ microseconds: UInt64, sentAt: BootTime, receivedAt: BootTime) {
        guard let worker = workers[link] else { return }
        let process = Process(name: worker.name, bootID: worker.bootID)
        if clocks.count >= Self.clockLimit, clocks[process] == nil {
            let connected = Set(workers.values.map { Process(name: $0.name, bootID: $0.bootID) })
            clocks = clocks.filter { connected.contains($0.key) }
        }
        clocks[process, default: WorkerClock()].read(microseconds, sentAt: sentAt, receivedAt: receivedAt)
    }

    /// When the worker's clock showed that, if anything is known of it.
    func bootTime(of link: ConnectionID, at microseconds: UInt64) -> BootTime? {
        guard let worker = workers[link] else { return nil }
        return clocks[Process(name: worker.name, bootID: worker.bootID)]?.bootTime(at: microseconds)
    }

    /// Another cluster key: the codes of all tokens change.
    mutating func setKeys(_ key: (ConnectedWorker) -> DispatchKey) {
        for link in workers.keys { workers[link]!.key = key(workers[link]!) }
    }

    /// The connected worker process that answered for the current epoch.
    func link(of name: String, _ bootID: UniqueID) -> ConnectionID? {
        workers.first {
            $0.value.hasAnswered && $0.value.name == name
                && ($0.value.bootID == bootID || InjectedFault.trustsAnyProcessAboutAClaim.isActive)
        }?.key
    }

    /// A new leader knows nothing of what it sent before.
    mutating func forgetAnswers() {
        for link in workers.keys {
            workers[link]!.hasAnswered = false
            workers[link]!.heldEpoch = nil
            workers[link]!.heldAt = nil
            workers[link]!.inFlight = 0
            workers[link]!.reserved = 0
            workers[link]!.unacknowledged = 0
        }
        disconnected = [:]
    }
}
