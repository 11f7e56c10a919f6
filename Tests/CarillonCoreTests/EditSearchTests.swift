import CarillonCore
import Testing

@Suite struct EditSearchTests {
    private func boot(_ milliseconds: Int64) -> BootTime { BootTime(nanoseconds: milliseconds * 1_000_000) }
    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_795_000_000_000 + milliseconds) }

    @Test func itGoesOnWhereTheLastLookEnded() {
        var search = EditSearch(everyMs: 60_000)
        search.found(clusterTime: time(0), boot: boot(0))
        #expect(search.since(clusterTime: time(60_000), boot: boot(60_000)) == time(-10_000))
        // A look that failed is made up for.
        #expect(search.since(clusterTime: time(120_000), boot: boot(120_000)) == time(-10_000))
    }

    @Test func itGoesBackWithTheClock() {
        var search = EditSearch(everyMs: 60_000)
        search.found(clusterTime: time(0), boot: boot(0))
        // Two hours back, a moment after the look: edits since then bear times from there on.
        let now = time(60_000 - 7_200_000)
        #expect(search.since(clusterTime: now, boot: boot(60_000)) == time(-7_200_000 - 10_000))
        search.found(clusterTime: now, boot: boot(60_000))
        #expect(search.since(clusterTime: now + 60_000, boot: boot(120_000)) == now - 10_000)
    }

    @Test func aStepForwardLeavesNothingOut() {
        var search = EditSearch(everyMs: 60_000)
        search.found(clusterTime: time(0), boot: boot(0))
        #expect(search.since(clusterTime: time(7_260_000), boot: boot(60_000)) == time(-10_000))
    }

    @Test(arguments: [(60_000, 3_600_000), (86_400_000, 172_800_000)] as [(Int, Int64)])
    func theFirstLookGoesBackBeyondTheTakeOver(everyMs: Int, back: Int64) {
        var search = EditSearch(everyMs: everyMs)
        #expect(search.since(clusterTime: time(0), boot: boot(5)) == time(-back))
        search.found(clusterTime: time(0), boot: boot(5))
        search.forget()
        #expect(search.since(clusterTime: time(0), boot: boot(5)) == time(-back))
    }
}
