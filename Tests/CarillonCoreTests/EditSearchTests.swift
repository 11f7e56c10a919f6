import CarillonCore
import Testing

@Suite struct EditSearchTests {
    private func boot(_ milliseconds: Int64) -> BootTime { BootTime(nanoseconds: milliseconds * 1_000_000) }
    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_795_000_000_000 + milliseconds) }
    private var search = EditSearch()

    /// Looks at that time by the database's clock, and by the machine's; returns since when.
    private mutating func look(_ cluster: Int64, boot: Int64, isFound: Bool = true) -> Timestamp {
        let look = search.look(clusterTime: time(cluster), boot: self.boot(boot))
        if isFound { search.found(look) }
        return look.since
    }

    @Test mutating func searchContinuesWhereTheLastOneEnded() {
        _ = look(0, boot: 0)
        // A look that failed is made up for.
        #expect(look(60_000, boot: 60_000, isFound: false) == time(-10_000))
        #expect(look(120_000, boot: 120_000) == time(-10_000))
        #expect(look(180_000, boot: 180_000) == time(110_000))
    }

    @Test mutating func searchGoesBackWithTheClock() {
        _ = look(0, boot: 0)
        // Two hours back, a moment after the look: edits since then bear times from there on.
        #expect(look(60_000 - 7_200_000, boot: 60_000) == time(-7_200_000 - 10_000))
        #expect(look(120_000 - 7_200_000, boot: 120_000) == time(60_000 - 7_200_000 - 10_000))
    }

    @Test mutating func aStepForwardLeavesNothingOut() {
        _ = look(0, boot: 0)
        #expect(look(7_260_000, boot: 60_000) == time(-10_000))
    }

    @Test mutating func aStepBackAndForthAgainIsNotForgotten() {
        _ = look(0, boot: 0)
        search.wentBack(to: time(20_000 - 7_200_000))
        #expect(look(60_000, boot: 60_000) == time(20_000 - 7_200_000 - 10_000))
        // One that began before the clock was set back has not seen what came after.
        let early = search.look(clusterTime: time(100_000), boot: boot(100_000))
        search.wentBack(to: time(-3_600_000))
        search.found(early)
        #expect(look(120_000, boot: 120_000) == time(-3_600_000 - 10_000))
        #expect(look(180_000, boot: 180_000) == time(110_000))
    }

    @Test mutating func theFirstLookGoesBackToTheTakeOver() {
        search.begin(clusterTime: time(0), boot: boot(0))
        // However long it takes, and wherever the clock goes meanwhile.
        #expect(look(7_260_000, boot: 60_000, isFound: false) == time(-10_000))
        #expect(look(60_000 - 7_200_000, boot: 60_000, isFound: false) == time(-7_200_000 - 10_000))
        let early = search.look(clusterTime: time(60_000), boot: boot(60_000))
        // Another take-over: what the look before it found is of no concern.
        search.begin(clusterTime: time(-3_600_000), boot: boot(70_000))
        search.found(early)
        #expect(look(-3_590_000, boot: 80_000) == time(-3_600_000 - 10_000))
    }

    @Test mutating func firstSearchAfterStartFindsAllEdits() {
        #expect(look(0, boot: 5) == Timestamp(milliseconds: 0))
    }
}
