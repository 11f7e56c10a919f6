/// The batch that is on its way to the database.
struct InFlightBatch {
    var batch: PendingBatch
    let sequence: UInt64
    let sentAt: BootTime
    /// Every due time up to here has its row in this batch, in an earlier one, or in another part of the same batch.
    var materializedThrough: Timestamp
}

/// The batch that grows, the batch that is in flight, and what is left of a refused one. One is in flight at a time.
struct CommitLog {
    var pending = PendingBatch()
    private(set) var inFlight: InFlightBatch?
    /// Parts of a batch that was refused: written one by one before anything else.
    private(set) var parts: [PendingBatch] = []
    private var nextSequence: UInt64 = 1
    /// The last batch that is known to be durable; 0 for none.
    private(set) var committedSequence: UInt64 = 0
    /// When the last batch left.
    private(set) var committedAt = BootTime(nanoseconds: 0)
    /// Where materialization was when the last batch was closed: later rows are in none that was sent.
    private(set) var sealedThrough = Timestamp.distantPast
    /// A batch was settled after a stall: rows after this mark are not yet checked.
    private(set) var stallEnd: Timestamp?
    /// When the marks in `shards` were last written.
    var marksWrittenAt = BootTime(nanoseconds: 0)

    /// All batches that are not settled.
    var batches: [PendingBatch] { [pending] + parts + (inFlight.map { [$0.batch] } ?? []) }

    var isIdle: Bool { inFlight == nil && parts.isEmpty }
    var isEmpty: Bool { isIdle && pending.isEmpty }

    /// A new leader begins: earlier batches are another one's.
    mutating func begin(at mark: Timestamp, boot: BootTime) {
        self = CommitLog()
        sealedThrough = mark
        marksWrittenAt = boot
    }

    // MARK: One after the other

    /// Whether the batch that grows is to be closed and sent. Outcomes alone, for which nobody waits, are gathered until
    /// `recordDelayMs` after the batch before.
    func isDue(at boot: BootTime, recordDelayMs: Int64, isStopping: Bool) -> Bool {
        guard isIdle, !pending.isEmpty else { return false }
        return boot >= committedAt + recordDelayMs || isStopping || !pending.mayWait
    }

    /// Closes the batch that grows, and puts it in flight.
    mutating func send(at boot: BootTime, through mark: Timestamp) {
        let batch = pending
        pending = PendingBatch()
        sealedThrough = mark
        send(batch, at: boot)
    }

    /// Puts the next part of a refused batch in flight. Returns whether there was one.
    mutating func sendPart(at boot: BootTime) -> Bool {
        guard inFlight == nil, !parts.isEmpty else { return false }
        send(parts.removeFirst(), at: boot)
        return true
    }

    private mutating func send(_ batch: PendingBatch, at boot: BootTime) {
        inFlight = InFlightBatch(
            batch: batch,
            sequence: nextSequence,
            sentAt: boot,
            materializedThrough: sealedThrough
        )
        nextSequence += 1
        committedAt = boot
    }

    /// The batch in flight was answered.
    mutating func take(_ sequence: UInt64) -> InFlightBatch? {
        guard let sent = inFlight, sent.sequence == sequence else { return nil }
        inFlight = nil
        return sent
    }

    /// A batch is durable.
    mutating func noteCommit(of sent: InFlightBatch) { committedSequence = sent.sequence }

    /// Puts smaller batches, or another form of a row, where the refused batch was.
    mutating func retry(_ smaller: [PendingBatch]) { parts.insert(contentsOf: smaller, at: 0) }

    // MARK: While batches wait

    mutating func noteStall(of sent: InFlightBatch) { stallEnd = sent.materializedThrough }

    mutating func takeStallEnd() -> Timestamp? {
        defer { stallEnd = nil }
        return stallEnd
    }

    /// The clock went back: nothing after `now` counts as made.
    mutating func clockWentBack(to now: Timestamp) {
        if let mark = inFlight?.materializedThrough { inFlight?.materializedThrough = min(mark, now) }
    }

    /// The mark itself went back.
    mutating func markWentBack(to now: Timestamp) {
        sealedThrough = min(sealedThrough, now)
        stallEnd = stallEnd.map { min($0, now) }
        pending.materializedThrough = now
    }

    /// Takes rows that are not to be made after all out of what waits to be written.
    mutating func dropInserts(where isDropped: (Execution) -> Bool) {
        pending.dropInserts(where: isDropped)
        for index in parts.indices { parts[index].dropInserts(where: isDropped) }
    }

    /// The report of an outcome that is in a batch came again: its new connection is told.
    mutating func redirect(_ id: ExecutionID, to link: ConnectionID, token: DispatchToken) {
        if pending.redirect(id, to: link, token: token) { return }
        if inFlight?.batch.redirect(id, to: link, token: token) == true { return }
        for part in parts.indices where parts[part].redirect(id, to: link, token: token) { return }
    }

    // MARK: Request ids

    var hasRequestIDs: Bool { pending.hasRequestIDs || (inFlight?.batch.hasRequestIDs ?? false) }

    /// All who wait for a change or a cancel to be durable; they are not told again.
    mutating func takeRequestIDs() -> [RequestID] {
        var requestIDs = inFlight?.batch.takeRequestIDs() ?? []
        requestIDs += pending.takeRequestIDs()
        for index in parts.indices { requestIDs += parts[index].takeRequestIDs() }
        return requestIDs
    }

    /// The first violated invariant; `nil` if there is none. An execution that waits for a batch is in a batch; it is in two after
    /// its row was withdrawn and made again while the first batch was in flight.
    func inconsistency(of executions: [OpenExecution]) -> String? {
        let batches = batches
        let inserts = Set(batches.flatMap { $0.inserts.map(\.id) + $0.changes.flatMap { $0.change.inserts.map(\.id) } })
        let starts = Set(batches.flatMap { $0.starts.map(\.id) })
        let updates = Set(batches.flatMap { $0.updates.map(\.execution.id) })
        for open in executions {
            let id = open.execution.id
            let isThere =
                switch open.state {
                case .inserting: inserts.contains(id)
                case .claiming: starts.contains(id)
                case .recording: updates.contains(id)
                default: true
                }
            guard isThere else { return "\(id) is \(open.state), and in no batch" }
        }
        return nil
    }
}

extension PendingBatch {
    /// Changes whom to tell that the outcome of an execution is durable. Returns whether that outcome is in this batch.
    fileprivate mutating func redirect(_ id: ExecutionID, to link: ConnectionID, token: DispatchToken) -> Bool {
        guard let index = updates.firstIndex(where: { $0.execution.id == id }) else { return false }
        updates[index].link = link
        updates[index].token = token
        return true
    }
}
