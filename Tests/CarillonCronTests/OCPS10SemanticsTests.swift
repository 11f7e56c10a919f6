import CarillonCron
import Testing

/// OCPS 1.0, section 6: days named in both fields, and dates that do not exist.
@Suite struct OCPS10SemanticsTests {
    @Test func restrictedDaysAreJoinedByOr() throws {
        #expect(try isDue("0 12 1 * MON", "2025-10-01T12:00:00Z"))
        #expect(try isDue("0 12 1 * MON", "2025-10-06T12:00:00Z"))
        #expect(try !isDue("0 12 1 * MON", "2025-10-07T12:00:00Z"))
    }

    @Test func aWildcardRestrictsNothing() throws {
        #expect(try isDue("0 12 * * MON", "2025-10-06T12:00:00Z"))
        #expect(try !isDue("0 12 * * MON", "2025-10-07T12:00:00Z"))
        #expect(try isDue("0 12 7 * *", "2025-10-07T12:00:00Z"))
        #expect(try !isDue("0 12 7 * *", "2025-10-06T12:00:00Z"))
    }

    @Test func restrictedMeansNotExactlyAStar() throws {
        // All days by number, and therefore every day.
        #expect(try isDue("0 12 1-31 * MON", "2025-10-07T12:00:00Z"))
        #expect(try isDue("0 12 */1 * MON", "2025-10-07T12:00:00Z"))
        #expect(try isDue("0 12 */2 * MON", "2025-10-07T12:00:00Z"))
        #expect(try !isDue("0 12 */2 * MON", "2025-10-08T12:00:00Z"))
        #expect(try isDue("0 12 13 * */1", "2025-10-08T12:00:00Z"))
    }

    @Test(arguments: [
        "* * 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 0 29 2 * 2025", "0 0 0 29 2 * 2100", "0 0 31 2 +MON",
    ])
    func datesThatDoNotExistAreValidAndNeverDue(text: String) throws {
        let expression = try CronExpression(text)
        for zone in [TimeZoneRules.utc, Zones.berlin] {
            for policy in DaylightPolicy.allCases {
                #expect(expression.next(after: at("2025-01-01T00:00:00Z"), in: zone, policy: policy) == nil)
                #expect(expression.next(after: .min, in: zone, policy: policy) == nil)
                #expect(expression.previous(before: at("2025-01-01T00:00:00Z"), in: zone, policy: policy) == nil)
                #expect(expression.previous(before: .max, in: zone, policy: policy) == nil)
            }
        }
        #expect(expression.explained().hasSuffix("which never happens"))
    }

    @Test func leapDays() throws {
        #expect(
            try times("0 0 29 2 *", after: "2095-01-01T00:00:00Z", count: 2) == [
                "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z",
            ]
        )
        #expect(try times("0 0 29 2 *", after: "1999-01-01T00:00:00Z", count: 1) == ["2000-02-29T00:00:00Z"])
        let expression = try CronExpression("0 0 29 2 *")
        #expect(expression.previous(before: at("2103-12-31T00:00:00Z"), in: .utc) == at("2096-02-29T00:00:00Z"))
    }

    @Test func monthsAndYearsAreSteppedOver() throws {
        #expect(try times("59 23 31 12 *", after: "2026-12-31T23:59:00Z", count: 1) == ["2027-12-31T23:59:00Z"])
        #expect(
            try times("0 0 31 * *", after: "2026-01-31T00:00:00Z", count: 2) == [
                "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z",
            ]
        )
    }

    @Test func theRangeIsTheYears1970To2199() throws {
        let expression = try CronExpression("* * * * * *")
        #expect(expression.next(after: .min, in: .utc) == 0)
        #expect(expression.next(after: at("2199-12-31T23:59:58Z"), in: .utc) == at("2199-12-31T23:59:59Z"))
        #expect(expression.next(after: at("2199-12-31T23:59:59Z"), in: .utc) == nil)
        #expect(expression.next(after: .max, in: .utc) == nil)
        #expect(expression.previous(before: .max, in: .utc) == at("2199-12-31T23:59:59Z"))
        #expect(expression.previous(before: 1, in: .utc) == 0)
        #expect(expression.previous(before: 0, in: .utc) == nil)
        #expect(expression.previous(before: .min, in: .utc) == nil)
        // Years are on the local clock.
        #expect(expression.next(after: .min, in: Zones.berlin) == -3_600)
        #expect(expression.previous(before: .max, in: Zones.berlin) == at("2199-12-31T23:59:59+01:00"))
        #expect(expression.previous(before: .max, in: Zones.newYork) == at("2199-12-31T23:59:59-05:00"))
    }
}
