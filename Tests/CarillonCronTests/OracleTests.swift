import CarillonCron
import Testing

/// Random expressions around every kind of transition, against a walk over every second. CARILLON_SEED repeats a run.
@Suite struct OracleTests {
    /// Zones with all kinds of changes: an hour, half an hour, two hours, a day, odd seconds, several changes in a year, saving time in
    /// winter, and some that no country has had.
    private static func zones() throws -> [(zone: TimeZoneRules, from: String, to: String)] {
        let day: Int64 = 86_400
        let start = at("2026-06-01T12:00:00Z")
        func synthetic(_ first: Int, _ changes: [(Int64, Int)]) throws -> (TimeZoneRules, String, String) {
            (
                try Zones.synthetic(first, changes.map { (start + $0.0, $0.1) }), "2026-05-30T00:00:00Z",
                "2026-06-05T00:00:00Z"
            )
        }
        return [
            (Zones.berlin, "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
            (Zones.berlin, "2150-01-01T00:00:00Z", "2152-01-01T00:00:00Z"),
            (Zones.newYork, "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
            (Zones.lordHowe, "2026-01-01T00:00:00Z", "2029-01-01T00:00:00Z"),
            (Zones.load("Europe/Dublin"), "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            (Zones.load("Africa/Casablanca"), "2010-01-01T00:00:00Z", "2016-01-01T00:00:00Z"),
            (Zones.load("Antarctica/Troll"), "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
            (Zones.load("America/Havana"), "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
            (Zones.load("Africa/Cairo"), "2010-01-01T00:00:00Z", "2011-12-01T00:00:00Z"),
            (Zones.load("Africa/Monrovia"), "1972-01-01T00:00:00Z", "1972-12-01T00:00:00Z"),
            (Zones.load("Asia/Pyongyang"), "2015-01-01T00:00:00Z", "2019-01-01T00:00:00Z"),
            (Zones.load("America/Caracas"), "2007-01-01T00:00:00Z", "2017-01-01T00:00:00Z"),
            try synthetic(0, [(0, 10_800), (1_800, 3_600)]),
            try synthetic(0, [(0, -7_200), (3_600, 0), (5_400, -3_600), (6_000, 1_800)]),
            try synthetic(3_600, [(0, 0), (1_800, -3_600), (3_000, -7_200)]),
            try synthetic(0, [(0, 37), (100, -1_234), (4_000, 17)]),
            try synthetic(-3_600, [(0, 3_600), (600, 0), (1_200, 3_600), (1_800, 0), (2_400, 3_600)]),
            (Zones.apia, "2011-12-01T00:00:00Z", "2012-01-15T00:00:00Z"),
            try synthetic(50_400, [(0, -36_000), (day, 0), (day + 60, 50_400)]),
        ]
    }

    @Test func timesAroundTransitions() throws {
        let seed = Seeded.seed(5)
        var random = Seeded(seed)
        var compared = 0
        for (zone, from, to) in try Self.zones() {
            var transitions: [Int64] = []
            var last = at(from)
            while let next = zone.transition(after: last), next < at(to) {
                transitions.append(next)
                last = next
            }
            try #require(!transitions.isEmpty, "\(zone.name)")
            for transition in transitions {
                let jump = Int64(abs(zone.offset(at: transition).seconds - zone.offset(at: transition - 1).seconds))
                let hours = [
                    zone.civilTime(at: transition - 1).hour, zone.civilTime(at: transition).hour,
                    zone.civilTime(at: transition - 3_600).hour, zone.civilTime(at: transition + 3_600).hour,
                ]
                let range = transition - 5_400..<transition + min(jump, 40_000) + 5_400
                // Large jumps take long to walk, so there are fewer of them.
                for _ in 0..<(jump > 20_000 ? 12 : 40) {
                    let text = RandomExpression.time(&random, hours: hours) + " " + RandomExpression.days(&random)
                    let naive = NaiveCron(text)
                    let expression = try CronExpression(text)
                    let policy = naive.isFixed ? random.pick(DaylightPolicy.allCases) : .cron
                    let expected = naive.dueTimes(
                        range,
                        from: range.lowerBound - min(2 * jump, 90_000) - 7_200,
                        in: zone,
                        policy
                    )
                    compare(expression, expected, range, zone, policy, seed)
                    compared += 1
                }
            }
        }
        #expect(compared > 1_000)
    }

    @Test func days() throws {
        let seed = Seeded.seed(6)
        var random = Seeded(seed)
        for _ in 0..<1_500 {
            let text = "0 0 12 " + RandomExpression.allDays(&random) + RandomExpression.year(&random)
            let naive = NaiveCron(text)
            let expression = try CronExpression(text)
            let first = CivilTime(year: random.number(1970...2195), month: random.number(1...12), day: 1).seconds
            let range = first..<first + 86_400 * 500
            let expected = stride(from: first + 43_200, to: range.upperBound, by: 86_400).filter {
                naive.matchesDay(CivilTime(seconds: $0))
            }
            compare(expression, expected, range, .utc, .cron, seed)
            // Also up to the end of all years, where a search skips many.
            guard expected.isEmpty else { continue }
            let next = expression.next(after: range.upperBound, in: .utc)
            if let next { #expect(naive.matches(next), "\(text) seed \(seed)") }
            let previous = expression.previous(before: first, in: .utc)
            if let previous { #expect(naive.matches(previous), "\(text) seed \(seed)") }
        }
    }

    @Test func farAndRareTimesInEveryPolicy() throws {
        // Two ways to the same times: one by one, and by bisection from random instants.
        let seed = Seeded.seed(7)
        var random = Seeded(seed)
        for zone in [Zones.berlin, Zones.newYork, Zones.lordHowe, Zones.load("Africa/Casablanca")] {
            for _ in 0..<60 {
                let text = RandomExpression.time(&random, hours: [1, 2, 3]) + " " + RandomExpression.allDays(&random)
                let expression = try CronExpression(text)
                let policy = random.pick(DaylightPolicy.allCases)
                let start = Int64(random.number(0...6_000_000_000))
                let all = Array(expression.times(after: start, in: zone, policy: policy).prefix(60))
                for (left, right) in zip([start] + all, all) {
                    let between = Int64.random(in: left..<right, using: &random)
                    #expect(
                        expression.next(after: between, in: zone, policy: policy) == right,
                        "\(text) \(zone.name) \(policy) seed \(seed)"
                    )
                    #expect(
                        expression.previous(before: right + 1, in: zone, policy: policy) == right,
                        "\(text) \(zone.name) \(policy) seed \(seed)"
                    )
                }
                for (left, right) in zip(all, all.dropFirst()) {
                    let between = Int64.random(in: left + 1...right, using: &random)
                    #expect(
                        expression.previous(before: between, in: zone, policy: policy) == left,
                        "\(text) \(zone.name) \(policy) seed \(seed)"
                    )
                }
            }
        }
    }

    private func compare(
        _ expression: CronExpression,
        _ expected: [Int64],
        _ range: Range<Int64>,
        _ zone: TimeZoneRules,
        _ policy: DaylightPolicy,
        _ seed: UInt64
    ) {
        var forward: [Int64] = []
        for time in expression.times(after: range.lowerBound - 1, in: zone, policy: policy) {
            guard time < range.upperBound else { break }
            forward.append(time)
        }
        if forward != expected {
            let wrong = Set(forward).symmetricDifference(expected).sorted().prefix(3).map { utc($0) }
            Issue.record("next: \(expression) in \(zone.name), \(policy), differs at \(wrong), seed \(seed)")
            return
        }
        var backward: [Int64] = []
        var before = range.upperBound
        while let time = expression.previous(before: before, in: zone, policy: policy), time >= range.lowerBound {
            backward.append(time)
            before = time
        }
        if backward.reversed() != expected {
            let wrong = Set(backward).symmetricDifference(expected).sorted().prefix(3).map { utc($0) }
            Issue.record("previous: \(expression) in \(zone.name), \(policy), differs at \(wrong), seed \(seed)")
        }
    }
}
