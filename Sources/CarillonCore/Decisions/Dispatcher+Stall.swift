/// A batch that the database does not answer for long is an outage for the due times after it.
extension Dispatcher {
    /// Whether materialization is paused because the batch in flight takes too long.
    var isBatchStalled: Bool {
        guard let inFlight = log.inFlight, !InjectedFault.ignoresAStalledBatch.isActive else { return false }
        return leadership.nowBoot >= inFlight.sentAt + outageMs
    }

    /// The batch in flight is settled. If it took long, the due times after it were missed: their rows, which are in no
    /// transaction, are dropped, and their times follow the catch-up policies. Outcomes, retries, manual runs and
    /// changes are kept.
    mutating func settled(_ sent: InFlightBatch, into actions: inout [Action]) {
        let milliseconds = leadership.nowBoot.milliseconds(since: sent.sentAt)
        guard isLeading, milliseconds >= outageMs, !InjectedFault.ignoresAStalledBatch.isActive else { return }
        actions.append(.log(.batchStalled(milliseconds: milliseconds)))
        log.noteStall(of: sent)
    }

    /// Drops the rows after a stalled batch. Runs only with a valid lease.
    mutating func endStall(into actions: inout [Action]) {
        guard let mark = log.takeStallEnd() else { return }
        // Times before the end of the current catch-up belong to that catch-up.
        let floor = max(mark, backlog.catchUp?.outage.to ?? .distantPast)
        guard floor < now, materializer.materializedThrough > floor || floor < now - outageMs else { return }
        dropRows(after: floor)
        materializer.materializedThrough = min(materializer.materializedThrough, floor)
        if let mark = log.pending.materializedThrough, mark > floor { log.pending.materializedThrough = nil }
        // A stopping process leaves the outage to the next leader, which starts at the mark.
        if floor < now - outageMs, !leadership.isStopping { openOutage(into: &actions) }
        if log.pending.settledThrough != nil { log.pending.settledThrough = settledMark }
    }

    /// Removes rows of due times after `floor` that wait for the next batch. A held job keeps its rows: they belong to
    /// the definition that its staged change ends.
    private mutating func dropRows(after floor: Timestamp) {
        let reported = reports.executions
        var dropped: Set<ExecutionID> = []
        var firstTimes: [Int32: Timestamp] = [:]
        for row in log.pending.inserts
        where row.scheduledTime > floor && row.trigger == .schedule && row.status == .pending {
            guard !reported.contains(row.id), let slot = executionTable.slot(of: row.id),
                executionTable[slot].state == .inserting,
                !executionTable[slot].isCatchUp, !jobTable[executionTable[slot].job].isHeld
            else { continue }
            let job = executionTable[slot].job
            dropped.insert(row.id)
            firstTimes[job] = min(firstTimes[job] ?? row.scheduledTime, row.scheduledTime)
            takeOut(slot)
        }
        guard !dropped.isEmpty else { return }
        log.pending.dropInserts { dropped.contains($0.id) }
        for (job, time) in firstTimes.sorted(by: { $0.key < $1.key }) { jobTable.arm(job, after: time - 1) }
    }
}
