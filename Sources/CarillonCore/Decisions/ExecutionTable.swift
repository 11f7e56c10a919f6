/// All open executions, and the timers of those that wait for a time.
struct ExecutionTable: ~Copyable {
    private var rows = SlotMap<OpenExecution>()
    private var slots: [ExecutionID: Int32] = [:]
    /// The number of scheduled executions per due time, of all jobs. Checked first in a long outage, because computing
    /// an execution id requires a hash.
    private var dueTimes: [Timestamp: Int32] = [:]
    private var timers = TimerHeap()
    /// The deadlines for the reports of dispatched calls, in nanoseconds of boot time.
    private var deadlines = TimerHeap()
    private var byJob = NumberedSlotLists()
    private var byHolder = SlotLists<OpenExecution.Holder>()
    private(set) var catchUpCount = 0

    var count: Int { slots.count }
    var timerCount: Int { timers.count }
    var allSlots: [Int32] { rows.slots }

    func slot(of id: ExecutionID) -> Int32? { slots[id] }

    /// The executions of a job.
    func slots(ofJob job: Int32) -> [Int32] { byJob.slots(under: job) }

    /// The executions that a worker has, had, or may have had.
    func slots(heldBy holder: OpenExecution.Holder) -> [Int32] { byHolder.slots(under: holder) }

    /// Whether a job has an execution for this due time.
    func holds(_ time: Timestamp, of job: JobID) -> Bool {
        dueTimes[time] != nil && slots[ExecutionID(job: job, scheduledTime: time, trigger: .schedule)] != nil
    }

    subscript(slot: Int32) -> OpenExecution {
        unsafeAddress { UnsafePointer(rows.address(of: slot)) }
        unsafeMutableAddress { rows.address(of: slot) }
    }

    /// Adds an execution that is not in the table.
    mutating func insert(_ open: OpenExecution) -> Int32 {
        let slot = rows.insert(open)
        slots[open.execution.id] = slot
        if open.execution.trigger == .schedule { dueTimes[open.execution.scheduledTime, default: 0] += 1 }
        if open.isCatchUp { catchUpCount += 1 }
        byJob.insert(slot, under: open.job)
        if let holder = open.state.holder { byHolder.insert(slot, under: holder) }
        return slot
    }

    /// Sets the state of an execution, which determines its holder.
    mutating func setState(_ slot: Int32, _ state: OpenExecution.State) {
        let (before, after) = (rows[slot].state.holder, state.holder)
        rows[slot].state = state
        guard before != after else { return }
        if let before { byHolder.remove(slot, under: before) }
        if let after { byHolder.insert(slot, under: after) }
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
        byJob.remove(slot, under: open.job)
        if let holder = open.state.holder { byHolder.remove(slot, under: holder) }
        return open
    }

    mutating func removeAll() {
        self = ExecutionTable()
    }

    mutating func setTimer(_ slot: Int32, to time: Timestamp) {
        timers.set(slot, to: time.milliseconds)
    }

    func timer(of slot: Int32) -> Timestamp? {
        timers.time(of: slot).map { Timestamp(milliseconds: $0) }
    }

    /// The time encoded in the earliest id.
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

    /// The next execution with an expired deadline. The deadline stays set.
    func firstOverdue(at now: BootTime) -> Int32? {
        guard let first = deadlines.first, first.time <= now.nanoseconds else { return nil }
        return first.key
    }

    var firstTimer: Timestamp? { timers.first.map { Timestamp(milliseconds: $0.time) } }

    /// The first inconsistency of indexes, counts or timers; `nil` if there is none. For tests.
    var inconsistency: String? {
        guard rows.isConsistent, timers.isConsistent else {
            return "the rows or the heap of the execution table are broken"
        }
        let taken = rows.slots
        guard slots.count == taken.count, taken.allSatisfy({ slots[rows[$0].execution.id] == $0 }) else {
            return "the execution table's index of executions is wrong"
        }
        let times = taken.map { rows[$0].execution }.filter { $0.trigger == .schedule }.map {
            ($0.scheduledTime, Int32(1))
        }
        guard dueTimes == Dictionary(times, uniquingKeysWith: +) else { return "due times are counted wrongly" }
        guard catchUpCount == taken.count(where: { rows[$0].isCatchUp }) else { return "catch-ups are counted wrongly" }
        if let inconsistency = indexInconsistency(taken) { return inconsistency }
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
                return "\(open.execution.id) is \(open.state), but has \(isDispatched ? "no" : "a") deadline"
            }
            // `startTimerInconsistency` checks the timers of ready executions.
            guard open.state == .ready || open.state.waitsForTime == (timers.time(of: slot) != nil) else {
                return "\(open.execution.id) is \(open.state), but has \(open.state.waitsForTime ? "no" : "a") timer"
            }
            guard open.countsAsOpen == open.isOpen else { return "\(open.execution.id) is counted as open wrongly" }
            guard open.state == .recording || !open.execution.status.isFinal else {
                return "\(open.execution.id) is \(open.state), but its status is \(open.execution.status)"
            }
        }
        return nil
    }

    private func indexInconsistency(_ taken: [Int32]) -> String? {
        let jobs = Dictionary(grouping: taken) { rows[$0].job }
        guard jobs.count == byJob.keys.count, jobs.allSatisfy({ byJob.slots(under: $0.key) == $0.value }) else {
            return "the index of executions by job is wrong"
        }
        let held = taken.filter { rows[$0].state.holder != nil }
        let holders = Dictionary(grouping: held) { rows[$0].state.holder ?? .unassigned }
        guard holders.count == byHolder.keys.count, holders.allSatisfy({ byHolder.slots(under: $0.key) == $0.value })
        else { return "the index of executions by worker is wrong" }
        return nil
    }

    /// Removes and returns the next execution whose timer has expired.
    mutating func popDue(at now: Timestamp) -> Int32? {
        guard let first = timers.first, first.time <= now.milliseconds else { return nil }
        return timers.popFirst()?.key
    }
}
