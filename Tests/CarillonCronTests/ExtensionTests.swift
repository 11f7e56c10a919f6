import CarillonCron
import Testing

/// Extensions, all of them invalid in the standard.
@Suite struct ExtensionTests {
    @Test func lastMondayToFriday() throws {
        #expect(
            try times("0 18 LW * *", after: "2025-05-01T00:00:00Z", count: 4) == [
                "2025-05-30T18:00:00Z", "2025-06-30T18:00:00Z", "2025-07-31T18:00:00Z", "2025-08-29T18:00:00Z",
            ]
        )
        #expect(
            try times("0 18 LW-1 * *", after: "2025-05-01T00:00:00Z", count: 4) == [
                "2025-05-29T18:00:00Z", "2025-06-27T18:00:00Z", "2025-07-30T18:00:00Z", "2025-08-28T18:00:00Z",
            ]
        )
        // A month has 20 to 23 weekdays.
        #expect(
            try times("0 18 LW-22 * *", after: "2025-01-01T00:00:00Z", count: 2) == [
                "2025-01-01T18:00:00Z", "2025-07-01T18:00:00Z",
            ]
        )
        for bad in [
            "0 18 LW,1 * *", "0 18 1,LW * *", "0 18 lw * *", "0 18 WL * *", "0 18 * * LW", "0 18 L-1W * *",
            "0 18 LW-0 * *",
            "0 18 LW-23 * *", "0 18 LW- * *", "0 18 LW-1,LW * *", "0 18 LW-1W * *",
        ] {
            #expect(parseError(bad) != nil, "\(bad)")
        }
    }

    @Test func daysBeforeTheLast() throws {
        #expect(
            try times("0 0 L-3 * *", after: "2024-01-15T00:00:00Z") == [
                "2024-01-28T00:00:00Z", "2024-02-26T00:00:00Z", "2024-03-28T00:00:00Z",
            ]
        )
        #expect(try times("0 0 L-30 * *", after: "2024-01-15T00:00:00Z", count: 1) == ["2024-03-01T00:00:00Z"])
        #expect(
            try times("0 0 L,L-1 * *", after: "2024-02-15T00:00:00Z", count: 2) == [
                "2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z",
            ]
        )
        for bad in ["0 0 L-0 * *", "0 0 L-31 * *", "0 0 L- * *", "0 0 L-a * *"] {
            #expect(parseError(bad) != nil, "\(bad)")
        }
    }

    @Test func everyIsAGridFromTheEpoch() throws {
        #expect(
            try times("@every 10m", after: "2026-11-23T20:03:00Z", count: 2) == [
                "2026-11-23T20:10:00Z", "2026-11-23T20:20:00Z",
            ]
        )
        #expect(
            try times("@every 10m+3m", after: "2026-11-23T20:03:00Z", count: 2) == [
                "2026-11-23T20:13:00Z", "2026-11-23T20:23:00Z",
            ]
        )
        #expect(
            try times("@every 90s", after: "1970-01-01T00:00:00Z", count: 2) == [
                "1970-01-01T00:01:30Z", "1970-01-01T00:03:00Z",
            ]
        )
        #expect(try CronExpression("@every PT1H30M") == CronExpression("@every 90m"))
        #expect(try CronExpression("@every  PT10M + PT3M") == CronExpression("@every 600s+180s"))
        // Neither zone nor policy has any influence.
        let expression = try CronExpression("@every 7m+1s")
        for policy in DaylightPolicy.allCases {
            var last: Int64 = 1
            for time in expression.times(after: 1, in: Zones.berlin, policy: policy).prefix(100) {
                #expect(time == last + 420)
                last = time
            }
        }
        #expect(expression.next(after: .min, in: .utc) == 1)
        #expect(expression.previous(before: 2, in: .utc) == 1)
        #expect(expression.previous(before: 1, in: .utc) == nil)
        #expect(expression.next(after: .max, in: .utc) == nil)
        #expect(expression.previous(before: .max, in: .utc).map { ($0 - 1) % 420 } == 0)
    }

    @Test(arguments: [
        "@every", "@every 0s", "@every -5m", "@every 5", "@every 1.5h", "@every 500ms", "@every PT0.5S", "@every 5m+5m",
        "@every 5m+",
        "@every +5m", "@every 5m+1m+1m", "@every 5 m", "@every P1M", "@every 1y", "@every 99999999d", "@Every 5m",
        "@every5m",
    ])
    func otherPeriodsAreErrors(text: String) {
        #expect(parseError(text) != nil)
    }

    @Test func atIsOnce() throws {
        let expression = try CronExpression("@at 2026-11-23T21:00:00+01:00")
        #expect(expression.next(after: 0, in: Zones.newYork) == at("2026-11-23T20:00:00Z"))
        #expect(expression.next(after: at("2026-11-23T20:00:00Z"), in: .utc) == nil)
        #expect(expression.previous(before: .max, in: .utc) == at("2026-11-23T20:00:00Z"))
        #expect(expression.previous(before: at("2026-11-23T20:00:00Z"), in: .utc) == nil)
        #expect(expression.canonical == "@at 2026-11-23T20:00:00Z")
        for bad in [
            "@at", "@at tomorrow", "@at 2026-11-23", "@at 2026-11-23T20:00:00", "@at 2026-11-23T20:00:00.5Z",
            "@at 2200-01-01T00:00:00Z", "@at 1969-12-31T23:59:59Z", "@at 2026-02-30T00:00:00Z",
        ] {
            #expect(parseError(bad) != nil, "\(bad)")
        }
    }

    @Test func aBarMakesAUnion() throws {
        #expect(
            try times(
                "0 9 * * MON-FRI | 30 11 * * SAT|@at 2026-11-28T10:00:00Z",
                after: "2026-11-27T00:00:00Z",
                count: 4
            ) == [
                "2026-11-27T09:00:00Z", "2026-11-28T10:00:00Z", "2026-11-28T11:30:00Z", "2026-11-30T09:00:00Z",
            ]
        )
        // A time that matches several members is due once.
        #expect(
            try times("0 9 * * * | 0 9,10 * * *", after: "2026-11-27T00:00:00Z", count: 2) == [
                "2026-11-27T09:00:00Z", "2026-11-27T10:00:00Z",
            ]
        )
        #expect(try CronExpression("0 9 * * * | 0 8 * * *") == CronExpression("0 8 * * *|0 9 * * *|00 8 * * *"))
        #expect(try CronExpression("0 9 * * * | 0 9 * * *") == CronExpression("0 9 * * *"))
        for bad in [
            "|", "0 9 * * * |", "| 0 9 * * *", "0 9 * * * || 0 8 * * *", "0 9 * * * | @reboot", "0 9 * * * | x",
        ] {
            #expect(parseError(bad) != nil, "\(bad)")
        }
    }

    @Test func aTextHas1024Bytes() throws {
        let text = "0 0 1" + String(repeating: ",1", count: 500)
        #expect(
            try CronExpression(text + String(repeating: " ", count: 1_024 - text.utf8.count - 4) + " * *")
                == CronExpression("0 0 1 * *")
        )
        #expect(parseError(String(repeating: " ", count: 1_024) + "*")?.position == 1_025)
    }
}
