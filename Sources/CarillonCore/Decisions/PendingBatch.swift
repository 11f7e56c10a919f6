/// The batch that grows while another is being written, with what is to be done once it is durable.
struct PendingBatch {
    /// A change with the way to answer it.
    struct Change {
        /// Its inserts are in the execution table already: a manual run, or due times of the definition that the change ends.
        var change: JobChange
        var requestID: RequestID?
        /// What the answer is once it is durable; `nil` leaves the request id open (it waits for the execution's end).
        var result: ChangeResult?
        /// Whether the change of the job is staged: the job's record is replaced once this is durable.
        var isStaged = false
        /// Rows of the new definition, set when the batch is sent. They enter the execution table once they are durable.
        var rows: [Execution] = []
        /// Executions that end with the change, as they will be; set when the batch is sent.
        var ends: [Execution] = []

        /// What the transaction writes.
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
        /// Whom to tell that it is durable.
        var link: ConnectionID?
        var token: DispatchToken?
        var result = AckResult.recorded
        /// Who waits for it to be durable (a cancel).
        var requestID: RequestID?
    }

    var changes: [Change] = []
    var withdrawals: [ExecutionID] = []
    var inserts: [Execution] = []
    /// Claims of AT_MOST_ONCE executions, and calls that run for long.
    var starts: [ExecutionStart] = []
    var updates: [Update] = []
    /// Somebody waits for one of the updates.
    var hasWaiter = false
    var materializedThrough: Timestamp?
    var settledThrough: Timestamp?
    var outage: Outage??
    /// The outage reading that waits for this batch: what was made or withdrawn before the outage opened must be seen by it.
    var outageScan: UInt64?
    var workers: [String]?

    mutating func add(_ change: Change) {
        changes.append(change)
    }

    /// Adds the row of an occurrence.
    mutating func add(insert row: Execution) {
        inserts.append(row)
    }

    /// Whether somebody waits for one of its changes.
    var hasRequestIDs: Bool {
        changes.contains { $0.requestID != nil && $0.result != nil } || updates.contains { $0.requestID != nil }
    }

    /// Those who wait for its changes; they are not told again.
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

    /// What a planted bug does.
    mutating func answerAtOnce(_ requestID: RequestID, into actions: inout [Action]) {
        guard let last = changes.indices.last, changes[last].requestID == requestID, let result = changes[last].result
        else {
            return
        }
        changes[last].requestID = nil
        actions.append(.reply(requestID, result))
    }

    /// Takes out rows that are not to be made after all.
    mutating func dropInserts(where isDropped: (Execution) -> Bool) {
        inserts.removeAll(where: isDropped)
        for index in changes.indices { changes[index].change.inserts.removeAll(where: isDropped) }
    }

    /// The jobs of the staged changes.
    var stagedJobs: [JobID] { changes.lazy.filter(\.isStaged).compactMap(\.change.job?.id) }

    var isEmpty: Bool { hasNoRows && !hasMarks }

    /// Whether it writes nothing but marks.
    var hasNoRows: Bool {
        changes.isEmpty && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && updates.isEmpty
    }

    /// Whether it changes what `shards` says, or something waits for what that says to be durable.
    var hasMarks: Bool {
        materializedThrough != nil || settledThrough != nil || outage != nil || outageScan != nil || workers != nil
    }

    /// Whether it tells only what has become of calls, and nobody waits for that: nothing is held up by it.
    var mayWait: Bool {
        !hasWaiter && changes.isEmpty && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && !hasMarks
    }

    var rowCount: Int {
        withdrawals.count + inserts.count + starts.count + updates.count
            + changes.reduce(0) { $0 + 1 + $1.change.inserts.count }
    }

    /// The transaction that writes it.
    func batch(sequence: UInt64, owner: UniqueID, epoch: Int64) -> WriteBatch {
        var batch = WriteBatch(sequence: sequence, owner: owner, epoch: epoch)
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

    /// Moves the marks of a refused batch into this one, which is written after all parts of the refused one: no mark may
    /// pass a row that is not yet made.
    ///
    /// - Parameters:
    ///   - materializedThrough: the mark as it is now. The clock may have gone back since the batch was sent.
    ///   - settledThrough: likewise.
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

    /// Smaller batches that together write the same rows in the order of the one transaction: what is made before the changes,
    /// each change alone, then what becomes of executions. `nil` when one row is left. Marks are not in them.
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

    /// A batch for each kind of row that there is.
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
