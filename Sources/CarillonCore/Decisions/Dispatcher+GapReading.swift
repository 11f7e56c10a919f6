/// The look at the rows that a gap has already. A clock that went back and then forward over the same times has left rows
/// in what now counts as missed: without knowing them, one row that is to stand for several times could fall on one of them.
struct GapReading {
    /// Which one of this leader's.
    var number: UInt64
    var gap: Gap
    /// The store was asked; before that, what had been decided when the gap opened becomes durable.
    var isAsked = false
    var rows: [JobID: [GapRow]] = [:]
}

extension Dispatcher {
    /// A gap has opened: it is worked off once its rows are known.
    mutating func awaitGapReading(of gap: Gap) {
        let from = min(gap.from, gapReading?.gap.from ?? gap.from)
        endGapReading()
        gapReading = GapReading(number: nextGapReading, gap: Gap(from: from, to: gap.to))
        pending.gapReading = nextGapReading
        nextGapReading += 1
    }

    /// Everything that was decided before the gap opened is durable.
    mutating func readGap(_ number: UInt64, into actions: inout [Action]) {
        guard let reading = gapReading, reading.number == number, !reading.isAsked else { return }
        gapReading?.isAsked = true
        actions.append(.loadGapRows(reading.gap))
    }

    mutating func gapRead(_ rows: [GapRow], isLast: Bool) {
        guard gapReading?.isAsked == true else { return }
        for row in rows { gapReading?.rows[row.jobID, default: []].append(row) }
        guard isLast, let reading = gapReading else { return }
        gapReading = nil
        for (job, rows) in reading.rows {
            catchUp?.cover(job, rows)
            guard let slot = agenda.slot(of: job), let time = catchUp?.time(of: slot) else { continue }
            catchUp?.arm(slot, agenda[slot], after: time - 1)
        }
    }

    mutating func gapNotRead(_ text: String, into actions: inout [Action]) {
        guard let reading = gapReading, reading.isAsked else { return }
        gapReading?.rows = [:]
        actions.append(.note(.loadFailed(text)))
        actions.append(.loadGapRows(reading.gap))
    }

    /// The clock went back once more: what was read is void, since rows after `time` are withdrawn.
    mutating func truncateGapReading(to time: Timestamp) {
        guard let gap = gapReading?.gap else { return }
        endGapReading()
        if gap.from < time { awaitGapReading(of: Gap(from: gap.from, to: min(gap.to, time))) }
    }

    /// An answer that is still to come is nobody's.
    mutating func endGapReading() {
        if gapReading?.isAsked == true { staleLoads += 1 }
        gapReading = nil
    }
}
