/// The read of the rows that an outage has already, before it is made up for.
extension Dispatcher {
    /// A gap has opened: it is worked off once its rows are known.
    mutating func awaitGapReading(of gap: Gap) {
        let from = min(gap.from, backlog.gapReading?.gap.from ?? gap.from)
        endGapReading()
        log.pending.gapReading = backlog.awaitReading(of: Gap(from: from, to: gap.to))
    }

    /// Everything that was decided before the gap opened is durable.
    mutating func readGap(_ number: UInt64, into actions: inout [Action]) {
        if let gap = backlog.beginReading(number) { actions.append(.loadGapRows(gap)) }
    }

    mutating func gapRead(_ rows: [GapRow], isLast: Bool) {
        guard let all = backlog.read(rows, isLast: isLast) else { return }
        for (job, rows) in all {
            backlog.catchUp?.cover(job, rows)
            guard let slot = agenda.slot(of: job), let time = backlog.catchUp?.time(of: slot) else { continue }
            backlog.catchUp?.arm(slot, agenda[slot], after: time - 1)
        }
    }

    mutating func gapNotRead(_ text: String, into actions: inout [Action]) {
        guard let gap = backlog.readFailed() else { return }
        actions.append(.note(.loadFailed(text)))
        actions.append(.loadGapRows(gap))
    }

    /// The clock went back once more: what was read is void, since rows after `time` are withdrawn.
    mutating func truncateGapReading(to time: Timestamp) {
        guard let gap = backlog.gapReading?.gap else { return }
        endGapReading()
        if gap.from < time { awaitGapReading(of: Gap(from: gap.from, to: min(gap.to, time))) }
    }

    /// Ignores the answer that is still to come.
    mutating func endGapReading() {
        if backlog.endReading() { leadership.staleLoads += 1 }
    }
}
