/// The look at the rows that an outage has already. A clock that went back and then forward over the same times has left rows in
/// what now counts as missed: one row that stands for several times must not fall on one of them.
struct OutageScan {
    /// Which one of this leader's.
    var number: UInt64
    var outage: Outage
    /// The store was asked; before that, what had been decided when the outage opened becomes durable.
    var isAsked = false
    var rows: [JobID: [OutageRow]] = [:]
}

/// The outage that the catch-up works on, and the read of its rows that exist already.
struct Backlog {
    var catchUp: CatchUp?
    /// The catch-up of the outage waits until this read ends.
    private(set) var outageScan: OutageScan?
    /// The number of the next read.
    private var nextNumber: UInt64 = 1

    /// Whether a read of the store is on its way.
    var isReading: Bool { outageScan?.isAsked == true }

    /// An outage was noticed. Returns the number of the reading, which begins once everything decided before is durable.
    ///
    /// - Precondition: the reading before was ended.
    mutating func awaitReading(of outage: Outage) -> UInt64 {
        defer { nextNumber += 1 }
        outageScan = OutageScan(number: nextNumber, outage: outage)
        return nextNumber
    }

    /// Everything that was decided before the outage opened is durable. Returns what is to be read now.
    mutating func beginReading(_ number: UInt64) -> Outage? {
        guard let reading = outageScan, reading.number == number, !reading.isAsked else { return nil }
        outageScan?.isAsked = true
        return reading.outage
    }

    /// Takes in a part of the answer. Returns all rows once the last part is there.
    mutating func read(_ rows: [OutageRow], isLast: Bool) -> [JobID: [OutageRow]]? {
        guard isReading else { return nil }
        for row in rows { outageScan?.rows[row.jobID, default: []].append(row) }
        guard isLast, let reading = outageScan else { return nil }
        outageScan = nil
        return reading.rows
    }

    /// The read failed. Returns what is to be read again.
    mutating func readFailed() -> Outage? {
        guard isReading else { return nil }
        outageScan?.rows = [:]
        return outageScan?.outage
    }

    /// Ends the reading. Returns whether an answer is still to come, which must be ignored.
    mutating func endReading() -> Bool {
        defer { outageScan = nil }
        return isReading
    }

    /// The first violated invariant; `nil` if there is none.
    func inconsistency(in jobs: borrowing JobTable) -> String? {
        catchUp.flatMap { $0.inconsistency(in: jobs) }
    }
}
