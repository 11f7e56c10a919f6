import CarillonCron
import Testing

@testable import CarillonSystem

/// Names of zones, and the errors for other names.
@Suite struct ZoneDirectoryTests {
    private let zones = ZoneDirectory()

    private func problem(with name: String) -> ZoneError? {
        do throws(ZoneError) {
            _ = try zones.zone(named: name)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["Europe/Berlin", "UTC", "EST5EDT", "Etc/GMT-2", "GMT+0", "US/Eastern"])
    func namesOfTheDataAreAccepted(name: String) throws {
        #expect(try zones.zone(named: name).name == name)
    }

    @Test(arguments: ["localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin"])
    func namesThatDependOnTheMachineAreRefused(name: String) throws {
        let error = try #require(problem(with: name))
        #expect(error.message.contains("; write ") && error.message.contains("Europe/Berlin"), "\(error.message)")
        #expect(!zones.names.contains(name))
    }

    @Test(arguments: [
        ("GMT+2", ["Etc/GMT-2", "Europe/Helsinki"]), ("UTC+1", ["Etc/GMT-1", "Europe/Berlin"]),
        ("UTC+01:00", ["Etc/GMT-1", "Europe/Berlin"]),
        ("PST", ["America/Los_Angeles", "Asia/Manila"]), ("EDT", ["America/New_York"]), ("CET-1CEST", []),
        ("EST5EDT,M3.2.0,M11.1.0", []),
        ("Eastern Standard Time", ["America/New_York"]), ("America/New York", ["America/New_York"]),
        ("New York", ["America/New_York"]), (" Europe/Berlin ", ["Europe/Berlin"]), ("berlin", ["Europe/Berlin"]),
    ])
    func othersAreExplained(name: String, nearest: [String]) throws {
        let error = try #require(problem(with: name))
        #expect(Array(error.nearest.prefix(max(1, nearest.count))) == nearest, "\(error.message)")
        for zone in nearest {
            #expect(error.message.contains(zone), "\(error.message)")
            #expect(try zones.zone(named: zone).name == zone)
        }
        #expect(error.message.hasSuffix(".") || error.message.hasSuffix("?"))
    }
}
