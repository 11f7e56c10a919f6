import CarillonCron
import Testing

/// Names without a zone, and names that depend on the machine.
@Suite struct ZoneNameTests {
    @Test(arguments: [
        ("GMT+2", ["Etc/GMT-2", "Europe/Helsinki"], "2 hours ahead of UTC"),
        ("UTC+1", ["Etc/GMT-1", "Europe/Berlin"], "reversed"),
        ("UTC-05:00", ["Etc/GMT+5", "America/New_York"], "5 hours behind UTC"),
        ("+0530", ["Asia/Kolkata"], "5 hours 30 minutes"),
        ("GMT-3:30", ["America/St_Johns"], "behind"), ("UTC+14", ["Etc/GMT-14", "Pacific/Kiritimati"], "ahead"),
        ("utc+00:00", ["UTC"], "is UTC"), ("UTC+15", [], "no zone has"), ("Etc/GMT+13", [], "13 hours behind"),
        ("PST", ["America/Los_Angeles", "Asia/Manila"], "abbreviation"),
        ("ist", ["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"], "abbreviation"),
        ("CET-1CEST", [], "POSIX rule"), ("EST5EDT,M3.2.0,M11.1.0", [], "POSIX rule"), ("MSK-3", [], "POSIX rule"),
        ("<+03>-3", [], "POSIX rule"),
        ("Eastern Standard Time", ["America/New_York"], "Windows"),
    ])
    func advice(name: String, zones: [String], says: String) throws {
        let advice = try #require(ZoneNameAdvice.advice(for: name))
        #expect(advice.zones == zones)
        #expect(advice.text.contains(says), "\(advice.text)")
    }

    @Test(arguments: ["Europe/Berlin", "Berlin", "Europe/Berlim", "America/New York", "Mars/Base", "", "Etc/GMT"])
    func othersHaveNone(name: String) {
        #expect(ZoneNameAdvice.advice(for: name) == nil)
    }

    @Test(arguments: [
        "localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin", "right/", "Local", "SYSTEM",
    ])
    func namesOfTheMachineAreRefused(name: String) {
        #expect(ZoneNameAdvice.refusal(of: name) != nil)
    }

    @Test func everyNameOfTheDataIsAccepted() {
        for name in Zones.names where name != "Factory" { #expect(ZoneNameAdvice.refusal(of: name) == nil) }
    }

    /// The proposed zone has the requested offset: a fixed zone always, a place in winter or in summer.
    @Test func proposedZonesHaveTheOffset() throws {
        for minutes in stride(from: -12 * 60, through: 14 * 60, by: 15) where minutes != 0 {
            let digits = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
            let text = "UTC\(minutes < 0 ? "-" : "+")\(digits(abs(minutes) / 60)):\(digits(abs(minutes) % 60))"
            let advice = try #require(ZoneNameAdvice.advice(for: text))
            for name in advice.zones {
                let zone = Zones.load(name)
                let offsets = ["2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"].map { zone.offset(at: at($0)) }
                let standard = offsets.filter { !$0.isDaylight }.map(\.seconds)
                #expect(standard.contains(minutes * 60), "\(text): \(name)")
                if name.hasPrefix("Etc/") { #expect(offsets.allSatisfy { $0.seconds == minutes * 60 }) }
            }
        }
    }

    @Test func abbreviationsAreThoseOfTheirPlaces() throws {
        for name in ["PST", "CST", "IST", "BST", "AEST", "JST", "MSK", "EDT", "CEST", "NZDT", "HKT"] {
            let advice = try #require(ZoneNameAdvice.advice(for: name))
            for place in advice.zones {
                let zone = Zones.load(place)
                let used = ["2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"].map { zone.offset(at: at($0)).abbreviation }
                #expect(used.contains(name) || place == "Asia/Dhaka", "\(name): \(place) has \(used)")
            }
        }
    }
}
