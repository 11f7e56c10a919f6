import CAllocations
import CarillonCron
import CarillonSystem

extension Measurement {
    /// Measures the next due time and the parsing of expressions.
    static let cron = Measurement(name: "cron", title: "next due time and parsing, one core") { bench in
        let berlin = try ZoneDirectory().zone(named: "Europe/Berlin")
        let expressions = [
            ("* * * * * *", 40.0, 100.0), ("0 */5 * * * *", 40, 100), ("0 0 9 * * 1-5", 40, 100),
            ("0 0 0 29 2 *", 250, 250),
        ]
        var results = Results()
        var allocated = 0.0
        for (text, inUTC, inBerlin) in expressions {
            let expression = try CronExpression(text)
            for (zone, wanted) in [(TimeZoneRules.utc, inUTC), (berlin, inBerlin)] {
                let before = carillon_allocations()
                let times = (0..<bench.shortRounds).map { _ in
                    steps(expression, zone, bench.quick ? 100_000 : 1_000_000)
                }
                // Do not count the array of the rounds itself.
                allocated = max(allocated, Double(carillon_allocations() - before) - 2)
                results.figures.append(Figure("next \(text) in \(zone.name)", "ns", times, wanted: .atMost(wanted)))
            }
        }
        results.figures.append(Figure("allocations in all of them", "", [max(0, allocated)], wanted: .atMost(0)))
        for (text, _, _) in expressions {
            let times = try (0..<bench.shortRounds).map { _ in
                try Stopwatch.nanoseconds(of: 50_000) { _ in _ = try CronExpression(text) }
            }
            results.figures.append(Figure("parse \(text)", "ns", times, wanted: .atMost(2_000)))
        }
        let size = Double(MemoryLayout<CronExpression>.size)
        results.figures.append(Figure("an expression in line", "bytes", [size], wanted: .atMost(64)))
        // Other libraries are slow, so they are left out of quick runs.
        if !bench.quick { results.figures += CronPeers.figures(rounds: 3) }
        return results
    }

    /// Nanoseconds per step, starting in 2026, and again from there near the end of the range.
    private static func steps(_ expression: CronExpression, _ zone: TimeZoneRules, _ count: Int) -> Double {
        let begin: Int64 = 1_767_225_600
        let end: Int64 = 3_786_912_000
        var time = begin
        return Stopwatch.nanoseconds(of: count) { _ in
            time = expression.next(after: time, in: zone) ?? begin
            if time > end { time = begin }
        }
    }
}
