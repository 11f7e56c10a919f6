import CarillonCron
import Testing

/// Whether an expression is ever due, and the reason if not.
@Suite struct ForecastTests {
    @Test(arguments: [
        ("0 0 30 2 *", "30 February does not exist"), ("0 0 30,31 2 *", "30 February and 31 February do not exist"),
        ("0 0 31 2,4,6 *", "31 February, 31 April and 31 June do not exist"),
        (
            "0 0 31 2,4,6,9,11 *",
            "none of its days of the month exists in February, April, June, September and November"
        ),
        ("0 0 0 29 2 * 2027", "29 February does not exist in 2027"),
        ("0 0 0 29 2 * 2025,2027", "29 February does not exist in 2025 and 2027"),
        ("0 0 0 29 2 * 1971-1999/4", "29 February does not exist in any of its years"),
        ("0 0 1-7 * +MON#2", "no day of a month matches the day of month 1-7 and the day of week +1#2"),
        ("0 0 L-30 2 *", "no day of February matches the day of month L-30"),
        ("0 0 0 LW-22 2 * 2030", "no day of February of its years matches the day of month LW-22"),
        ("0 0 0 1 1 * 2024", "the year 2024 is over"),
        ("* * * * * * 2020-2026", "the last of its years, 2026, is over"),
        ("0 0 0 29 2 * 2024-2027", "its last time, 2024-02-29T00:00:00+01:00, is over"),
        ("0 0 0 1 1 * 2027", "its last time, 2027-01-01T00:00:00+01:00, is over"),
        ("@at 2026-11-23T20:00:00Z", "its only time, 2026-11-23T21:00:00+01:00, is over"),
        ("@reboot", "@reboot names no time"),
        ("0 0 30 2 * | 0 0 0 1 1 * 2024", "the year 2024 is over; and 30 February does not exist"),
        (
            "0 0 30 2 * | @at 1970-01-01T00:00:00Z | 0 0 30 2 *",
            "30 February does not exist; and its only time, 1970-01-01T01:00:00+01:00, is over"
        ),
    ])
    func neverHasAReason(text: String, reason: String) throws {
        let now = at("2027-06-01T00:00:00Z")
        #expect(try CronExpression(text).forecast(after: now, in: Zones.berlin) == .never(reason: reason))
    }

    @Test func theClockMayNeverShowIt() throws {
        let expression = try CronExpression("0 30 2 28 3 * 2027")
        let now = at("2027-01-01T00:00:00Z")
        #expect(expression.forecast(after: now, in: Zones.berlin) == .due(at("2027-03-28T01:00:00Z")))
        #expect(
            expression.forecast(after: now, in: Zones.berlin, policy: .skip)
                == .never(reason: "the clocks of Europe/Berlin never show its times: they are set forward over them")
        )
    }

    @Test func theYearsEnd() throws {
        for text in ["@daily", "@every 1d", "@every 1d from 2026-01-05"] {
            let reason = "its last time, 2199-12-31T00:00:00Z, is over: schedules end with the year 2199"
            #expect(try CronExpression(text).forecast(after: .max, in: .utc) == .never(reason: reason))
        }
        #expect(
            try CronExpression("@every 200w on MON,TUE from 2199-12-31T09:00").forecast(after: 0, in: .utc)
                == .due(at("2199-12-31T09:00:00Z"))
        )
        #expect(
            try CronExpression("@every 2w on MON from 2199-12-31T09:00").forecast(after: 0, in: .utc)
                == .never(reason: "it would begin too close to the end of the year 2199, where schedules end")
        )
    }

    @Test func anEndCounts() throws {
        let expression = try CronExpression("0 9 * * MON")
        let now = at("2026-11-24T00:00:00Z")
        let monday = at("2026-11-30T09:00:00Z")
        #expect(expression.forecast(after: now, through: monday, in: .utc) == .due(monday))
        #expect(
            expression.forecast(after: now, through: monday - 1, in: .utc)
                == .never(reason: "the next time is 2026-11-30T09:00:00Z, which is after the end 2026-11-30T08:59:59Z")
        )
    }

    @Test func theAnswerIsThatOfNext() throws {
        let seed = Seeded.seed(41)
        var random = Seeded(seed)
        for _ in 0..<400 {
            let text =
                RandomExpression.time(&random, hours: [2]) + " " + RandomExpression.allDays(&random)
                + RandomExpression.year(&random)
            let expression = try CronExpression(text)
            let now = Int64(random.number(-1_000...7_500_000_000))
            switch expression.forecast(after: now, in: Zones.berlin) {
            case .due(let time): #expect(expression.next(after: now, in: Zones.berlin) == time)
            case .never(let reason):
                #expect(expression.next(after: now, in: Zones.berlin) == nil && !reason.isEmpty, "\(text) seed \(seed)")
                // An expression that was never due does not exist; an expression that was due is over.
                let wasDue = expression.previous(before: .max, in: Zones.berlin) != nil
                #expect(reason.contains("is over") == wasDue, "\(text): \(reason) seed \(seed)")
            }
        }
    }
}
