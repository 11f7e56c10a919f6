/// An execution that is not over, as the leader keeps it.
struct OpenExecution {
    enum State: Equatable {
        /// Its row is in a batch that is not yet durable.
        case inserting
        /// Durable; waits for its time.
        case armed
        /// Due; waits for a free slot. A timer ends the waiting where there is a last time for its start.
        case ready
        /// AT_MOST_ONCE: the claim is in a batch, with a slot reserved.
        case claiming(LinkID)
        /// A worker has it.
        case dispatched(LinkID)
        /// A worker had it whose connection was cut; it may come back.
        case parted(worker: String)
        /// Taken over; nobody has said yet that he holds it.
        case inherited
        /// Waits for its next attempt.
        case retrying
        /// AT_MOST_ONCE: claimed once, held by nobody; becomes UNKNOWN at its time.
        case missing
        /// Its end is in a batch that is not yet durable.
        case recording

        /// Whether a timer ends it.
        var waitsForTime: Bool {
            switch self {
            case .armed, .retrying, .missing: true
            case .inserting, .ready, .claiming, .dispatched, .parted, .inherited, .recording: false
            }
        }
    }

    var execution: Execution
    var job: Int32
    var state: State
    /// What its row says, as far as is known.
    var rowStatus: ExecutionStatus = .pending
    /// Cluster time of the current dispatch, microseconds.
    var dispatchedMicroseconds: Int64 = 0
    /// Whether a cancel was asked for while a worker had it, and by what.
    var cancelReason: Reason?
    /// Taken over, and not dispatched since: a worker may still say that it holds it.
    var isAdoptable = false
    /// Its last attempt was given up with its worker, and no other has begun: the worker may still come and say how it went.
    var isLost = false
    /// Made from the gap: paced.
    var isCatchUp = false
    /// Its worker has said something of the current attempt: that it runs, or for how long already.
    var isHeard = false
    /// Its worker has said that the current attempt runs.
    var hasStarted = false
    /// When its current call must have been reported; `nil` when an earlier leader dispatched it.
    var deadline: BootTime?
    /// How often the current attempt came back without having been begun.
    var returns: UInt8 = 0
    /// Its worker has exceeded the attempt's timeout and was told to stop the call.
    var isOverdue = false
    /// The connection over which its worker was asked what it remembers of the claim.
    var queriedLink: LinkID?
    /// Someone waits for its end (ExecuteNow).
    var waiter: Ticket?
    /// Whether it is counted as open for its job.
    var countsAsOpen = false

    /// Whether an attempt was begun, as far as is known.
    var hasBegun: Bool { execution.attempts > 0 || execution.lostAttempts > 0 || rowStatus != .pending }

    /// Dispatched, running, or waiting for a retry (design § 3), in whatever queue or batch that waiting happens. A run by
    /// hand is open from the moment it is accepted: nothing else may start before it.
    var isOpen: Bool {
        switch state {
        case .claiming, .dispatched, .parted, .inherited, .retrying, .missing: true
        case .ready where Canary.forgetsRetriesInOverlap.sings, .recording where Canary.forgetsRetriesInOverlap.sings:
            false
        case .inserting, .armed, .ready: hasBegun || execution.trigger == .manual
        case .recording: !execution.status.isFinal
        }
    }

    /// The number that its current or next attempt has.
    var attemptNumber: Int { execution.attempts + 1 }
}

/// All executions that are not over, and the timers of those that wait for one.
struct ExecutionLedger {
    private var rows = Slab<OpenExecution>()
    private var slots: [ExecutionID: Int32] = [:]
    /// How many executions of schedules there are for a due time, of whatever job: who looks through a long outage asks this
    /// first, since to make an id is to hash.
    private var dueTimes: [Timestamp: Int32] = [:]
    private var timers = TimerHeap()
    /// In nanoseconds of boot time: when a call that a worker has must have been reported.
    private var deadlines = TimerHeap()
    private(set) var catchUpCount = 0

    var count: Int { slots.count }
    var timerCount: Int { timers.count }
    var allSlots: [Int32] { rows.slots }

    func slot(of id: ExecutionID) -> Int32? { slots[id] }

    /// Whether a due time of a job is there.
    func holds(_ time: Timestamp, of job: JobID) -> Bool {
        dueTimes[time] != nil && slots[ExecutionID(job: job, scheduledTime: time, trigger: .schedule)] != nil
    }

    subscript(slot: Int32) -> OpenExecution {
        get { rows[slot] }
        _modify { yield &rows[slot] }
    }

    /// Adds one that is not there yet.
    mutating func insert(_ open: OpenExecution) -> Int32 {
        let slot = rows.insert(open)
        slots[open.execution.id] = slot
        if open.execution.trigger == .schedule { dueTimes[open.execution.scheduledTime, default: 0] += 1 }
        if open.isCatchUp { catchUpCount += 1 }
        return slot
    }

    mutating func remove(_ slot: Int32) -> OpenExecution {
        timers.remove(slot)
        deadlines.remove(slot)
        let open = rows.remove(slot)
        slots[open.execution.id] = nil
        if open.execution.trigger == .schedule, let index = dueTimes.index(forKey: open.execution.scheduledTime) {
            dueTimes.values[index] -= 1
            if dueTimes.values[index] == 0 { dueTimes.remove(at: index) }
        }
        if open.isCatchUp { catchUpCount -= 1 }
        return open
    }

    mutating func removeAll() {
        self = ExecutionLedger()
    }

    mutating func setTimer(_ slot: Int32, to time: Timestamp) {
        timers.set(slot, to: time.milliseconds)
    }

    func timer(of slot: Int32) -> Timestamp? {
        timers.time(of: slot).map { Timestamp(milliseconds: $0) }
    }

    /// The time that the earliest id begins with.
    var earliestTime: Timestamp? { slots.keys.min()?.time }

    mutating func clearTimer(_ slot: Int32) {
        timers.remove(slot)
    }

    mutating func setDeadline(_ slot: Int32, at time: BootTime) {
        deadlines.set(slot, to: time.nanoseconds)
    }

    mutating func clearDeadline(_ slot: Int32) {
        deadlines.remove(slot)
    }

    var firstDeadline: BootTime? { deadlines.first.map { BootTime(nanoseconds: $0.time) } }

    /// The next whose deadline has come. It keeps its deadline.
    func firstOverdue(at now: BootTime) -> Int32? {
        guard let first = deadlines.first, first.time <= now.nanoseconds else { return nil }
        return first.key
    }

    var firstTimer: Timestamp? { timers.first.map { Timestamp(milliseconds: $0.time) } }

    /// What of it contradicts itself, for tests: indexes, counts, and timers of states that wait for none.
    var inconsistency: String? {
        guard rows.isConsistent, timers.isConsistent else { return "the ledger's table or heap is broken" }
        let taken = rows.slots
        guard slots.count == taken.count, taken.allSatisfy({ slots[rows[$0].execution.id] == $0 }) else {
            return "the ledger's index of executions is wrong"
        }
        let times = taken.map { rows[$0].execution }.filter { $0.trigger == .schedule }.map {
            ($0.scheduledTime, Int32(1))
        }
        guard dueTimes == Dictionary(times, uniquingKeysWith: +) else { return "due times are counted wrongly" }
        guard catchUpCount == taken.count(where: { rows[$0].isCatchUp }) else { return "catch-ups are counted wrongly" }
        guard timers.count == taken.count(where: { timers.time(of: $0) != nil }) else {
            return "a timer has no execution"
        }
        guard deadlines.isConsistent, deadlines.count == taken.count(where: { deadlines.time(of: $0) != nil }) else {
            return "a deadline has no execution"
        }
        for slot in taken {
            let open = rows[slot]
            let isDispatched = if case .dispatched = open.state { true } else { false }
            guard isDispatched == (deadlines.time(of: slot) != nil) else {
                return "\(open.execution.id) is \(open.state), and has \(isDispatched ? "no" : "a") deadline"
            }
            // Whether a ready one has a timer is for the dispatcher to say (`startTimerInconsistency`).
            guard open.state == .ready || open.state.waitsForTime == (timers.time(of: slot) != nil) else {
                return "\(open.execution.id) is \(open.state), and has \(open.state.waitsForTime ? "no" : "a") timer"
            }
            guard open.countsAsOpen == open.isOpen else { return "\(open.execution.id) is counted as open wrongly" }
            guard open.state == .recording || !open.execution.status.isFinal else {
                return "\(open.execution.id) is \(open.state), though it is \(open.execution.status)"
            }
        }
        return nil
    }

    /// The next whose timer has come.
    mutating func popDue(at now: Timestamp) -> Int32? {
        guard let first = timers.first, first.time <= now.milliseconds else { return nil }
        return timers.popFirst()?.key
    }
}

/// Due executions that wait for a free slot: by priority, then by due time, then in order of arrival.
struct ReadyQueue {
    private struct Entry {
        var priority: Int32
        var time: Int64
        var order: UInt64
        var slot: Int32
        var id: ExecutionID

        func precedes(_ other: Entry) -> Bool {
            if priority != other.priority { return priority > other.priority }
            return time != other.time ? time < other.time : order < other.order
        }
    }

    private var heap: [Entry] = []
    private var order: UInt64 = 0

    var count: Int { heap.count }
    var isEmpty: Bool { heap.isEmpty }

    mutating func push(_ slot: Int32, id: ExecutionID, priority: Int32, time: Timestamp) {
        order += 1
        heap.append(Entry(priority: priority, time: time.milliseconds, order: order, slot: slot, id: id))
        var position = heap.count - 1
        while position > 0 {
            let parent = (position - 1) / 2
            guard heap[position].precedes(heap[parent]) else { break }
            heap.swapAt(position, parent)
            position = parent
        }
    }

    /// Removes and returns the first. It may have been cancelled or taken elsewhere meanwhile: the caller looks.
    mutating func pop() -> (slot: Int32, id: ExecutionID)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var position = 0
            while true {
                var best = position
                for child in position * 2 + 1...position * 2 + 2
                where child < heap.count && heap[child].precedes(heap[best]) {
                    best = child
                }
                if best == position { break }
                heap.swapAt(position, best)
                position = best
            }
        }
        return (first.slot, first.id)
    }

    mutating func removeAll() {
        heap.removeAll()
    }

    /// Everything that is in line, also what has left it by another way; for tests.
    var entries: [(slot: Int32, id: ExecutionID)] { heap.map { ($0.slot, $0.id) } }

    /// Whether no entry precedes the one above it; for tests.
    var isConsistent: Bool {
        heap.indices.dropFirst().allSatisfy { !heap[$0].precedes(heap[($0 - 1) / 2]) }
    }
}
