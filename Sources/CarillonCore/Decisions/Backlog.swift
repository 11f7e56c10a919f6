/// The look at the rows that an outage has already. A clock that went back and then forward over the same times has left rows in
/// what now counts as missed: one row that stands for several times must not fall on one of them.
struct GapReading {
    /// Which one of this leader's.
    var number: UInt64
    var gap: Gap
    /// The store was asked; before that, what had been decided when the gap opened becomes durable.
    var isAsked = false
    var rows: [JobID: [GapRow]] = [:]
}

/// The outage that the catch-up works on, and the read of its rows that exist already.
struct Backlog {
    var catchUp: CatchUp?
    /// The catch-up of the outage waits until this read ends.
    private(set) var gapReading: GapReading?
    /// The number of the next read.
    private var nextNumber: UInt64 = 1

    /// Whether a read of the store is on its way.
    var isReading: Bool { gapReading?.isAsked == true }

    /// An outage was noticed. Returns the number of the reading, which begins once everything decided before is durable.
    ///
    /// - Precondition: the reading before was ended.
    mutating func awaitReading(of gap: Gap) -> UInt64 {
        defer { nextNumber += 1 }
        gapReading = GapReading(number: nextNumber, gap: gap)
        return nextNumber
    }

    /// Everything that was decided before the gap opened is durable. Returns what is to be read now.
    mutating func beginReading(_ number: UInt64) -> Gap? {
        guard let reading = gapReading, reading.number == number, !reading.isAsked else { return nil }
        gapReading?.isAsked = true
        return reading.gap
    }

    /// Takes in a part of the answer. Returns all rows once the last part is there.
    mutating func read(_ rows: [GapRow], isLast: Bool) -> [JobID: [GapRow]]? {
        guard isReading else { return nil }
        for row in rows { gapReading?.rows[row.jobID, default: []].append(row) }
        guard isLast, let reading = gapReading else { return nil }
        gapReading = nil
        return reading.rows
    }

    /// The read failed. Returns what is to be read again.
    mutating func readFailed() -> Gap? {
        guard isReading else { return nil }
        gapReading?.rows = [:]
        return gapReading?.gap
    }

    /// Ends the reading. Returns whether an answer is still to come, which must be ignored.
    mutating func endReading() -> Bool {
        defer { gapReading = nil }
        return isReading
    }

    /// The first violated invariant; `nil` if there is none.
    func inconsistency(in jobs: borrowing JobTable) -> String? {
        catchUp.flatMap { $0.inconsistency(in: jobs) }
    }
}
