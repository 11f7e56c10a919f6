/// The read of rows that already exist within an outage, before its catch-up.
extension Dispatcher {
    /// Registers the scan of a new outage. Catch-up starts when the existing rows are known.
    mutating func awaitOutageScan(of outage: Outage) {
        let from = min(outage.from, backlog.outageScan?.outage.from ?? outage.from)
        endOutageScan()
        log.pending.outageScan = backlog.awaitReading(of: Outage(from: from, to: outage.to))
    }

    /// Starts the read: all decisions made before the outage opened are durable.
    mutating func readOutageRows(_ number: UInt64, into actions: inout [Action]) {
        if let outage = backlog.beginReading(number) { actions.append(.loadOutageRows(outage)) }
    }

    mutating func outageRowsRead(_ rows: [OutageRow], isLast: Bool) {
        guard let all = backlog.read(rows, isLast: isLast) else { return }
        for (job, rows) in all {
            backlog.catchUp?.cover(job, rows)
            guard let slot = jobTable.slot(of: job), let time = backlog.catchUp?.time(of: slot) else { continue }
            let record = jobTable[slot]
            backlog.catchUp?.arm(slot, record, after: time - 1)
        }
    }

    mutating func outageScanFailed(_ text: String, into actions: inout [Action]) {
        guard let outage = backlog.readFailed() else { return }
        actions.append(.log(.loadFailed(text)))
        actions.append(.loadOutageRows(outage))
    }

    /// The clock stepped back again: the rows read so far are invalid, because rows after `time` are withdrawn.
    mutating func truncateOutageScan(to time: Timestamp) {
        guard let outage = backlog.outageScan?.outage else { return }
        endOutageScan()
        if outage.from < time { awaitOutageScan(of: Outage(from: outage.from, to: min(outage.to, time))) }
    }

    /// Ends the scan and ignores an outstanding answer.
    mutating func endOutageScan() {
        if backlog.endReading() { leadership.staleLoads += 1 }
    }
}
