import CarillonCore
import TestSupport
import Testing

@Suite struct ClusterClockTests {
    /// A database whose clock is `ahead` microseconds ahead of this machine's boot time, sampled once a second.
    private struct Database {
        var ahead: Int64 = 1_795_000_000_000_000
        var boot: Int64 = 1_000_000
        var random: SeededGenerator

        mutating func sample(_ clock: inout ClusterClock, roundTrip: ClosedRange<Int64>) -> ClusterClock.Adjustment {
            boot += 1_000_000
            let there = Int64.random(in: roundTrip, using: &random) / 2
            let back = Int64.random(in: roundTrip, using: &random) / 2
            let read = boot + there
            defer { boot = read + back }
            return clock.sample(
                Timestamp(milliseconds: (read + ahead) / 1_000),
                sent: BootTime(nanoseconds: boot * 1_000),
                received: BootTime(nanoseconds: (read + back) * 1_000)
            )
        }

        /// How far cluster time is ahead of the database's clock, in microseconds.
        func lead(of clock: ClusterClock) -> Int64 {
            clock.microseconds(at: BootTime(nanoseconds: boot * 1_000)) - (boot + ahead)
        }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `cluster time is never ahead and soon close`(seed: UInt64) {
        var database = Database(random: SeededGenerator(seed: seed))
        var clock = ClusterClock()
        // The first answer after a take-over may be slow.
        #expect(database.sample(&clock, roundTrip: 0...2_000_000) == .set)
        for _ in 0..<60 {
            _ = database.sample(&clock, roundTrip: 100...3_000)
            #expect(database.lead(of: clock) <= 0, "seed \(seed)")
        }
        #expect(database.lead(of: clock) > -3_000, "seed \(seed)")
    }

    @Test func `a drifting clock is followed`() {
        var database = Database(random: SeededGenerator(seed: 7))
        var clock = ClusterClock()
        for drift: Int64 in [-40, 40] {
            for _ in 0..<500 {
                database.ahead += drift
                _ = database.sample(&clock, roundTrip: 100...400)
            }
            #expect(abs(database.lead(of: clock)) < 2_000, "drift \(drift) µs a second")
        }
    }

    @Test func `only a proven difference is a step`() {
        var database = Database(random: SeededGenerator(seed: 3))
        var clock = ClusterClock()
        for _ in 0..<10 { _ = database.sample(&clock, roundTrip: 100...400) }
        #expect(database.sample(&clock, roundTrip: 3_000_000...3_000_000) == .slewed)
        for step: Int64 in [7_200_000_000, -7_200_000_000, 1_200_000, -1_200_000] {
            database.ahead += step
            guard case .stepped(let milliseconds) = database.sample(&clock, roundTrip: 100...400) else {
                Issue.record("a step of \(step) µs was not detected")
                continue
            }
            #expect(abs(milliseconds - step / 1_000) <= 5)
            #expect(database.lead(of: clock) <= 0)
        }
    }

    /// A clock can drift by a fifth of a second in ten minutes; this difference must not be slewed.
    @Test(arguments: [-180_000, 180_000, 0] as [Int64])
    func `nothing is early after a long sleep`(drift: Int64) {
        var database = Database(random: SeededGenerator(seed: 11))
        var clock = ClusterClock()
        for _ in 0..<10 { _ = database.sample(&clock, roundTrip: 100...400) }
        database.boot += 600_000_000
        database.ahead += drift
        // This request was sent before the sleep, so its answer proves nothing.
        _ = database.sample(&clock, roundTrip: 1_000_000...1_000_000)
        _ = database.sample(&clock, roundTrip: 100...2_000)
        #expect(database.lead(of: clock) <= 0)
        #expect(database.lead(of: clock) > -4_000)
    }

    /// A database that is slow for a while delays nothing: the known offset stays accurate.
    @Test func `a slow database delays nothing`() {
        var database = Database(random: SeededGenerator(seed: 5))
        var clock = ClusterClock()
        for _ in 0..<10 { _ = database.sample(&clock, roundTrip: 100...400) }
        for _ in 0..<8 { _ = database.sample(&clock, roundTrip: 400_000...400_000) }
        _ = database.sample(&clock, roundTrip: 90_000...90_000)
        #expect(database.lead(of: clock) <= 0)
        #expect(database.lead(of: clock) > -10_000)
    }
}
