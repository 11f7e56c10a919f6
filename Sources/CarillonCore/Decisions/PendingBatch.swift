/// The batch that collects writes while another is in flight, with the actions to take when it is durable.
struct PendingBatch {
    /// A change and the request that it answers.
    struct Change {
        /// The inserts are already in the execution table: a manual run, or due times of the old definition.
        var change: JobChange
        var requestID: RequestID?
        /// The answer after the commit; `nil` leaves the request open until its execution ends.
        var result: ChangeResult?
        /// Whether the change is staged: the job's record is replaced when the change is durable.
        var isStaged = false
        /// Rows of the new definition, set when the batch is sent. They enter the execution table when they are
        /// durable.
        var rows: [Execution] = []
        /// Final states of executions that end with the change; set when the batch is sent.
        var ends: [Execution] = []

        /// The content of the transaction.
        var written: JobChange {
            guard !rows.isEmpty else { return change }
            var written = change
            written.inserts += rows
            return written
        }
    }

    /// The end of an attempt, or of an execution.
    struct Update {
        var execution: Execution
        var attempt: Attempt?
        /// The connection to notify when the update is durable.
        var link: ConnectionID?
        var token: DispatchToken?
        var result = AckResult.recorded
        /// The cancel request to answer when the update is durable.
        var requestID: RequestID?
    }

    var changes: [Change] = []
    var withdrawals: [ExecutionID] = []
    var inserts: [Execution] = []
    /// Claims of AT_MOST_ONCE executions, and starts of long-running calls.
    var starts: [ExecutionStart] = []
    var updates: [Update] = []
    /// Whether a client waits for one of the updates.
    var hasWaiter = false
    var materializedThrough: Timestamp?
    var settledThrough: Timestamp?
    var outage: Outage??
    /// The outage scan that waits for this batch: the scan must see all rows inserted or withdrawn before the outage
    /// opened.
    var outageScan: UInt64?
    var workers: [String]?

    mutating func add(_ change: Change) {
        changes.append(change)
    }

    /// Adds the row of an occurrence.
    mutating func add(insert row: Execution) {
        inserts.append(row)
    }

    /// Whether a client waits for one of the changes.
    var hasRequestIDs: Bool {
        changes.contains { $0.requestID != nil && $0.result != nil } || updates.contains { $0.requestID != nil }
    }

    /// Removes and returns the request ids of all changes, so that no client is answered twice.
    mutating func takeRequestIDs() -> [RequestID] {
        guard hasRequestIDs else { return [] }
        var requestIDs: [RequestID] = []
        for index in changes.indices where changes[index].result != nil {
            if let requestID = changes[index].requestID { requestIDs.append(requestID) }
            changes[index].requestID = nil
        }
        for index in updates.indices {
            if let requestID = updates[index].requestID { requestIDs.append(requestID) }
            updates[index].requestID = nil
        }
        return requestIDs
    }

    /// An injected fault: answers before the commit.
    mutating func answerAtOnce(_ requestID: RequestID, into actions: inout [Action]) {
        guard let last = changes.indices.last, changes[last].requestID == requestID, let result = changes[last].result
        else {
            return
        }
        changes[last].requestID = nil
        actions.append(.reply(requestID, result))
    }

    /// Removes inserts that are no longer wanted.
    mutating func dropInserts(where isDropped: (Execution) -> Bool) {
        inserts.removeAll(where: isDropped)
        for index in changes.indices { changes[index].change.inserts.removeAll(where: isDropped) }
    }

    /// The jobs of the staged changes.
    var stagedJobs: [JobID] { changes.lazy.filter(\.isStaged).compactMap(\.change.job?.id) }

    var isEmpty: Bool { hasNoRows && !hasMarks }

    /// Whether the batch writes at most marks.
    var hasNoRows: Bool {
        changes.isEmpty && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && updates.isEmpty
    }

    /// Whether the batch changes `shards`, or an action waits for that change.
    var hasMarks: Bool {
        materializedThrough != nil || settledThrough != nil || outage != nil || outageScan != nil || workers != nil
    }

    /// Whether the batch can be delayed: it has only outcomes, and no client waits for them.
    var mayWait: Bool {
        !hasWaiter && changes.isEmpty && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && !hasMarks
    }

    var rowCount: Int {
        withdrawals.count + inserts.count + starts.count + updates.count
            + changes.reduce(0) { $0 + 1 + $1.change.inserts.count }
    }

    /// The transaction for this batch. `committedSequence` is the last batch that is known to be durable.
    func batch(sequence: UInt64, after committedSequence: UInt64, owner: UniqueID, epoch: Int64) -> WriteBatch {
        var batch = WriteBatch(sequence: sequence, owner: owner, epoch: epoch)
        batch.committedSequence = committedSequence
        batch.materializedThrough = materializedThrough
        batch.settledThrough = settledThrough
        batch.outage = outage
        batch.workers = workers
        batch.changes = changes.map(\.written)
        batch.withdrawals = withdrawals
        batch.inserts = inserts
        batch.starts = starts
        batch.updates = updates.map(\.execution)
        for change in changes { batch.updates += change.ends }
        batch.attempts = updates.compactMap(\.attempt)
        return batch
    }

    /// Moves the marks of a refused batch into this one, which is written after all parts of the refused batch. A mark
    /// must never pass a row that is not inserted yet.
    ///
    /// - Parameters:
    ///   - materializedThrough: the current mark. The clock may have stepped back since the batch was sent.
    ///   - settledThrough: the current lower bound of open executions.
    mutating func takeMarks(
        of refused: inout PendingBatch,
        materializedThrough: Timestamp,
        settledThrough: Timestamp
    ) {
        if refused.materializedThrough != nil { self.materializedThrough = materializedThrough }
        if refused.settledThrough != nil { self.settledThrough = settledThrough }
        outage = outage ?? refused.outage
        outageScan = outageScan ?? refused.outageScan
        workers = workers ?? refused.workers
        refused.materializedThrough = nil
        refused.settledThrough = nil
        refused.outage = nil
        refused.outageScan = nil
        refused.workers = nil
    }

    /// Smaller batches that write the same rows in the same order: rows before the changes, each change alone, then
    /// updates. `nil` if one row is left. Marks are not included.
    func split() -> [PendingBatch]? {
        guard !changes.isEmpty else {
            let parts = kinds.count > 1 ? kinds : halves
            return parts.count > 1 ? parts : nil
        }
        var (made, ended) = (PendingBatch(), PendingBatch())
        (made.withdrawals, made.inserts) = (withdrawals, inserts)
        (ended.starts, ended.updates) = (starts, updates)
        var parts = changes.map { change in
            var part = PendingBatch()
            part.changes = [change]
            return part
        }
        if !made.isEmpty { parts.insert(made, at: 0) }
        if !ended.isEmpty { parts.append(ended) }
        return parts.count > 1 ? parts : nil
    }

    /// One batch for each kind of row.
    private var kinds: [PendingBatch] {
        var kinds = Array(repeating: PendingBatch(), count: 4)
        kinds[0].withdrawals = withdrawals
        kinds[1].inserts = inserts
        kinds[2].starts = starts
        kinds[3].updates = updates
        return kinds.filter { !$0.isEmpty }
    }

    private var halves: [PendingBatch] {
        var (first, second) = (PendingBatch(), PendingBatch())
        (first.withdrawals, second.withdrawals) = Self.halves(withdrawals)
        (first.inserts, second.inserts) = Self.halves(inserts)
        (first.starts, second.starts) = Self.halves(starts)
        (first.updates, second.updates) = Self.halves(updates)
        return [first, second].filter { !$0.isEmpty }
    }

    private static func halves<Row>(_ rows: [Row]) -> ([Row], [Row]) {
        let middle = (rows.count + 1) / 2
        return (Array(rows[..<middle]), Array(rows[middle...]))
    }
}
