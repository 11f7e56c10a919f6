/// Changes of jobs: at most one staged change per job, and the requests that wait for it, in order of arrival.
struct ChangeQueue {
    /// A request that waits for an earlier change of its job.
    enum Request {
        /// A client's request. The request id is missing if the client was already answered with "outcome unknown".
        case asked(ChangeRequest, RequestID?)
        /// A row of `jobs` found by a re-read.
        case found(PlannedJob)
    }

    private var staged: [JobID: StagedChange] = [:]
    private var waiting: [JobID: [Request]] = [:]
    /// The number of staged changes whose new definition has missed times.
    private var missedCount = 0
    /// Rows found by a re-read and not compared yet. Each turn takes only some of them, to limit the size of a batch.
    private var found: [PlannedJob] = []
    /// The number of rows in `found` that were already taken.
    private var foundCount = 0
    /// Cancel requests that wait for the end of their execution.
    var cancels: [PendingCancel] = []

    var isEmpty: Bool { staged.isEmpty && waiting.isEmpty }

    /// Whether a new request for the job must wait.
    func isBusy(_ job: JobID) -> Bool { staged[job] != nil || waiting[job] != nil }

    /// Whether catch-up must stay open for a job whose new definition is not durable yet.
    var hasMissedTimes: Bool { missedCount > 0 }

    /// The earliest `effective_from` of all staged changes; their rows begin after it.
    var earliestRestart: Timestamp? { staged.values.lazy.compactMap(\.restartedAt).min() }

    subscript(job: JobID) -> StagedChange? { staged[job] }

    // MARK: The staged change

    mutating func stage(_ change: StagedChange) {
        precondition(staged[change.record.id] == nil, "a second change of job \(change.record.id) was staged")
        staged[change.record.id] = change
    }

    /// Removes a staged change after its commit or refusal.
    mutating func unstage(_ job: JobID) -> StagedChange? {
        guard let change = staged.removeValue(forKey: job) else { return nil }
        if change.hasMissedTimes { missedCount -= 1 }
        return change
    }

    mutating func setThrough(_ time: Timestamp, of job: JobID) { staged[job]?.through = time }

    /// Remembers an execution that left the ready queue because its job is held.
    mutating func setAside(_ slot: Int32, _ id: ExecutionID, of job: JobID) {
        staged[job]?.setAside.append((slot, id))
    }

    /// An outage opened. The missed times of new definitions are determined when the definitions are durable.
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

    /// The next found rows, limited to what one batch should contain.
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

    /// The next request of the job, if no change of the job is staged.
    mutating func dequeue(_ job: JobID) -> Request? {
        guard staged[job] == nil, var requests = waiting.removeValue(forKey: job) else { return nil }
        let first = requests.removeFirst()
        if !requests.isEmpty { waiting[job] = requests }
        return first
    }

    /// Whether any waiting request has a client that waits for an answer.
    var hasRequestIDs: Bool {
        waiting.values.contains { requests in
            requests.contains { if case .asked(_, .some) = $0 { true } else { false } }
        }
    }

    /// Removes and returns the request ids of waiting requests, in ascending order. The requests stay queued without an
    /// id, so that no client is answered twice.
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
