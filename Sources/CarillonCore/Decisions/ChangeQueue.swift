/// Changes of jobs: at most one staged change a job, and the requests that wait for it, in the order in which they came.
struct ChangeQueue {
    /// A request that waits for its turn.
    enum Request {
        /// A client's; without a request id, when the client was told already that the outcome is unknown.
        case asked(ChangeRequest, RequestID?)
        /// A row of `jobs` that a re-read found.
        case found(PlannedJob)
    }

    private var staged: [JobID: StagedChange] = [:]
    private var waiting: [JobID: [Request]] = [:]
    /// Staged changes whose new definition has missed times.
    private var missedCount = 0
    /// Rows that a re-read found and that are not compared yet. Each turn takes some, so that no batch grows too large.
    private var found: [PlannedJob] = []
    /// How many of them are taken in.
    private var foundCount = 0
    /// Cancel requests that wait for the end of their execution.
    var cancels: [PendingCancel] = []

    var isEmpty: Bool { staged.isEmpty && waiting.isEmpty }

    /// Whether a request for the job has to wait.
    func isBusy(_ job: JobID) -> Bool { staged[job] != nil || waiting[job] != nil }

    /// Whether a catch-up has to stay open for a job whose definition is not yet known.
    var hasMissedTimes: Bool { missedCount > 0 }

    /// Rows of a staged change begin after its `effective_from`; the earliest of all.
    var earliestRestart: Timestamp? { staged.values.lazy.compactMap(\.restartedAt).min() }

    subscript(job: JobID) -> StagedChange? { staged[job] }

    // MARK: The staged change

    mutating func stage(_ change: StagedChange) {
        precondition(staged[change.record.id] == nil, "a second change of job \(change.record.id) was staged")
        staged[change.record.id] = change
    }

    /// Ends a staged change, by its commit or its refusal.
    mutating func unstage(_ job: JobID) -> StagedChange? {
        guard let change = staged.removeValue(forKey: job) else { return nil }
        if change.hasMissedTimes { missedCount -= 1 }
        return change
    }

    mutating func setThrough(_ time: Timestamp, of job: JobID) { staged[job]?.through = time }

    /// Takes note of a held execution that left the ready queue.
    mutating func setAside(_ slot: Int32, _ id: ExecutionID, of job: JobID) {
        staged[job]?.setAside.append((slot, id))
    }

    /// An outage was noticed: what the new definitions have missed in it is decided once they are durable.
    mutating func noteMissedTimes() {
        for (job, change) in staged where change.restartedAt != nil && !change.hasMissedTimes {
            staged[job]?.hasMissedTimes = true
            missedCount += 1
        }
    }

    mutating func clockWentBack(to now: Timestamp) {
        for job in staged.keys { staged[job]?.clockWentBack(to: now) }
    }

    // MARK: Rows that a re-read found

    private static var foundJobsLimit: Int { 1_000 }
    private static var foundBytesLimit: Int { 4 << 20 }

    mutating func noteFound(_ jobs: [PlannedJob]) { found.append(contentsOf: jobs) }

    /// As many found rows as a batch should hold.
    mutating func takeFound() -> [PlannedJob] {
        let begin = foundCount
        var bytes = 0
        while foundCount < found.count, foundCount - begin < Self.foundJobsLimit, bytes < Self.foundBytesLimit {
            bytes += found[foundCount].job.call.body?.utf8.count ?? 0
            foundCount += 1
        }
        let taken = Array(found[begin..<foundCount])
        if foundCount == found.count { (found, foundCount) = ([], 0) }
        return taken
    }

    // MARK: Requests that wait

    mutating func enqueue(_ request: Request, for job: JobID) {
        waiting[job, default: []].append(request)
    }

    /// The job's next request, if no change of the job is staged.
    mutating func dequeue(_ job: JobID) -> Request? {
        guard staged[job] == nil, var requests = waiting.removeValue(forKey: job) else { return nil }
        let first = requests.removeFirst()
        if !requests.isEmpty { waiting[job] = requests }
        return first
    }

    /// Whether a client waits for an answer to a request that waits.
    var hasRequestIDs: Bool {
        waiting.values.contains { requests in
            requests.contains { if case .asked(_, .some) = $0 { true } else { false } }
        }
    }

    /// The request ids of the requests that wait, in ascending order. The requests keep their turn; nobody is told again.
    mutating func takeRequestIDs() -> [RequestID] {
        var requestIDs: [RequestID] = []
        for (job, requests) in waiting {
            waiting[job] = requests.map { request in
                guard case .asked(let asked, let requestID?) = request else { return request }
                requestIDs.append(requestID)
                return .asked(asked, nil)
            }
        }
        return requestIDs.sorted()
    }

    /// The first violated invariant; `nil` if there is none.
    ///
    /// - Parameter written: the jobs of the staged changes in all batches.
    func inconsistency(written: [JobID]) -> String? {
        guard written.count == staged.count, written.allSatisfy({ staged[$0] != nil }) else {
            return "\(staged.count) changes are staged, and \(written.count) are in a batch"
        }
        if let job = waiting.keys.first(where: { staged[$0] == nil }) {
            return "requests for job \(job) wait, and no change of the job is staged"
        }
        guard missedCount == staged.values.count(where: { $0.hasMissedTimes }) else {
            return "staged changes that have missed times are counted wrongly"
        }
        return nil
    }
}
