/// A connected worker.
struct ConnectedWorker {
    var name: String
    var bootID: UniqueID
    var maxWorkers: Int
    /// The optional features announced in the worker's Hello.
    var features: Set<String>
    /// The total number of calls that the worker accepts on this connection, from its last Credit.
    var granted: UInt64 = 0
    var sent: UInt64 = 0
    /// Slots reserved for claims that are not durable yet.
    var reserved = 0
    var inFlight = 0
    /// Calls sent to the worker about which it has reported nothing yet.
    var unacknowledged = 0
    /// Whether the worker's name is durable, so that the next leader will ask it.
    var isRecorded = false
    var draining = false
    /// The epoch for which the worker reported its held calls. Its outcomes and its credit follow.
    var heldEpoch: Int64?
    /// When the worker reported its held calls.
    var heldAt: BootTime?
    /// Whether the worker answered our Lead.
    var hasAnswered = false
    /// The later epoch that the worker accepts instead of ours, until it answers our Lead.
    var obeyedEpoch: Int64?
    /// Calls that the worker did not report in time. They count as unacknowledged, so that other workers are preferred.
    var overdue = 0
    /// Calls returned since the worker's last outcome while it was not draining.
    var returned = 0
    /// The key for the codes of the worker's dispatch tokens.
    var key: DispatchKey

    init(name: String, bootID: UniqueID, maxWorkers: Int, features: Set<String> = [], key: DispatchKey) {
        self.name = name
        self.bootID = bootID
        self.maxWorkers = maxWorkers
        self.features = features
        self.key = key
    }

    /// The number of outstanding answers, including those of claims that are not durable yet.
    var outstanding: Int { unacknowledged + reserved + overdue + returned }

    /// The offered slots, at most as many as the worker has free by its own report.
    var freeSlots: Int {
        guard !draining, hasAnswered, isRecorded, obeyedEpoch == nil else { return 0 }
        let offered = granted > sent ? Int(clamping: granted - sent) : 0
        return max(0, min(offered, maxWorkers - inFlight) - reserved)
    }
}

/// The connected workers, and those that disconnected recently.
struct WorkerRoster {
    private(set) var workers: [ConnectionID: ConnectedWorker] = [:]
    /// Recently disconnected workers by name: the boot id and the end of the wait for a reconnect.
    private(set) var disconnected: [String: (bootID: UniqueID, until: BootTime)] = [:]
    /// The clocks of worker processes, including disconnected ones: a process that reconnects has the same clock.
    private var clocks: [Process: WorkerClock] = [:]
    private static let clockLimit = 10_000

    private struct Process: Hashable {
        var name: String
        var bootID: UniqueID
    }

    /// The names in the last batch with worker names.
    private var told: Set<String> = []
    /// Names that are durable and stay so with any batch in flight.
    private var recorded: Set<String> = []
    /// Whether a worker connected or disconnected since the last record.
    private(set) var isRecordDue = false

    /// The total number of slots of all workers. A process with two connections counts once.
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

    /// The worker with a free slot and the fewest outstanding answers; of equals the one with most free slots, then the
    /// oldest connection. The number of free slots is not trusted: a worker that never answers gets few calls.
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

    /// Whether all connected workers have answered, and all named workers are connected and have answered.
    func haveAllAnswered(besides names: Set<String>) -> Bool {
        guard workers.values.allSatisfy({ $0.hasAnswered }) else { return false }
        let connected = Set(workers.values.map(\.name))
        return names.isSubset(of: connected)
    }

    // MARK: Names of workers that the next leader has to ask

    /// The names to store, if they have changed.
    mutating func namesToRecord(besides others: Set<String>) -> [String]? {
        isRecordDue = false
        let names = others.union(workers.values.map(\.name)).union(disconnected.keys)
        guard names != told else { return nil }
        told = names
        recorded.formIntersection(names)
        markRecorded()
        return names.sorted()
    }

    /// The names are durable. A name that a later batch omits is not; it waits for the next batch.
    mutating func recorded(_ names: [String]) {
        recorded.formUnion(told.intersection(names))
        markRecorded()
    }

    /// Restores the names stored by the previous leader.
    mutating func restoreRecorded(_ names: [String]) {
        (told, recorded) = (Set(names), Set(names))
        isRecordDue = true
        markRecorded()
    }

    /// Ends the wait for workers that did not connect: the next record omits them.
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

    /// Ends the wait for a worker's reconnect. Returns its boot id.
    mutating func endReconnectWait(_ name: String) -> UniqueID? {
        isRecordDue = true
        return disconnected.removeValue(forKey: name)?.bootID
    }

    /// The names whose wait has expired.
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

    /// The boot time of a reading of the worker's clock, if its offset is known.
    func bootTime(of link: ConnectionID, at microseconds: UInt64) -> BootTime? {
        guard let worker = workers[link] else { return nil }
        return clocks[Process(name: worker.name, bootID: worker.bootID)]?.bootTime(at: microseconds)
    }

    /// Sets new keys after a change of the cluster key: the codes of all tokens change.
    mutating func setKeys(_ key: (ConnectedWorker) -> DispatchKey) {
        for link in workers.keys { workers[link]!.key = key(workers[link]!) }
    }

    /// The connection of the worker process, if it answered for the current epoch.
    func link(of name: String, _ bootID: UniqueID) -> ConnectionID? {
        workers.first {
            $0.value.hasAnswered && $0.value.name == name
                && ($0.value.bootID == bootID || InjectedFault.trustsAnyProcessAboutAClaim.isActive)
        }?.key
    }

    /// Resets the state of all workers for a new leadership.
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
