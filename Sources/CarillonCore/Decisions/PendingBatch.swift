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
        /// Executions that were taken out of the ledger.
        var withdrawn: [OpenExecution] = []
    }

    /// The end of an attempt, or of an execution.
    struct Update {
        var execution: Execution
        var attempt: Attempt?
        /// Whom to tell that it is durable.
        var link: LinkID?
        var token: Token?
    }

    var changes: [Change] = []
    var withdrawals: [ExecutionID] = []
    var inserts: [Execution] = []
    /// Claims of AT_MOST_ONCE executions, and calls that run for long.
    var starts: [ExecutionStart] = []
    var updates: [Update] = []
    var materializedThrough: Timestamp?
    var settledThrough: Timestamp?
    var gap: Gap??

    var isEmpty: Bool {
        changes.isEmpty && withdrawals.isEmpty && inserts.isEmpty && starts.isEmpty && updates.isEmpty
            && materializedThrough == nil && settledThrough == nil && gap == nil
    }

    var rowCount: Int {
        withdrawals.count + inserts.count + starts.count + updates.count + changes.reduce(0) { $0 + 1 + $1.change.inserts.count }
    }

    /// The transaction that writes it.
    func batch(sequence: UInt64, owner: UniqueID, epoch: Int64) -> WriteBatch {
        var batch = WriteBatch(sequence: sequence, owner: owner, epoch: epoch)
        batch.materializedThrough = materializedThrough
        batch.settledThrough = settledThrough
        batch.gap = gap
        batch.changes = changes.map(\.change)
        batch.withdrawals = withdrawals
        batch.inserts = inserts
        batch.starts = starts
        batch.updates = updates.map(\.execution)
        batch.attempts = updates.compactMap(\.attempt)
        return batch
    }

    /// Smaller batches that together write the same, in an order that keeps what depends on what: the half before the
    /// half after, rows before the marks that vouch for them, and each change alone. `nil` when one row is left.
    func split() -> [PendingBatch]? {
        var parts: [PendingBatch] = []
        for change in changes {
            var part = PendingBatch()
            part.changes = [change]
            parts.append(part)
        }
        var rows = self
        rows.changes = []
        rows.materializedThrough = nil
        rows.settledThrough = nil
        rows.gap = nil
        if rows.rowCount > 1 {
            var (first, second) = (PendingBatch(), PendingBatch())
            (first.withdrawals, second.withdrawals) = Self.halves(withdrawals)
            (first.inserts, second.inserts) = Self.halves(inserts)
            (first.starts, second.starts) = Self.halves(starts)
            (first.updates, second.updates) = Self.halves(updates)
            parts.append(contentsOf: [first, second].filter { !$0.isEmpty })
        } else if rows.rowCount == 1 {
            parts.append(rows)
        }
        if materializedThrough != nil || settledThrough != nil || gap != nil {
            var marks = PendingBatch()
            marks.materializedThrough = materializedThrough
            marks.settledThrough = settledThrough
            marks.gap = gap
            parts.append(marks)
        }
        return parts.count > 1 ? parts : nil
    }

    private static func halves<Row>(_ rows: [Row]) -> ([Row], [Row]) {
        let middle = (rows.count + 1) / 2
        return (Array(rows[..<middle]), Array(rows[middle...]))
    }
}
