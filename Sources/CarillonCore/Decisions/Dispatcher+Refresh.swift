/// Rows of `jobs` found by a re-read: changed directly in the database, or with new time zone rules.
extension Dispatcher {
    /// Processes found rows, limited to what one batch should contain.
    mutating func takeRefreshed(into actions: inout [Action]) {
        guard log.inFlight == nil else { return }
        for planned in changes.takeFound() { takeIn(planned, into: &actions) }
    }

    /// Processes a row that a request read, without waiting for the batch in flight.
    mutating func jobRead(_ planned: PlannedJob, at now: Now, into actions: inout [Action]) {
        guard leadership.isLeading, leadership.lease.isValid(at: now.boot), !leadership.isStopping else { return }
        takeIn(planned, into: &actions)
    }

    /// Compares a row with memory, or queues it if a change of its job is staged.
    private mutating func takeIn(_ planned: PlannedJob, into actions: inout [Action]) {
        let id = planned.job.id
        if changes.isBusy(id) { changes.enqueue(.found(planned), for: id) } else { found(planned, into: &actions) }
    }

    /// Stages a row that differs from memory, with the next version, so that row and memory agree again.
    mutating func found(_ planned: PlannedJob, into actions: inout [Action]) {
        var found = planned
        guard let slot = jobTable.slot(of: found.job.id) else {
            guard found.job.deletedAt == nil, !found.job.isAdHoc else { return }
            // The row was read before the deletion of the job was durable.
            if jobTable.isDeleted(found.job) { return }
            // The schedule of a new job starts now.
            found.job.version += 1
            stage(new: found, nil, nil, isFound: true)
            return
        }
        let record = jobTable[slot]
        let differs = JobRecord(found)
        // The job is unchanged, but its plan is not: its time zone has new rules.
        let isNewer = found.job.version > record.version
        let isReplanned = found.job.version == record.version && differs.plan !== record.plan
        guard isNewer || isReplanned, !record.deleted else { return }
        found.job.version += 1
        stage(found, at: slot, restarts: differs.isScheduledUnlike(record), nil, into: &actions)
    }
}
