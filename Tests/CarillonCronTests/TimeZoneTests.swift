import CarillonCron
import Testing

@Suite struct TimeZoneTests {
    @Test func offsetsOfBerlin() {
        let zone = Zones.berlin
        #expect(
            zone.offset(at: at("2026-01-01T00:00:00Z"))
                == ZoneOffset(seconds: 3_600, abbreviation: "CET", isDaylight: false)
        )
        #expect(
            zone.offset(at: at("2026-07-01T00:00:00Z"))
                == ZoneOffset(seconds: 7_200, abbreviation: "CEST", isDaylight: true)
        )
        #expect(zone.offset(at: at("2027-03-28T00:59:59Z")).seconds == 3_600)
        #expect(zone.offset(at: at("2027-03-28T01:00:00Z")).seconds == 7_200)
        #expect(zone.offset(at: .min).abbreviation == "LMT")
        #expect(zone.transition(after: at("2027-01-01T00:00:00Z")) == at("2027-03-28T01:00:00Z"))
        #expect(zone.civilTime(at: at("2027-03-28T01:00:00Z")) == CivilTime(year: 2027, month: 3, day: 28, hour: 3))
    }

    @Test func footerRuleAppliesIndefinitely() {
        // Last Sundays of March and October, long after the last transition of the file.
        for (year, march, october) in [(2100, 28, 31), (2199, 31, 27), (2300, 25, 28), (9999, 28, 31)] {
            for zone in [Zones.berlin] {
                let spring = CivilTime(year: year, month: 3, day: march, hour: 1).seconds
                let autumn = CivilTime(year: year, month: 10, day: october, hour: 1).seconds
                #expect(
                    zone.offset(at: spring - 1).seconds == 3_600 && zone.offset(at: spring).seconds == 7_200,
                    "\(year)"
                )
                #expect(
                    zone.offset(at: autumn - 1).seconds == 7_200 && zone.offset(at: autumn).seconds == 3_600,
                    "\(year)"
                )
            }
        }
    }

    @Test func offsetsOfSeconds() throws {
        let zone = Zones.load("Africa/Monrovia")
        // -00:44:30 until 1972.
        #expect(zone.offset(at: 0).seconds == -2_670)
        #expect(try times("0 0 * * *", after: "1970-01-01T00:00:00Z", in: zone, count: 1) == ["1970-01-01T00:44:30Z"])
        #expect(RFC3339.format(seconds: 0, offset: -2_670) == "1969-12-31T23:16:00-00:44")
    }

    @Test func utc() {
        #expect(TimeZoneRules.utc.offset(at: 0) == ZoneOffset(seconds: 0, abbreviation: "UTC", isDaylight: false))
        #expect(TimeZoneRules.utc.transition(after: 0) == nil)
        let east = TimeZoneRules(name: "+14", fixedOffset: 50_400, abbreviation: "+14")
        #expect(east.civilTime(at: 0).hour == 14)
    }

    @Test(arguments: [
        ("EST5EDT,M3.2.0,M11.1.0", "2030-07-01T00:00:00Z", -14_400), ("EST5EDT", "2030-07-01T00:00:00Z", -14_400),
        ("<+0330>-3:30", "2030-07-01T00:00:00Z", 12_600), ("XXX3EDT4,0/0,J365/23", "2030-07-01T00:00:00Z", -14_400),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2030-07-01T00:00:00Z", -3_600),
        ("IST-2IDT,M3.4.4/26,M10.5.0", "2030-03-29T00:00:00Z", 10_800),
        ("AAA0BBB,J60/0,J61/0", "2032-03-01T12:00:00Z", 3_600), ("AAA0BBB,59/0,60/0", "2032-02-29T12:00:00Z", 3_600),
        ("NZST-12NZDT,M9.5.0,M4.1.0/3", "2031-01-01T00:00:00Z", 46_800),
    ])
    func rulesOfFooters(footer: String, time: String, offset: Int) throws {
        let zone = try Zones.synthetic(0, [(0, 60)], footer: footer)
        #expect(zone.offset(at: at(time)).seconds == offset)
        #expect(zone.offset(at: -1).seconds == 0)
    }

    @Test func brokenFilesAreErrors() {
        let whole = Zones.read("\(Zones.directory)/Europe/Berlin")
        #expect(throws: TimeZoneError.self) { try TimeZoneRules(name: "X", tzif: []) }
        #expect(throws: TimeZoneError.self) { try TimeZoneRules(name: "X", tzif: Array("# a text".utf8)) }
        for length in stride(from: 0, to: whole.count, by: 7) {
            #expect(throws: TimeZoneError.self) { try TimeZoneRules(name: "X", tzif: Array(whole[..<length])) }
        }
        #expect(throws: TimeZoneError.self) { try Zones.synthetic(0, [(10, 60), (10, 0)]) }
        #expect(throws: TimeZoneError.self) { try Zones.synthetic(0, [(10, 60), (5, 0)]) }
        #expect(throws: TimeZoneError.self) { try Zones.synthetic(200_000, []) }
        for footer in [
            "X", "CET", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-25", "<CET-1",
            "CET-1 ",
        ] {
            #expect(throws: TimeZoneError.self) { try Zones.synthetic(0, [], footer: footer) }
        }
    }

    @Test func randomDamageNeverCrashes() {
        let seed = Seeded.seed(1)
        var random = Seeded(seed)
        let whole = Zones.read("\(Zones.directory)/America/New_York")
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<random.number(1...8) {
                bytes[random.number(0...bytes.count - 1)] = UInt8(random.number(0...255))
            }
            guard let zone = try? TimeZoneRules(name: "X", tzif: bytes) else { continue }
            _ = zone.offset(at: Int64(random.number(-5_000_000_000...9_000_000_000)))
            _ = try? CronExpression("30 2 * * *").next(after: Int64(random.number(0...7_000_000_000)), in: zone)
        }
    }
}
