import CarillonCron
import Testing

@Suite struct TextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_795_464_000_123, "2026-11-23T20:00:00.123Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (-62_135_596_800_000, "0001-01-01T00:00:00Z"), (253_402_300_799_001, "9999-12-31T23:59:59.001Z"),
        ] as [(Int64, String)]
    )
    func timesAreWrittenAndRead(milliseconds: Int64, text: String) {
        #expect(RFC3339.format(milliseconds: milliseconds) == text)
        #expect(RFC3339.parse(text) == milliseconds)
    }

    @Test func offsetsAndFractions() {
        #expect(RFC3339.parse("2026-11-23T21:30:00+01:30") == RFC3339.parse("2026-11-23T20:00:00Z"))
        #expect(RFC3339.parse("2026-11-23T18:30:00-01:30") == RFC3339.parse("2026-11-23T20:00:00z"))
        #expect(RFC3339.parse("2026-11-23t20:00:00.1Z") == RFC3339.parse("2026-11-23 20:00:00.100999999Z"))
        #expect(RFC3339.parse("1969-12-31T23:59:59.9Z") == -100)
        #expect(RFC3339.format(seconds: 0, offset: 3_600) == "1970-01-01T01:00:00+01:00")
        #expect(RFC3339.format(seconds: 0, offset: -16_200) == "1969-12-31T19:30:00-04:30")
        #expect(RFC3339.format(seconds: 0, offset: 0) == "1970-01-01T00:00:00Z")
    }

    @Test(arguments: [
        "", "2026", "2026-11-23", "2026-11-23T20:00:00", "2026-11-23T20:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T20:60:00Z", "2026-11-23T23:59:60Z",
        "2026-11-23T20:00:00.Z",
        "2026-11-23T20:00:00.1234567890Z", "2026-11-23T20:00:00+1:00", "2026-11-23T20:00:00+24:00",
        "2026-11-23T20:00:00+0100",
        "2026-11-23T20:00:00Zx", "+2026-11-23T20:00:00Z", " 2026-11-23T20:00:00Z", "2026-1-23T20:00:00Z",
        "２026-11-23T20:00:00Z",
    ])
    func otherTextsAreNotTimes(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }

    @Test(
        arguments: [
            ("90s", 90_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("250ms", 250),
            ("1m5ms", 60_005), ("1w", 604_800_000),
            ("0s", 0), ("PT1H30M", 5_400_000), ("P1D", 86_400_000), ("P1DT12H", 129_600_000), ("P2W", 1_209_600_000),
            ("PT0.5S", 500),
            ("PT90S", 90_000), ("PT1,25S", 1_250),
        ] as [(String, Int64)]
    )
    func durations(text: String, milliseconds: Int64) {
        #expect(DurationText.parse(text) == milliseconds)
        #expect(DurationText.parse(DurationText.format(milliseconds: milliseconds)) == milliseconds)
    }

    @Test(arguments: [
        "", "5", "m", "-5m", "5M", "1.5h", "1m1h", "1s1s", "5 m", "P", "PT", "P1", "P1H", "PT1D", "P1Y", "P1M",
        "PT0.5H", "PT1S1M", "pt1s",
        "PT0.1234S", "99999999999999999999s", "9999999999999d", "P1DT",
    ])
    func otherTextsAreNotDurations(text: String) {
        #expect(DurationText.parse(text) == nil)
    }
}
