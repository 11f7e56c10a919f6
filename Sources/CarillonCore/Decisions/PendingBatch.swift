/// The batch that grows while another is being written, with what is to be done once it is durable.
struct PendingBatch {
    /// A change with the way to answer it and the way to take it back.
    struct Change {
        var change: JobChange
        var ticket: Ticket?
        /// What the answer is once it is durable; `nil` leaves the ticket open (it waits for the execution's end).
        var result: ChangeResult?
        /// The record as it was; `nil` for a new job.
        var before: JobRecord?
        /// When the job's schedule began anew, if this change makes it so.
        var restartedAt: Timestamp?
        /// Where the clock went back to since, if it did: rows of the old definition after that were withdrawn.
        var wentBackTo: Timestamp?

        /// Whether a row is one of the definition that this change ends.
        func follows(_ row: Execution) -> Bool {
            guard let job = change.job, !change.isNew, let restartedAt else { return false }
            return row.jobID == job.id && row.trigger == .schedule && row.scheduledTime <= restartedAt
        }
    }

    /// The end of an attempt, or of an execution.
    struct Update {
        var execution: Execution
        var attempt: Attempt?
        /// Whom to tell that it is durable.
        var link: LinkID?
        var token: Token?
        var result = AckResult.recorded
        /// Who waits for it to be durable (a cancel).
        var ticket: Ticket?
    }

    var changes: [Change] = []
    var withdrawals: [ExecutionID] = []
    var inserts: [Execution] = []
    /// Claims of AT_MOST_ONCE executions, and calls that run for long.
    var starts: [ExecutionStart] = []
    var updates: [Update] = []
    /// Somebody waits for one of the updates.
    var isAwaited = false
    var materializedThrough: Timestamp?
    var settledThrough: Timestamp?
    var gap: Gap??
    /// The gap reading that waits for this batch: what was made or withdrawn before the gap opened must be seen by it.
    var gapReading: UInt64?
    var workers: [String]?
    /// What its changes withdraw.
    private var withdrawnByChanges: Set<ExecutionID> = []

    mutating func add(_ change: Change) {
        withdrawnByChanges.formUnion(change.change.withdrawals)
        changes.append(change)
    }

    /// Gives what a refused change was to do to the next one of the same job. Returns whether there is one.
    mutating func inherit(_ refused: Change, for job: JobID) -> Bool {
        guard let index = changes.firstIndex(where: { $0.change.job?.id == job }) else { return false }
        changes[index].before = refused.before
        changes[index].restartedAt = changes[index].restartedAt ?? refused.restartedAt
        let times = [refused.wentBackTo, changes[index].wentBackTo].compactMap { $0 }
        changes[index].wentBackTo = times.min()
        // What was made since, and is to be withdrawn before, comes after that.
        let withdrawn = Set(refused.change.withdrawals)
        let made = inserts.filter { withdrawn.contains($0.id) }
        inserts.removeAll { withdrawn.contains($0.id) }
        changes[index].change.withdrawals = refused.change.withdrawals + changes[index].change.withdrawals
        changes[index].change.inserts = refused.change.inserts + changes[index].change.inserts + made
        withdrawnByChanges.formUnion(withdrawn)
        return true
    }

    /// Adds the row of an occurrence. The store does changes last: one that makes anew what a change of the same batch
    /// withdraws has to come after it.
    mutating func add(insert row: Execution) {
        guard withdrawnByChanges.contains(row.id) else {
            inserts.append(row)
            return
        }
        let change = JobChange(job: nil, isNew: false, inserts: [row])
        changes.append(Change(change: change, ticket: nil, result: nil, before: nil))
    }

    /// Whether somebody waits for one of its changes.
    var hasTickets: Bool {
        changes.contains { $0.ticket != nil && $0.result != nil } || updates.contains { $0.ticket != nil }
    }

    /// Those who wait for its changes; they are not told again.
    mutating func takeTickets() -> [Ticket] {
        guard hasTickets else { return [] }
        var tickets: [Ticket] = []
        for index in changes.indices where changes[index].result != nil {
            if let ticket = changes[index].ticket { tickets.append(ticket) }
            changes[index].ticket = nil
        }
        for index in updates.indices {
            if let ticket = updates[index].ticket { tickets.append(ticket) }
            updates[index].ticket = nil
        }
        return tickets
    }

    /// What a planted bug does.
    mutating func answerAtOnce(_ ticket: Ticket, into actions: inout [Action]) {
        guard let last = changes.indices.last, changes[last].ticket == ticket, let result = changes[last].result else {
            return
        }
        changes[last].ticket = nil
        actions.append(.reply(ticket, result))
    }

    /// The clock went back: an earlier change that is refused yet has the old times after `now` to make up for.
    mutating func clockWentBack(to now: Timestamp) {
        for index in changes.indices { changes[index].wentBackTo = min(changes[index].wentBackTo ?? now, now) }
    }

    /// Takes out rows that are not to be made after all.
    mutating func dropInserts(where isDropped: (Execution) -> Bool) {
        inserts.removeAll(where: isDropped)
        for index in changes.indices { changes[index].change.inserts.removeAll(where: isDropped) }
    }

    /// What it makes, and what its changes make.
    var allInserts: [ExecutionID] { inserts.map(\.id) + changes.flatMap { $0.change.inserts.map(\.id) } }

    var isEmpty: Bool {
        changes.isEmpty && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && updates.isEmpty && !hasMarks
    }

    /// Whether it changes what `shards` says, or something waits for what that says to be durable.
    private var hasMarks: Bool {
        materializedThrough != nil || settledThrough != nil || gap != nil || gapReading != nil || workers != nil
    }

    /// Whether it tells only what has become of calls, and nobody waits for that: nothing is held up by it.
    var mayWait: Bool {
        !isAwaited && changes.isEmpty && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && !hasMarks
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
        batch.gap = gap
        batch.workers = workers
        batch.changes = changes.map(\.change)
        batch.withdrawals = withdrawals
        batch.inserts = inserts
        batch.starts = starts
        batch.updates = updates.map(\.execution)
        batch.attempts = updates.compactMap(\.attempt)
        return batch
    }

    /// Smaller batches that together write the same, in an order that keeps what depends on what: each change alone, what
    /// is made before what becomes of it, the half before the half after, rows before the marks that vouch for them. `nil`
    /// when one row is left.
    func split() -> [PendingBatch]? {
        var parts: [PendingBatch] = []
        var rows = self
        // The changes now come first, so what they withdraw must not be made by the rows behind them.
        rows.inserts.removeAll { withdrawnByChanges.contains($0.id) }
        rows.withdrawnByChanges = []
        // A withdrawal comes before whatever makes the same row anew.
        if !changes.isEmpty, !withdrawals.isEmpty {
            var first = PendingBatch()
            first.withdrawals = withdrawals
            rows.withdrawals = []
            parts.append(first)
        }
        for change in changes {
            // What was due before a change: whoever takes over once the change is made would not know of it any more.
            var due = PendingBatch()
            due.inserts = rows.inserts.filter { change.follows($0) }
            if !due.isEmpty {
                rows.inserts.removeAll { change.follows($0) }
                parts.append(due)
            }
            var part = PendingBatch()
            part.changes = [change]
            parts.append(part)
        }
        rows.changes = []
        rows.materializedThrough = nil
        rows.settledThrough = nil
        rows.gap = nil
        rows.gapReading = nil
        rows.workers = nil
        if changes.isEmpty {
            parts.append(contentsOf: rows.kinds.count > 1 ? rows.kinds : rows.halves)
        } else if rows.rowCount > 0 {
            parts.append(rows)
        }
        if hasMarks {
            var marks = PendingBatch()
            marks.materializedThrough = materializedThrough
            marks.settledThrough = settledThrough
            marks.gap = gap
            marks.gapReading = gapReading
            marks.workers = workers
            parts.append(marks)
        }
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
