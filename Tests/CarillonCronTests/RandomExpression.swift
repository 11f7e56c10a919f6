/// Random valid expressions of six fields.
enum RandomExpression {
    static func time(_ random: inout Seeded, hours: [Int]) -> String {
        let second = random.pick(["0", "0", "0", "30", "*/20", "*", "5,59", "10-12"])
        let minute = number(&random, 0...59)
        var hour = number(&random, 0...23)
        // Most of them around the hours of the transitions.
        if random.number(0...3) > 0 {
            let near = random.pick(hours)
            hour = random.pick([
                "\(near)", "\(near),\((near + 1) % 24)", "\(max(0, near - 1))-\(near)", "*", "*/2", "\(near),*/3",
                "*/12,\(near)",
            ])
        }
        return "\(second) \(minute) \(hour)"
    }

    static func days(_ random: inout Seeded) -> String {
        if random.number(0...2) > 0 { return "* * *" }
        return allDays(&random)
    }

    static func allDays(_ random: inout Seeded) -> String {
        let dayOfMonth = random.pick([
            "*", "*", dayItem(&random), "\(dayItem(&random)),\(dayItem(&random))", "\(random.number(1...31))W", "LW",
            "LW-\(random.number(1...22))",
        ])
        let month = random.pick(["*", "*", "*", number(&random, 1...12)])
        var dayOfWeek = random.pick(["*", "*", weekdayItem(&random), "\(weekdayItem(&random)),\(weekdayItem(&random))"])
        if dayOfWeek != "*", random.number(0...3) == 0 { dayOfWeek = "+" + dayOfWeek }
        return "\(dayOfMonth) \(month) \(dayOfWeek)"
    }

    static func year(_ random: inout Seeded) -> String {
        let first = random.number(1990...2060)
        return random.pick([
            "", "", " *", " \(first)", " \(first)-\(first + 20)/\(random.number(1...7))", " */\(random.number(1...9))",
            " 1980,\(first)",
        ])
    }

    private static func dayItem(_ random: inout Seeded) -> String {
        random.pick([number(&random, 1...31), "\(random.number(1...31))", "L", "L-\(random.number(1...30))"])
    }

    private static func weekdayItem(_ random: inout Seeded) -> String {
        let weekday = random.number(0...7)
        return random.pick([number(&random, 0...7), "\(weekday)", "\(weekday)#\(random.number(1...5))", "\(weekday)#L"])
    }

    private static func number(_ random: inout Seeded, _ range: ClosedRange<Int>) -> String {
        let (left, right) = (random.number(range), random.number(range))
        let bounds = "\(min(left, right))-\(max(left, right))"
        let step = random.number(1...range.count)
        return random.pick([
            "*", "*/\(step)", "\(left)", "\(left),\(right)", bounds, "\(bounds)/\(step)", "\(left),\(bounds)",
            "*/\(step),\(left)", "\(left),*/\(step)",
        ])
    }
}
