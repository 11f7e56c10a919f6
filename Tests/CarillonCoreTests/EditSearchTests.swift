import CarillonCore
import Testing

@Suite struct EditSearchTests {
    private func boot(_ milliseconds: Int64) -> BootTime { BootTime(nanoseconds: milliseconds * 1_000_000) }
    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_795_000_000_000 + milliseconds) }
    private var search = EditSearch()

    /// Searches at these times of the database's clock and the machine's clock. Returns the lower bound of the search.
    private mutating func look(_ cluster: Int64, boot: Int64, isFound: Bool = true) -> Timestamp {
        let look = search.look(clusterTime: time(cluster), boot: self.boot(boot))
        if isFound { search.found(look) }
        return look.since
    }

    @Test mutating func `a search continues where the last complete one started`() {
        _ = look(0, boot: 0)
        // The next search covers a failed one.
        #expect(look(60_000, boot: 60_000, isFound: false) == time(-10_000))
        #expect(look(120_000, boot: 120_000) == time(-10_000))
        #expect(look(180_000, boot: 180_000) == time(110_000))
    }

    @Test mutating func `a search goes back with the clock`() {
        _ = look(0, boot: 0)
        // Two hours back shortly after the search: later edits have time stamps from there on.
        #expect(look(60_000 - 7_200_000, boot: 60_000) == time(-7_200_000 - 10_000))
        #expect(look(120_000 - 7_200_000, boot: 120_000) == time(60_000 - 7_200_000 - 10_000))
    }

    @Test mutating func `a step forward skips no edit`() {
        _ = look(0, boot: 0)
        #expect(look(7_260_000, boot: 60_000) == time(-10_000))
    }

    @Test mutating func `a step back and forward is remembered`() {
        _ = look(0, boot: 0)
        search.wentBack(to: time(20_000 - 7_200_000))
        #expect(look(60_000, boot: 60_000) == time(20_000 - 7_200_000 - 10_000))
        // A search that started before the step back has not seen later edits.
        let early = search.look(clusterTime: time(100_000), boot: boot(100_000))
        search.wentBack(to: time(-3_600_000))
        search.found(early)
        #expect(look(120_000, boot: 120_000) == time(-3_600_000 - 10_000))
        #expect(look(180_000, boot: 180_000) == time(110_000))
    }

    @Test mutating func `the first search goes back to the take-over`() {
        search.begin(clusterTime: time(0), boot: boot(0))
        // Independent of the duration and of clock steps.
        #expect(look(7_260_000, boot: 60_000, isFound: false) == time(-10_000))
        #expect(look(60_000 - 7_200_000, boot: 60_000, isFound: false) == time(-7_200_000 - 10_000))
        let early = search.look(clusterTime: time(60_000), boot: boot(60_000))
        // After another take-over earlier searches no longer matter.
        search.begin(clusterTime: time(-3_600_000), boot: boot(70_000))
        search.found(early)
        #expect(look(-3_590_000, boot: 80_000) == time(-3_600_000 - 10_000))
    }

    @Test mutating func `the first search without a take-over covers all edits`() {
        #expect(look(0, boot: 5) == Timestamp(milliseconds: 0))
    }
}
