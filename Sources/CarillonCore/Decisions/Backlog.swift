/// The read of rows that already exist within an outage. After the clock stepped back and forward, missed times can
/// have rows; a SKIPPED row that covers several times must not include them.
struct OutageScan {
    /// The number of the scan in this leadership.
    var number: UInt64
    var outage: Outage
    /// Whether the store was asked. Before that, all decisions made before the outage opened must become durable.
    var isAsked = false
    var rows: [JobID: [OutageRow]] = [:]
}

/// The outage in catch-up, and the read of its existing rows.
struct Backlog {
    var catchUp: CatchUp?
    /// Catch-up waits until this read ends.
    private(set) var outageScan: OutageScan?
    /// The number of the next scan.
    private var nextNumber: UInt64 = 1

    /// Whether a read is in flight.
    var isReading: Bool { outageScan?.isAsked == true }

    /// Registers a new outage. Returns the number of the scan, which starts when all earlier decisions are durable.
    ///
    /// - Precondition: the previous scan has ended.
    mutating func awaitReading(of outage: Outage) -> UInt64 {
        defer { nextNumber += 1 }
        outageScan = OutageScan(number: nextNumber, outage: outage)
        return nextNumber
    }

    /// Starts the scan: all decisions made before the outage opened are durable. Returns the range to read.
    mutating func beginReading(_ number: UInt64) -> Outage? {
        guard let reading = outageScan, reading.number == number, !reading.isAsked else { return nil }
        outageScan?.isAsked = true
        return reading.outage
    }

    /// Adds one part of the answer. Returns all rows after the last part.
    mutating func read(_ rows: [OutageRow], isLast: Bool) -> [JobID: [OutageRow]]? {
        guard isReading else { return nil }
        for row in rows { outageScan?.rows[row.jobID, default: []].append(row) }
        guard isLast, let reading = outageScan else { return nil }
        outageScan = nil
        return reading.rows
    }

    /// Discards the rows of a failed read. Returns the range to read again.
    mutating func readFailed() -> Outage? {
        guard isReading else { return nil }
        outageScan?.rows = [:]
        return outageScan?.outage
    }

    /// Ends the scan. Returns whether an answer is still outstanding; the caller must ignore it.
    mutating func endReading() -> Bool {
        defer { outageScan = nil }
        return isReading
    }

    /// The first violated invariant; `nil` if there is none.
    func inconsistency(in jobs: borrowing JobTable) -> String? {
        catchUp.flatMap { $0.inconsistency(in: jobs) }
    }
}
