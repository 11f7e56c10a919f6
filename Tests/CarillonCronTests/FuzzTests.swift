import CarillonCron
import Glibc
import Testing

/// Every input gets an answer within a short time.
@Suite struct FuzzTests {
    private static let alphabet = Array("0123456789*,-/?LW#+|@ \tJANMOFRIevry:TZdhms.é\u{0}\n~Hx".unicodeScalars)
    private static let words = [
        "*", "*/5", "0", "5-9", "1,2", "L", "15W", "LW", "L-3", "FRI#2", "5L", "+MON", "?", "JAN-DEC", "2026", "@every",
        "@at", "@daily", "10m+3m",
        "2026-11-23T20:00:00Z", "|", "from", "on", "2w", "2026-01-05T09:00", "MON,WED", "LW-2", "?", "every", "H/5",
        "*-*-*", "5~9",
        "cron(", "rate(5 minutes)", "TUE%2", "/bin/true", "Europe/Berlin", ";", "0-59/7", "99999999999999999999", "-",
        "/", "#", "W",
    ]

    private static let plainWords = ["*", "*/5", "0", "5-9", "1,2", "3-9/2", "7", "*/2"]

    @Test func garbage() {
        let seed = Seeded.seed(2)
        var random = Seeded(seed)
        let clock = ContinuousClock()
        var slowest = Duration.zero
        var parsed = 0
        for round in 0..<12_000 {
            var text = ""
            if round % 2 == 0 {
                for _ in 0..<random.number(0...40) { text.unicodeScalars.append(random.pick(Self.alphabet)) }
            } else {
                // Few enough odd characters that some texts parse.
                let words = random.number(0...1) == 0 ? Self.words : Self.plainWords
                for _ in 0..<random.number(1...9) {
                    text += random.pick(words) + (random.number(0...19) == 0 ? "," : " ")
                }
            }
            slowest = max(slowest, clock.measure { parsed += check(text, seed) ? 1 : 0 })
        }
        #expect(parsed > 100, "seed \(seed)")
        // A debug build on a busy machine; release builds stay well below one millisecond.
        #expect(slowest < .seconds(1), "seed \(seed)")
    }

    @Test func damagedExpressions() {
        let seed = Seeded.seed(3)
        var random = Seeded(seed)
        let good = [
            "*/15 0-4,8-12 * JAN-MAR,DEC MON-FRI", "0 0 12 15W * ?", "30 5 L-3,1 * FRI#L,MON#2", "@every 1h30m+5m",
            "0 9 * * * | @at 2026-11-23T20:00:00Z", "0 12 ? * 2-6 *", "0 0/5 22-4 ? * 6L 2026",
            "@every 2w on MON,FRI from 2026-01-05T09:00",
            "cron(0 12 * * ? *)", "Mon..Fri *-*-* 09:00:00", "0 22-5/3 * * 7-1",
        ]
        for _ in 0..<6_000 {
            var scalars = Array(random.pick(good).unicodeScalars)
            for _ in 0..<random.number(1...3) {
                let index = random.number(0...scalars.count - 1)
                switch random.number(0...2) {
                case 0: scalars[index] = random.pick(Self.alphabet)
                case 1: scalars.insert(random.pick(Self.alphabet), at: index)
                default: if scalars.count > 1 { scalars.remove(at: index) }
                }
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            _ = check(text, seed)
        }
    }

    @Test func longTexts() {
        for text in [
            String(repeating: "9", count: 2_000), String(repeating: "*,", count: 511) + " * * * *",
            String(repeating: "|", count: 1_024),
            String(repeating: "* ", count: 512), String(repeating: "@every 1s|", count: 102),
            String(repeating: "é", count: 512),
        ] {
            _ = check(text, 0)
        }
    }

    /// A valid expression has a canonical form with the same meaning, an explanation and due times; an invalid one has a complete error.
    private func check(_ text: String, _ seed: UInt64) -> Bool {
        do throws(CronError) {
            let expression = try CronExpression(text)
            let again = try CronExpression(expression.canonical)
            #expect(again == expression && again.canonical == expression.canonical, "\(text) seed \(seed)")
            #expect(!expression.explained().isEmpty)
            let start: Int64 = 1_795_464_000
            for zone in [TimeZoneRules.utc, Zones.berlin] {
                let next = expression.next(after: start, in: zone)
                #expect(again.next(after: start, in: zone) == next, "\(text) seed \(seed)")
                if let next {
                    #expect(
                        next > start && expression.previous(before: next + 1, in: zone) == next,
                        "\(text) seed \(seed)"
                    )
                }
            }
            return true
        } catch {
            if let suggestion = error.suggestion {
                #expect(parseError(suggestion) == nil, "\(text) → \(suggestion) seed \(seed)")
            }
            #expect(
                !error.message.isEmpty && error.position >= 1 && error.position <= text.unicodeScalars.count + 1,
                "\(text) seed \(seed)"
            )
            return false
        }
    }
}

/// No expression takes long: not the rarest date, not the longest union, not in a zone whose clock is set back twice a year for two
/// centuries.
@Suite struct BoundedTimeTests {
    private static let hard = [
        "* * 31 2 *", "* * * 1 1 * 1970", "* * * 31 12 * 2199", "0 0 29 2 *", "0 0 29 2 +MON", "* * 1 * +1#5",
        "* * 30 2 +1",
        "* * L-30 4,6,9,11 *", "0 0 0 29 2 +0 2199", "30 2 31 10 +0", "30 2 29 2 +0#5", "@every 1s",
        "0 0 1 1 +0 | 0 0 31 2 *",
    ]

    /// Repeats the member as often as it fits into 1,024 bytes.
    private static func union(_ text: String) -> String {
        var union = text
        while union.utf8.count + text.utf8.count + 1 <= 1_024 { union += "|" + text }
        return union
    }

    @Test func yearsWithoutADueDayAreNotWalked() throws {
        let seed = Seeded.seed(7)
        var random = Seeded(seed)
        // The same answers as a walk over all days.
        for _ in 0..<400 {
            let fields = RandomExpression.allDays(&random) + RandomExpression.year(&random)
            let expression = try CronExpression("0 0 0 " + fields)
            let naive = NaiveCron("0 0 0 " + fields)
            let start = Int64(random.number(0...80_000)) * 86_400
            let days = stride(from: start, to: start + 1_500 * 86_400, by: 86_400)
            let expected = days.first { $0 < 84_006 * 86_400 && naive.matchesDay(CivilTime(seconds: $0)) }
            let found = expression.next(after: start - 1, in: .utc).flatMap { $0 < start + 1_500 * 86_400 ? $0 : nil }
            #expect(found == expected, "\(fields) from \(start), seed \(seed)")
        }
    }

    @Test(arguments: hard)
    func theHardestTakeMilliseconds(text: String) throws {
        let clock = ContinuousClock()
        for text in [text, Self.union(text)] {
            var slowest = Duration.zero
            let expression = try CronExpression(text)
            for zone in [TimeZoneRules.utc, Zones.berlin, Zones.lordHowe] {
                for policy in DaylightPolicy.allCases {
                    for start in ["1970-01-02T00:00:00Z", "2026-10-24T23:30:00Z", "2199-12-31T23:59:59Z"].map(at) {
                        // The best of three, because another process may have been running.
                        let times = (0..<3).map { _ in
                            clock.measure {
                                _ = expression.next(after: start, in: zone, policy: policy)
                                _ = expression.previous(before: start, in: zone, policy: policy)
                            }
                        }
                        slowest = max(slowest, times.min() ?? .zero)
                    }
                }
            }
            // The limit of a debug build. A release build is about thirty times as fast; under a sanitizer it is several times as slow.
            let isSlow = getenv("TSAN_OPTIONS") != nil
            #expect(slowest < .milliseconds(isSlow ? 200 : 20), "\(text.prefix(30)) (\(text.utf8.count) bytes)")
        }
    }
}
