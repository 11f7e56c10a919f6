import CarillonCron
import Testing

/// Two expressions that are due at different times have different sentences.
@Suite struct SentenceTests {
    @Test func sentencesTellExpressionsApart() throws {
        let seed = Seeded.seed(51)
        var random = Seeded(seed)
        var texts: [String] = []
        for _ in 0..<3_000 {
            let days = random.number(0...2) > 0 ? "* * *" : RandomExpression.allDays(&random)
            let minute = random.pick([
                "0", "*/5", "0-55/5", "*/7", "0-56/7", "30", "*", "0-59", "0,30", "*/30", "*/60", "15,45", "1-59",
            ])
            let hour = random.pick([
                "9", "*", "0-23", "*/2", "0-22/2", "*/24", "0", "9-17", "9,12", "*/5", "0-20/5", "*/12,9", "0,9,12",
            ])
            texts.append("\(random.pick(["0", "0", "*", "*/10", "5"])) \(minute) \(hour) \(days)")
        }
        for period in ["1h", "90m", "1d", "7d", "14d", "5h", "30m", "10s"] {
            for rest in ["", "+1s", "+9s", " from 2026-01-05", " from 2026-01-05T00:00:00Z", " from 2026-01-06T09:00"] {
                texts.append("@every \(period)\(rest)")
            }
        }
        for on in ["MON,WED", "MON,TUE", "MON", "WED,SUN"] {
            for weeks in 1...3 { texts.append("@every \(weeks)w on \(on) from 2026-01-06T09:00") }
        }
        var meanings: [String: CronExpression] = [:]
        for text in texts {
            let expression = try CronExpression(text)
            let sentence = expression.explained()
            guard let other = meanings.updateValue(expression, forKey: sentence), other != expression else { continue }
            #expect(isSame(expression, other), "\(expression) and \(other): \(sentence) seed \(seed)")
        }
    }

    /// Whether two expressions are due at the same times of two years, clock changes included, in every policy.
    private func isSame(_ left: CronExpression, _ right: CronExpression) -> Bool {
        for zone in [Zones.berlin, Zones.load("America/Havana")] {
            for policy in DaylightPolicy.allCases {
                for start in [
                    "2027-03-14T00:00:00Z", "2027-03-28T00:00:00Z", "2027-10-31T00:00:00Z", "2027-11-07T00:00:00Z",
                ] {
                    let times = { (expression: CronExpression) in
                        Array(expression.times(after: at(start), in: zone, policy: policy).prefix(100))
                    }
                    if times(left) != times(right) { return false }
                }
            }
        }
        return true
    }
}
