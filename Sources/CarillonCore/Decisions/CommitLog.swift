/// The batch that was sent to the database and is not answered.
struct InFlightBatch {
    var batch: PendingBatch
    let sequence: UInt64
    let sentAt: BootTime
    /// Every due time up to this mark has its row in this batch, in an earlier one, or in another part of the same
    /// batch.
    var materializedThrough: Timestamp
}

/// The pending batch, the batch in flight, and the parts of a refused batch. One batch is in flight at a time.
struct CommitLog {
    var pending = PendingBatch()
    private(set) var inFlight: InFlightBatch?
    /// The parts of a refused batch. They are written one by one before anything else.
    private(set) var parts: [PendingBatch] = []
    private var nextSequence: UInt64 = 1
    /// The last batch that is known to be durable; 0 for none.
    private(set) var committedSequence: UInt64 = 0
    /// When the last batch was sent.
    private(set) var committedAt = BootTime(nanoseconds: 0)
    /// The materialization mark when the last batch was closed. Later rows are in no batch that was sent.
    private(set) var sealedThrough = Timestamp.distantPast
    /// Set when a stalled batch is settled: rows after this mark are not checked yet.
    private(set) var stallEnd: Timestamp?
    /// When the marks in `shards` were last written.
    var marksWrittenAt = BootTime(nanoseconds: 0)

    /// All batches that are not settled.
    var batches: [PendingBatch] { [pending] + parts + (inFlight.map { [$0.batch] } ?? []) }

    var isIdle: Bool { inFlight == nil && parts.isEmpty }
    var isEmpty: Bool { isIdle && pending.isEmpty }

    /// Starts a leadership with an empty log: earlier batches belong to another leader.
    mutating func begin(at mark: Timestamp, boot: BootTime) {
        self = CommitLog()
        sealedThrough = mark
        marksWrittenAt = boot
    }

    // MARK: Sending batches

    /// Whether to close and send the pending batch. A batch with only outcomes that no client waits for is delayed
    /// until `recordDelayMs` after the previous batch.
    func isDue(at boot: BootTime, recordDelayMs: Int64, isStopping: Bool) -> Bool {
        guard isIdle, !pending.isEmpty else { return false }
        return boot >= committedAt + recordDelayMs || isStopping || !pending.mayWait
    }

    /// Closes the pending batch and sends it.
    mutating func send(at boot: BootTime, through mark: Timestamp) {
        let batch = pending
        pending = PendingBatch()
        sealedThrough = mark
        send(batch, at: boot)
    }

    /// Sends the next part of a refused batch. Returns whether there was one.
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

    /// Removes the answered batch in flight.
    mutating func take(_ sequence: UInt64) -> InFlightBatch? {
        guard let sent = inFlight, sent.sequence == sequence else { return nil }
        inFlight = nil
        return sent
    }

    /// Notes that a batch is durable.
    mutating func noteCommit(of sent: InFlightBatch) { committedSequence = sent.sequence }

    /// Queues smaller batches, or a changed row, in place of the refused batch.
    mutating func retry(_ smaller: [PendingBatch]) { parts.insert(contentsOf: smaller, at: 0) }

    // MARK: While batches wait

    mutating func noteStall(of sent: InFlightBatch) { stallEnd = sent.materializedThrough }

    mutating func takeStallEnd() -> Timestamp? {
        defer { stallEnd = nil }
        return stallEnd
    }

    /// The clock stepped back: times after `now` do not count as materialized.
    mutating func clockWentBack(to now: Timestamp) {
        if let mark = inFlight?.materializedThrough { inFlight?.materializedThrough = min(mark, now) }
    }

    /// The materialization mark moved back.
    mutating func markWentBack(to now: Timestamp) {
        sealedThrough = min(sealedThrough, now)
        stallEnd = stallEnd.map { min($0, now) }
        pending.materializedThrough = now
    }

    /// Removes inserts that are no longer wanted from batches that are not sent.
    mutating func dropInserts(where isDropped: (Execution) -> Bool) {
        pending.dropInserts(where: isDropped)
        for index in parts.indices { parts[index].dropInserts(where: isDropped) }
    }

    /// An outcome that is in a batch was reported again: the acknowledgement goes to the new connection.
    mutating func redirect(_ id: ExecutionID, to link: ConnectionID, token: DispatchToken) {
        if pending.redirect(id, to: link, token: token) { return }
        if inFlight?.batch.redirect(id, to: link, token: token) == true { return }
        for part in parts.indices where parts[part].redirect(id, to: link, token: token) { return }
    }

    // MARK: Request ids

    var hasRequestIDs: Bool { pending.hasRequestIDs || (inFlight?.batch.hasRequestIDs ?? false) }

    /// Removes and returns the request ids of all pending changes and cancels, so that no client is answered twice.
    mutating func takeRequestIDs() -> [RequestID] {
        var requestIDs = inFlight?.batch.takeRequestIDs() ?? []
        requestIDs += pending.takeRequestIDs()
        for index in parts.indices { requestIDs += parts[index].takeRequestIDs() }
        return requestIDs
    }

    /// The first violated invariant; `nil` if there is none. An execution that waits for a batch is in a batch, or in
    /// two if its row was withdrawn and inserted again while the first batch was in flight.
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
            guard isThere else { return "\(id) is \(open.state), but in no batch" }
        }
        return nil
    }
}

extension PendingBatch {
    /// Sends the acknowledgement of an outcome to another connection. Returns whether the outcome is in this batch.
    fileprivate mutating func redirect(_ id: ExecutionID, to link: ConnectionID, token: DispatchToken) -> Bool {
        guard let index = updates.firstIndex(where: { $0.execution.id == id }) else { return false }
        updates[index].link = link
        updates[index].token = token
        return true
    }
}
