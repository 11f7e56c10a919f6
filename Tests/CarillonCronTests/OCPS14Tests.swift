import CarillonCron
import Testing

/// OCPS 1.4: and, question mark, calendar. Daylight saving time has its own suite.
@Suite struct OCPS14Tests {
    @Test func orIsTheDefault() throws {
        for day in ["2025-09-01T12:00:00Z", "2025-09-08T12:00:00Z", "2025-10-01T12:00:00Z"] {
            #expect(try isDue("0 12 1 * MON", day))
        }
        #expect(try !isDue("0 12 1 * MON", "2025-10-07T12:00:00Z"))
    }

    @Test func plusRequiresBoth() throws {
        #expect(try isDue("0 12 1 * +MON", "2025-09-01T12:00:00Z"))
        #expect(try !isDue("0 12 1 * +MON", "2025-09-08T12:00:00Z"))
        #expect(try !isDue("0 12 1 * +MON", "2025-10-01T12:00:00Z"))
        #expect(
            try times("0 0 13 * +FRI", after: "2026-01-01T00:00:00Z") == [
                "2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z", "2026-11-13T00:00:00Z",
            ]
        )
        // A last day of the month that is a last Friday.
        #expect(try times("0 0 L * +FRI#L", after: "2026-01-01T00:00:00Z", count: 1) == ["2026-07-31T00:00:00Z"])
        #expect(try CronExpression("0 0 * * +MON") == CronExpression("0 0 * * MON"))
        #expect(try CronExpression("0 0 1 * +*") == CronExpression("0 0 1 * *"))
    }

    @Test(arguments: [
        "0 12 +1 * MON", "0 12 1 +1 *", "+0 12 * * *", "0 12 1 * MON+", "0 12 1 * MON,+TUE", "0 12 1 * ++MON",
        "0 12 1 * +", "+",
    ])
    func plusElsewhereIsAnError(text: String) {
        #expect(parseError(text) != nil)
    }

    @Test func questionMarkIsAStarInDays() throws {
        #expect(try CronExpression("0 12 ? * MON") == CronExpression("0 12 * * MON"))
        #expect(try CronExpression("0 12 1 * ?") == CronExpression("0 12 1 * *"))
        #expect(try CronExpression("0 12 ? * ?") == CronExpression("0 12 * * *"))
    }

    @Test(arguments: [
        "? 12 * * *", "0 ? * * *", "0 12 * ? *", "? 0 12 * * *", "0 0 12 * * * ?", "0 12 ?/2 * *", "0 12 1,? * *",
        "0 12 ?? * *",
    ])
    func questionMarkElsewhereIsAnError(text: String) {
        #expect(parseError(text) != nil)
    }

    @Test func theCalendarIsProlepticGregorian() throws {
        #expect(CivilTime(year: 2000, month: 2, day: 29).seconds == at("2000-02-29T00:00:00Z"))
        #expect(CivilTime(year: 1970, month: 1, day: 1).weekday == 4)
        #expect(CivilTime(year: 1, month: 1, day: 1).seconds == -62_135_596_800)
        #expect(CivilTime(year: 1, month: 1, day: 1).weekday == 1)
        #expect(CivilTime(seconds: -62_135_596_801).description == "0000-12-31T23:59:59")
        #expect(CivilTime(seconds: at("2020-12-31T23:00:00Z"), offset: 3_600).description == "2021-01-01T00:00:00")
        var time = CivilTime(seconds: -5 * 86_400 * 366 * 400)
        for _ in 0..<4_000 {
            let seconds = time.seconds + 86_400 * 997
            let next = CivilTime(seconds: seconds)
            #expect(next.seconds == seconds && next > time && next.weekday == (time.weekday + 997) % 7)
            time = next
        }
    }
}
