import CarillonCron
import Testing

/// `@every … from …`: periods counted from a start, on the local clock or in elapsed time.
@Suite struct IntervalTests {
    @Test func everyOtherWeekKeepsItsTimeOfDay() throws {
        // Clocks in Berlin are set forward on 2026-03-29.
        #expect(
            try times("@every 14d from 2026-03-16T09:00", after: "2026-01-01T00:00:00Z", in: Zones.berlin) == [
                "2026-03-16T08:00:00Z", "2026-03-30T07:00:00Z", "2026-04-13T07:00:00Z",
            ]
        )
        #expect(
            try times(
                "@every 2w on MON,FRI from 2026-03-18T09:00",
                after: "2026-01-01T00:00:00Z",
                in: Zones.berlin,
                count: 4
            )
                == ["2026-03-20T08:00:00Z", "2026-03-30T07:00:00Z", "2026-04-03T07:00:00Z", "2026-04-13T07:00:00Z"]
        )
        #expect(
            try times("@every 14d from 2026-03-16T09:00:00+01:00", after: "2026-01-01T00:00:00Z", in: Zones.berlin) == [
                "2026-03-16T08:00:00Z", "2026-03-30T08:00:00Z", "2026-04-13T08:00:00Z",
            ]
        )
    }

    @Test func nothingIsDueBeforeTheStart() throws {
        for text in ["@every 1h from 2026-01-05T09:00", "@every 1h from 2026-01-05T09:00:00Z"] {
            let expression = try CronExpression(text)
            #expect(expression.next(after: .min, in: .utc) == at("2026-01-05T09:00:00Z"))
            #expect(expression.previous(before: at("2026-01-05T09:00:00Z"), in: .utc) == nil)
            #expect(expression.previous(before: at("2026-01-05T09:00:01Z"), in: .utc) == at("2026-01-05T09:00:00Z"))
            #expect(expression.next(after: .max, in: .utc) == nil)
        }
    }

    @Test func daylightPoliciesApplyToPeriodsOfMoreThanAnHour() throws {
        let daily = "@every 1d from 2027-03-01T02:30"
        let gap = "2027-03-27T12:00:00Z"
        #expect(try times(daily, after: gap, in: Zones.berlin, .cron, count: 1) == ["2027-03-28T01:00:00Z"])
        #expect(try times(daily, after: gap, in: Zones.berlin, .skip, count: 1) == ["2027-03-29T00:30:00Z"])
        let overlap = "2027-10-30T12:00:00Z"
        #expect(
            try times(daily, after: overlap, in: Zones.berlin, .both, count: 2) == [
                "2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z",
            ]
        )
        #expect(
            try times(daily, after: overlap, in: Zones.berlin, .cron, count: 2) == [
                "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z",
            ]
        )
        // Half an hour follows the clock: no silent hour.
        #expect(
            try times("@every 30m from 2027-03-01", after: "2027-10-31T00:29:00Z", in: Zones.berlin, count: 4) == [
                "2027-10-31T00:30:00Z", "2027-10-31T01:00:00Z", "2027-10-31T01:30:00Z", "2027-10-31T02:00:00Z",
            ]
        )
    }

    @Test(arguments: [
        ("@every 14d from 2026-01-05T09:00 Europe/Berlin", "@every 14d from 2026-01-05T09:00"),
        ("@every 2w on MON from 2026-01-05T09:00:00Z", "@every 2w on MON from 2026-01-05T09:00:00"),
        ("@every 2 weeks from 2026-01-05", "@every 2w from 2026-01-05"),
        ("@every 14d from 2026-1-5T9:00+1", "@every 14d from 2026-01-05T09:00:00+01:00"),
    ])
    func wrongStartsAreCorrected(text: String, suggestion: String) {
        #expect(parseError(text)?.suggestion == suggestion, "\(parseError(text)?.message ?? "valid")")
    }

    @Test(arguments: [
        "@every 14d from", "@every 14d from noon", "@every 14d from 2026-02-30", "@every 14d from 2026-01-05T25:00",
        "@every 14d+1d from 2026-01-05", "@every from 2026-01-05", "@every 2w on MON", "@every 2w on from 2026-01-05",
        "@every 3d on MON from 2026-01-05", "@every 2w on MON WED from 2026-01-05",
        "@every 2w on MON#1 from 2026-01-05",
        "@every 2w on * from 2026-01-05", "@every 2w on +MON from 2026-01-05", "@every 14d from 2200-01-01",
        "@every 14d from 1969-12-31T23:59", "@every 14d from 2026-01-05T09:00 from 2026-01-05",
        "@every 0s from 2026-01-05", "@every 14d from 2026-01-05T09:00:00.5",
    ])
    func otherStartsAreErrors(text: String) {
        #expect(parseError(text) != nil)
    }

    @Test func theOrderOfStartAndWeekdaysDoesNotMatter() throws {
        #expect(
            try CronExpression("@every 2w from 2026-01-05T09:00 on MON,WED")
                == CronExpression("@every 2w on MON,WED from 2026-01-05T09:00")
        )
    }
}

/// Intervals on the local clock against a walk over every second.
@Suite struct IntervalOracleTests {
    @Test func intervalsAroundTransitions() throws {
        let seed = Seeded.seed(11)
        var random = Seeded(seed)
        var compared = 0
        let zones = [
            Zones.berlin, Zones.newYork, Zones.lordHowe, Zones.load("America/Havana"), Zones.load("Antarctica/Troll"),
            Zones.load("Africa/Casablanca"),
        ]
        for zone in zones {
            var transition = at("2026-01-01T00:00:00Z")
            for _ in 0..<4 {
                transition = try #require(zone.transition(after: transition))
                for _ in 0..<12 {
                    let naive = NaiveInterval.random(&random, near: zone.civilTime(at: transition - 1))
                    let expression = try CronExpression(naive.text)
                    let policy = random.pick(DaylightPolicy.allCases)
                    let range = transition - 9_000..<transition + 9_000
                    let due = naive.dueTimes(range, from: range.lowerBound - 8_000, in: zone, policy)
                    var found: [Int64] = []
                    for time in expression.times(after: range.lowerBound - 1, in: zone, policy: policy) {
                        guard time < range.upperBound else { break }
                        found.append(time)
                    }
                    #expect(found == due, "\(naive.text) \(zone.name) \(policy) seed \(seed)")
                    var back: [Int64] = []
                    var before = range.upperBound
                    while let time = expression.previous(before: before, in: zone, policy: policy),
                        time >= range.lowerBound
                    {
                        back.append(time)
                        before = time
                    }
                    #expect(back.reversed() == due, "\(naive.text) \(zone.name) \(policy) seed \(seed)")
                    compared += due.isEmpty ? 0 : 1
                }
            }
        }
        #expect(compared > 100, "seed \(seed)")
    }

    @Test func daysOfManyYears() throws {
        let seed = Seeded.seed(12)
        var random = Seeded(seed)
        for _ in 0..<300 {
            let year = random.number(1970...2190)
            let naive = NaiveInterval.random(
                &random,
                near: CivilTime(year: year, month: random.number(1...12), day: 15, hour: 9)
            )
            let expression = try CronExpression(naive.text)
            let end = naive.start + 120 * 86_400
            // Every period is a multiple of the step; other periods are walked separately.
            let step = naive.weekdays.isEmpty ? naive.period : 86_400
            let expected = stride(from: naive.start, to: end, by: Int(step)).filter { naive.matches($0) }
            let found = expression.times(after: .min, in: .utc).prefix(expected.count + 1).filter { $0 < end }
            #expect(found == expected, "\(naive.text) seed \(seed)")
            for (left, right) in zip(expected, expected.dropFirst()).prefix(50) {
                let between = Int64.random(in: left + 1...right, using: &random)
                #expect(expression.previous(before: between, in: .utc) == left, "\(naive.text) seed \(seed)")
                #expect(expression.next(after: between - 1, in: .utc) == right, "\(naive.text) seed \(seed)")
            }
        }
    }
}
