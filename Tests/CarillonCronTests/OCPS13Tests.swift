import CarillonCron
import Testing

/// OCPS 1.3: last, n-th and nearest days.
@Suite struct OCPS13Tests {
    @Test func lastDayOfTheMonth() throws {
        #expect(
            try times("0 0 L * *", after: "2024-01-15T00:00:00Z", count: 4) == [
                "2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z", "2024-04-30T00:00:00Z",
            ]
        )
        #expect(try isDue("0 0 L * *", "2025-02-28T00:00:00Z"))
        #expect(try !isDue("0 0 L * *", "2025-02-27T00:00:00Z"))
        #expect(try isDue("0 0 1,L * *", "2025-02-01T00:00:00Z"))
        #expect(try isDue("0 0 1,L * *", "2025-02-28T00:00:00Z"))
    }

    @Test(arguments: ["5L", "FRI#L", "5#L", "FRIL", "fri#L"])
    func lastWeekdayOfTheMonth(field: String) throws {
        #expect(try CronExpression("0 0 * * \(field)") == CronExpression("0 0 * * FRI#L"))
        #expect(
            try times("0 0 * * \(field)", after: "2025-02-01T00:00:00Z") == [
                "2025-02-28T00:00:00Z", "2025-03-28T00:00:00Z", "2025-04-25T00:00:00Z",
            ]
        )
    }

    @Test func nthWeekdayOfTheMonth() throws {
        #expect(try isDue("0 0 * * TUE#3", "2025-06-17T00:00:00Z"))
        #expect(try !isDue("0 0 * * TUE#3", "2025-06-10T00:00:00Z"))
        #expect(try isDue("0 0 * * 2#3", "2025-06-17T00:00:00Z"))
        #expect(try isDue("0 0 * * MON#1", "2025-06-02T00:00:00Z"))
        #expect(try CronExpression("0 0 * * 7#2") == CronExpression("0 0 * * SUN#2"))
        // Months with a fifth Friday are rare.
        #expect(
            try times("0 0 * * FRI#5", after: "2025-01-01T00:00:00Z") == [
                "2025-01-31T00:00:00Z", "2025-05-30T00:00:00Z", "2025-08-29T00:00:00Z",
            ]
        )
        #expect(
            try times("0 0 * * MON#1,WED#L,6", after: "2025-06-22T00:00:00Z", count: 4) == [
                "2025-06-25T00:00:00Z", "2025-06-28T00:00:00Z", "2025-07-05T00:00:00Z", "2025-07-07T00:00:00Z",
            ]
        )
    }

    @Test func nearestWeekday() throws {
        // Wednesday, Saturday, Sunday.
        #expect(try isDue("0 12 15W * *", "2025-10-15T12:00:00Z"))
        #expect(try isDue("0 12 15W * *", "2025-11-14T12:00:00Z"))
        #expect(try isDue("0 12 15W * *", "2025-06-16T12:00:00Z"))
        #expect(try !isDue("0 12 15W * *", "2025-06-15T12:00:00Z"))
    }

    @Test func nearestWeekdayStaysInItsMonth() throws {
        #expect(try isDue("0 12 1W * *", "2025-02-03T12:00:00Z"))
        #expect(try !isDue("0 12 1W * *", "2025-01-31T12:00:00Z"))
        // August 31st 2025 is a Sunday.
        #expect(try isDue("0 12 31W * *", "2025-08-29T12:00:00Z"))
        // November has no 31st, and so no weekday nearest to it.
        #expect(try times("0 12 31W * *", after: "2025-11-01T00:00:00Z", count: 1) == ["2025-12-31T12:00:00Z"])
    }

    @Test(arguments: [
        "0 12 1-15W * *", "0 12 1,15W * *", "0 12 15W,1 * *", "0 12 15w * *", "0 12 W * *", "0 12 WW * *",
        "0 12 32W * *",
        "0 12 0W * *", "0 12 15WL * *", "0 12 l * *", "0 12 5L * *", "0 12 LL * *", "0 12 * * L", "0 12 * * 5l",
        "0 12 * * FRI#l",
        "0 12 * * FRI#0", "0 12 * * FRI#6", "0 12 * * FRI#", "0 12 * * 8#1", "0 12 * * MON-FRI#1", "0 12 * * MON#1-3",
        "0 12 * * *#1",
        "0 12 * * #1", "L 12 * * *", "0 L * * *", "0 12 * L *", "0 12 5#1 * *", "0 12 * 5#1 *", "0 12 L-L * *",
        "0 12 15W/2 * *",
        "0 12 * * 15W", "0 12 L/2 * *",
    ])
    func modifiersGoWithOneDayOnly(text: String) {
        #expect(parseError(text) != nil)
    }
}
