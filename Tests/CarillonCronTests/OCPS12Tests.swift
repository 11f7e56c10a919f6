import CarillonCron
import Testing

/// OCPS 1.2: seconds and years.
@Suite struct OCPS12Tests {
    @Test func fiveFieldsAreAtSecondZero() throws {
        #expect(try isDue("15 10 * * *", "2025-03-10T10:15:00Z"))
        #expect(try !isDue("15 10 * * *", "2025-03-10T10:15:30Z"))
        #expect(try CronExpression("15 10 * * *") == CronExpression("0 15 10 * * *"))
    }

    @Test func sixFieldsBeginWithTheSecond() throws {
        #expect(try isDue("30 15 10 * * *", "2025-03-10T10:15:30Z"))
        #expect(try !isDue("30 15 10 * * *", "2025-03-10T10:15:29Z"))
        #expect(
            try times("*/20 * * * * *", after: "2025-03-10T10:15:30Z") == [
                "2025-03-10T10:15:40Z", "2025-03-10T10:16:00Z", "2025-03-10T10:16:20Z",
            ]
        )
        // Every second of Sundays: the last of six fields is always the day of the week.
        #expect(try times("* * * * * */10", after: "2025-03-10T10:15:30Z", count: 1) == ["2025-03-16T00:00:00Z"])
    }

    @Test func sevenFieldsEndWithTheYear() throws {
        #expect(try isDue("0 15 10 * * * 2025", "2025-03-10T10:15:00Z"))
        #expect(try !isDue("0 15 10 * * * 2025", "2026-03-10T10:15:00Z"))
        #expect(
            try times("0 0 12 1 1 * 2025-2027,2030", after: "2025-06-01T00:00:00Z", count: 9) == [
                "2026-01-01T12:00:00Z", "2027-01-01T12:00:00Z", "2030-01-01T12:00:00Z",
            ]
        )
        #expect(try CronExpression("0 15 10 * * * *") == CronExpression("0 15 10 * * *"))
    }

    @Test func yearStepsCountFrom1970() throws {
        #expect(
            try times("0 0 0 1 1 * */2", after: "2025-06-01T00:00:00Z", count: 2) == [
                "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z",
            ]
        )
        #expect(try CronExpression("0 0 0 1 1 * */2") == CronExpression("0 0 0 1 1 * 1970-2199/2"))
        #expect(
            try times("0 0 0 1 1 * 1971-2199/2", after: "2025-06-01T00:00:00Z", count: 1) == ["2027-01-01T00:00:00Z"]
        )
        #expect(try times("0 0 0 1 1 * 2199", after: "2025-06-01T00:00:00Z") == ["2199-01-01T00:00:00Z"])
        #expect(try CronExpression("0 0 0 1 1 * 1970").previous(before: at("2025-06-01T00:00:00Z"), in: .utc) == 0)
    }

    @Test(arguments: [
        "60 * * * * *", "0 0 0 1 1 * 1969", "0 0 0 1 1 * 2200", "0 0 0 1 1 * 25", "0 0 * * MON 2025", "* * * *", "*",
        "",
        "   ", "0 0 0 1 1 * 2025 *", "0 0 0 1 1 * L",
    ])
    func otherCountsAndYearsAreErrors(text: String) {
        #expect(parseError(text) != nil)
    }
}
