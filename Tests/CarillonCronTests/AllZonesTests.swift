import CarillonCron
import Glibc
import Testing

/// Every zone of the system against the C library, which reads the same files independently.
@Suite(.serialized) struct AllZonesTests {
    private struct Local: Equatable {
        var seconds: Int
        var abbreviation: String
        var isDaylight: Bool
    }

    @Test func offsetsAreThoseOfTheCLibrary() throws {
        let seed = Seeded.seed(4)
        var random = Seeded(seed)
        #expect(Zones.names.count > 400)
        defer {
            unsetenv("TZ")
            tzset()
        }
        for name in Zones.names {
            let zone = Zones.load(name)
            setenv("TZ", ":\(Zones.directory)/\(name)", 1)
            tzset()
            var differences = 0
            func compare(_ seconds: Int64) {
                var instant = time_t(seconds)
                var fields = tm()
                localtime_r(&instant, &fields)
                let theirs = Local(
                    seconds: fields.tm_gmtoff,
                    abbreviation: String(cString: fields.tm_zone),
                    isDaylight: fields.tm_isdst > 0
                )
                let offset = zone.offset(at: seconds)
                let ours = Local(
                    seconds: offset.seconds,
                    abbreviation: offset.abbreviation,
                    isDaylight: offset.isDaylight
                )
                let civil = zone.civilTime(at: seconds)
                let sameFields =
                    civil
                    == CivilTime(
                        year: Int(fields.tm_year) + 1_900,
                        month: Int(fields.tm_mon) + 1,
                        day: Int(fields.tm_mday),
                        hour: Int(fields.tm_hour),
                        minute: Int(fields.tm_min),
                        second: Int(fields.tm_sec)
                    )
                guard ours != theirs || !sameFields, differences < 3 else { return }
                differences += 1
                Issue.record("\(name) at \(seconds): \(ours), the C library has \(theirs), seed \(seed)")
            }
            // Before and at every transition from 1970 to 2037, and at random instants between them and up to 2199.
            var last: Int64 = -1
            while let transition = zone.transition(after: last), transition < 2_145_916_800 {
                compare(transition - 1)
                compare(transition)
                compare(transition + 1)
                last = transition
            }
            for _ in 0..<60 { compare(Int64(random.number(-2_000_000_000...2_145_916_800))) }
            for _ in 0..<60 { compare(Int64(random.number(2_145_916_800...7_258_118_399))) }
        }
    }
}
