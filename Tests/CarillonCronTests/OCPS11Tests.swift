import CarillonCron
import Testing

/// OCPS 1.1: nicknames.
@Suite struct OCPS11Tests {
    @Test(arguments: [
        ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"), ("@monthly", "0 0 1 * *"), ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@hourly", "0 * * * *"),
    ])
    func nicknamesAreTheirFields(nickname: String, fields: String) throws {
        let expression = try CronExpression(nickname)
        #expect(try expression == CronExpression(fields))
        #expect(expression.text == nickname)
        let start = at("2026-02-03T04:05:06Z")
        #expect(try expression.next(after: start, in: .utc) == CronExpression(fields).next(after: start, in: .utc))
        #expect(!expression.isReboot)
    }

    @Test func nicknamesFallOnSecondZero() throws {
        #expect(try times("@hourly", after: "2026-02-03T04:05:06Z", count: 1) == ["2026-02-03T05:00:00Z"])
        #expect(try times("@weekly", after: "2025-10-01T00:00:00Z", count: 1) == ["2025-10-05T00:00:00Z"])
    }

    @Test(arguments: [
        "@Daily", "@DAILY", "@daily 0 0 * * *", "0 0 * * * @daily", "@", "@dayly", "@daily @daily", "@ daily",
        "@reboot x",
    ])
    func nicknamesAreExactAndStandAlone(text: String) {
        #expect(parseError(text) != nil)
    }

    @Test func rebootParsesAndIsNeverDue() throws {
        let expression = try CronExpression("@reboot")
        #expect(expression.isReboot)
        #expect(expression.next(after: 0, in: .utc) == nil)
        #expect(expression.previous(before: .max, in: .utc) == nil)
        #expect(expression.canonical == "@reboot")
    }
}
