/// A worker's memory of started AT_MOST_ONCE calls: the latest attempt of each execution. An entry is kept for the call's
/// timeout plus one hour; the number of entries is limited.
///
/// An earlier attempt of a remembered execution counts as started. A leader can dispatch it again when the database has
/// lost the later attempt, whose request may have been sent.
struct AtMostOnceMemory {
    private struct Key {
        var execution: ExecutionID
        var attempt: Int
    }

    private struct Entry {
        var attempt: Int
        var token: DispatchToken
        var begunAt: BootTime
        var forgetAt: BootTime
        /// Without the response; the error message is shortened.
        var outcome: CallOutcome?
        /// Dispatches of this or an earlier attempt that wait for its end.
        var repeats: [WorkerEngine.Held] = []
    }

    /// The state of a remembered attempt.
    enum State {
        case running
        case ended(CallOutcome)
    }

    /// One entry takes about 250 bytes.
    static let limit = 100_000
    /// The maximum number of promised tokens: dispatches with these tokens will never start.
    static let promiseLimit = 10_000
    /// How many dispatches of one attempt can wait for its end.
    static let repeatLimit = 8
    /// How long a call is remembered after its timeout.
    static let keptMs: Int64 = 3_600_000

    private var entries: [ExecutionID: Entry] = [:]
    /// The attempts in the order of their start, including attempts that a later one has replaced.
    private var order: [Key] = []
    private var oldest = 0
    private var promises: [DispatchToken: BootTime] = [:]
    /// Every call started at or after this instant is remembered; `nil` before the first event.
    private var since: BootTime?

    var count: Int { entries.count }

    /// Called on the first event, before any call has started.
    mutating func begin(at now: BootTime) {
        if since == nil { since = now }
    }

    func rememberedMs(at now: BootTime) -> UInt64 {
        UInt64(clamping: since.map { now.milliseconds(since: $0) } ?? 0)
    }

    func knows(_ execution: ExecutionID, _ attempt: Int) -> Bool {
        guard !entries.isEmpty, let entry = entries[execution] else { return false }
        return entry.attempt >= attempt
    }

    func state(of execution: ExecutionID, _ attempt: Int) -> State? {
        guard let entry = entries[execution], entry.attempt >= attempt else { return nil }
        return entry.outcome.map { .ended($0) } ?? .running
    }

    mutating func began(
        _ execution: ExecutionID,
        _ attempt: Int,
        _ token: DispatchToken,
        timeoutMs: Int,
        at now: BootTime
    ) {
        forgetOld(at: now)
        while entries.count >= Self.limit { forgetOldest() }
        let forgetAt = now + (Int64(timeoutMs) + Self.keptMs)
        let repeats = entries[execution]?.repeats ?? []
        entries[execution] = Entry(
            attempt: attempt,
            token: token,
            begunAt: now,
            forgetAt: forgetAt,
            repeats: repeats
        )
        order.append(Key(execution: execution, attempt: attempt))
    }

    /// Returns the dispatches that waited for the end of this attempt.
    mutating func ended(_ outcome: CallOutcome, at now: BootTime) -> [WorkerEngine.Held] {
        let key = outcome.executionID
        guard entries[key]?.token == outcome.token else { return [] }
        var kept = outcome
        kept.response = nil
        kept.errorMessage = outcome.errorMessage.map { OutcomeCheck.clipped($0, to: 200) }
        entries[key]?.outcome = kept
        let repeats = entries[key]?.repeats ?? []
        entries[key]?.repeats = []
        return repeats
    }

    /// Adds a dispatch that waits for the end of its attempt. Returns false if the limit is reached.
    mutating func addRepeat(_ call: WorkerEngine.Held) -> Bool {
        guard let entry = entries[call.executionID], entry.attempt >= call.attempt,
            entry.repeats.count < Self.repeatLimit
        else { return false }
        entries[call.executionID]?.repeats.append(call)
        return true
    }

    /// Promises that a dispatch with this token will never start. Returns false if the promise could not be stored.
    mutating func promise(_ token: DispatchToken, at now: BootTime) -> Bool {
        if promises.count >= Self.promiseLimit { promises = promises.filter { $0.value > now } }
        guard promises.count < Self.promiseLimit else { return false }
        promises[token] = now + Self.keptMs
        return true
    }

    func isPromised(_ token: DispatchToken) -> Bool { !promises.isEmpty && promises[token] != nil }

    private mutating func forgetOld(at now: BootTime) {
        while oldest < order.count, (entry(of: order[oldest])?.forgetAt ?? now) <= now { forgetOldest() }
    }

    /// The entry of an attempt; `nil` if a later attempt has replaced it.
    private func entry(of key: Key) -> Entry? {
        entries[key.execution].flatMap { $0.attempt == key.attempt ? $0 : nil }
    }

    private mutating func forgetOldest() {
        guard oldest < order.count else { return }
        if let entry = entry(of: order[oldest]) {
            entries[order[oldest].execution] = nil
            since = max(since ?? entry.begunAt, BootTime(nanoseconds: entry.begunAt.nanoseconds &+ 1))
        }
        oldest += 1
        guard oldest > 4_096, oldest * 2 > order.count else { return }
        order.removeFirst(oldest)
        oldest = 0
    }
}
