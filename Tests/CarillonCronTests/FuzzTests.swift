import CarillonCron
import Testing

/// Whatever the input, there is an answer, and soon.
@Suite struct FuzzTests {
    private static let alphabet = Array("0123456789*,-/?LW#+|@ \tJANMOFRIevry:TZdhms.é\u{0}\n~Hx".unicodeScalars)
    private static let words = [
        "*", "*/5", "0", "5-9", "1,2", "L", "15W", "LW", "L-3", "FRI#2", "5L", "+MON", "?", "JAN-DEC", "2026", "@every", "@at", "@daily", "10m+3m",
        "2026-11-23T20:00:00Z", "|", "0-59/7", "99999999999999999999", "-", "/", "#", "W",
    ]

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
                for _ in 0..<random.number(1...9) { text += random.pick(Self.words) + (random.number(0...9) == 0 ? "," : " ") }
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
        let good = ["*/15 0-4,8-12 * JAN-MAR,DEC MON-FRI", "0 0 12 15W * ?", "30 5 L-3,1 * FRI#L,MON#2", "@every 1h30m+5m", "0 9 * * * | @at 2026-11-23T20:00:00Z"]
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
            String(repeating: "9", count: 2_000), String(repeating: "*,", count: 511) + " * * * *", String(repeating: "|", count: 1_024),
            String(repeating: "* ", count: 512), String(repeating: "@every 1s|", count: 102), String(repeating: "é", count: 512),
        ] {
            _ = check(text, 0)
        }
    }

    /// What parses has a canonical form that means the same, an explanation and answers; what does not has a whole error.
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
                if let next { #expect(next > start && expression.previous(before: next + 1, in: zone) == next, "\(text) seed \(seed)") }
            }
            return true
        } catch {
            #expect(!error.message.isEmpty && error.position >= 1 && error.position <= text.unicodeScalars.count + 1, "\(text) seed \(seed)")
            return false
        }
    }
}
