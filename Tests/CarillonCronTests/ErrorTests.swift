import CarillonCron
import Testing

/// Errors have the position, the cause and the correction.
@Suite struct ErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var field: String?
        var position: Int
        var found: String
        /// Part of the message.
        var says: String
        var testDescription: String { text }
    }

    @Test(arguments: [
        Case(text: "60 0 * * *", field: "minute", position: 1, found: "60", says: "allowed are 0-59"),
        Case(text: "0 24 * * *", field: "hour", position: 3, found: "24", says: "allowed are 0-23"),
        Case(text: "  0  0 32 * *", field: "day of month", position: 8, found: "32", says: "1-31"),
        Case(text: "0 0 * 13 *", field: "month", position: 7, found: "13", says: "1-12 and JAN-DEC"),
        Case(text: "0 0 * * 8", field: "day of week", position: 9, found: "8", says: "0 and 7 are Sunday"),
        Case(text: "61 0 0 * * *", field: "second", position: 1, found: "61", says: "0-59"),
        Case(text: "0 0 0 * * * 1969", field: "year", position: 13, found: "1969", says: "1970-2199"),
        Case(text: "10/5 * * * *", field: "minute", position: 1, found: "10/5", says: "write 10-59/5"),
        Case(text: "0 0 3/7 * *", field: "day of month", position: 5, found: "3/7", says: "write 3-31/7"),
        Case(text: "0 0 * * 1/2", field: "day of week", position: 9, found: "1/2", says: "write 1-6/2"),
        Case(text: "*/0 * * * *", field: "minute", position: 3, found: "0", says: "at least 1"),
        Case(text: "0 22-4 * * *", field: "hour", position: 3, found: "22-4", says: "write 22-23,0-4"),
        Case(text: "0 0 * * 5-0", field: "day of week", position: 9, found: "5-0", says: "write 5-7"),
        Case(
            text: "0 12 * * MON 2026",
            field: "day of week",
            position: 14,
            found: "2026",
            says: "write 0 0 12 * * MON 2026"
        ),
        Case(
            text: "0 12 * * ? 2026-2030",
            field: "day of week",
            position: 12,
            found: "2026-2030",
            says: "looks like a year"
        ),
        Case(text: "*/5 * * * * 30", field: "day of week", position: 13, found: "30", says: "write 30 */5 * * * *"),
        Case(text: "* * * *", field: nil, position: 8, found: "", says: "5 (minute first), 6 (second first) or 7"),
        Case(text: "* * * * * * * *", field: nil, position: 15, found: "*", says: "there are 8"),
        Case(text: "", field: nil, position: 1, found: "", says: "5 fields"),
        Case(text: "0 9 * * FRIDAY", field: "day of week", position: 9, found: "FRIDAY", says: "write FRI"),
        Case(text: "0 9 1 sept *", field: "month", position: 7, found: "sept", says: "write SEP"),
        Case(
            text: "0 9 MON * *",
            field: "day of month",
            position: 5,
            found: "MON",
            says: "weekday and stands in the wrong field"
        ),
        Case(
            text: "0 9 * * JAN",
            field: "day of week",
            position: 9,
            found: "JAN",
            says: "month and stands in the wrong field"
        ),
        Case(text: "0 9 * * L", field: "day of week", position: 9, found: "L", says: "SAT#L"),
        Case(text: "0 9 * * 5l", field: "day of week", position: 10, found: "l", says: "capital letter L"),
        Case(text: "0 9 15w * *", field: "day of month", position: 7, found: "w", says: "capital letter W"),
        Case(text: "0 9 1-15W * *", field: "day of month", position: 5, found: "1-15W", says: "15W"),
        Case(text: "0 9 1,15W * *", field: "day of month", position: 7, found: "15W", says: "list"),
        Case(text: "H 9 * * *", field: "minute", position: 1, found: "H", says: "Jenkins"),
        Case(text: "0 12 * * 2026", field: "day of week", position: 10, found: "2026", says: "looks like a year"),
        Case(text: "0 0 5-L * *", field: "day of month", position: 7, found: "L", says: "31"),
        Case(text: "cron(0 12 * * ? *)", field: nil, position: 1, found: "cron(0 12 * * ? *)", says: "form of AWS"),
        Case(text: "rate(5 minutes)", field: nil, position: 1, found: "rate(5 minutes)", says: "@every 5m"),
        Case(text: "~ 9 * * *", field: "minute", position: 1, found: "~", says: "random"),
        Case(text: "? 9 * * *", field: "minute", position: 1, found: "?", says: "write *"),
        Case(
            text: "0 9 +1 * *",
            field: "day of month",
            position: 5,
            found: "+",
            says: "first character of the day of week"
        ),
        Case(text: "CRON_TZ=UTC 0 9 * * *", field: nil, position: 1, found: "CRON_TZ=UTC", says: "setting of its own"),
        Case(text: "@Daily", field: nil, position: 1, found: "@Daily", says: "small letters; write @daily"),
        Case(text: "@minutely", field: nil, position: 1, found: "@minutely", says: "write * * * * *"),
        Case(text: "@nightly", field: nil, position: 1, found: "@nightly", says: "@midnight"),
        Case(text: "@daily x", field: nil, position: 8, found: "x", says: "stands alone"),
        Case(text: "@every 5x", field: nil, position: 8, found: "5x", says: "90s"),
        Case(text: "@every 5m+7m", field: nil, position: 11, found: "7m", says: "shorter than the period"),
        Case(text: "@at noon", field: nil, position: 5, found: "noon", says: "RFC 3339"),
        Case(text: "é 9 * * *", field: "minute", position: 1, found: "é", says: "not a character"),
        Case(text: "0 9 * * é", field: "day of week", position: 9, found: "é", says: "not a character"),
        Case(text: "0 9 * * * | 0 25 * * *", field: "hour", position: 15, found: "25", says: "0-23"),
        Case(text: "0 9 * * *\n", field: nil, position: 10, found: " ", says: "is a line break"),
        Case(text: "1,,2 * * * *", field: "minute", position: 3, found: ",", says: "between all its commas"),
        Case(text: "1, * * * *", field: "minute", position: 3, found: " ", says: "between all its commas"),
    ])
    func errorsTeach(expected: Case) throws {
        let error = try #require(parseError(expected.text))
        #expect(error.field == expected.field)
        #expect(error.position == expected.position)
        #expect(error.found == expected.found)
        #expect(error.message.contains(expected.says), "\(error.message)")
        #expect(error.message.contains("character \(error.position)") && error.message.hasSuffix("."))
        #expect(error.description == error.message)
    }
}
