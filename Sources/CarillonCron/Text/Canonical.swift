extension CronExpression {
    /// The normal form: six fields, or seven if the year is restricted, in numbers with the shortest lists and ranges. The normal form
    /// parses to an equal expression, and equal expressions have the same normal form.
    public var canonical: String { schedule.normalized.canonical }
}

extension Schedule {
    /// The sorted members of a union without duplicates; nothing else has two forms.
    var normalized: Schedule {
        guard case .union(let members) = self else { return self }
        let unique = Dictionary(members.map { ($0.canonical, $0) }, uniquingKeysWith: { first, _ in first })
        let sorted = unique.sorted { $0.key < $1.key }.map(\.value)
        return sorted.count == 1 ? sorted[0] : .union(sorted)
    }

    var canonical: String {
        switch self {
        case .fields(let fields): fields.canonical
        case .every(let period, let phase):
            "@every \(DurationText.format(milliseconds: period * 1_000))"
                + (phase == 0
                    ? ""
                    : phase < period
                        ? "+\(DurationText.format(milliseconds: phase * 1_000))"
                        : " from \(RFC3339.format(milliseconds: phase * 1_000))")
        case .interval(let interval): interval.canonical
        case .instant(let instant): "@at \(RFC3339.format(milliseconds: instant * 1_000))"
        case .reboot: "@reboot"
        case .union(let members): members.map(\.canonical).joined(separator: " | ")
        }
    }
}

extension FieldSchedule {
    /// Whether a field's text must begin with `*` (minutes and hours where that has a meaning), may begin with it because that is shorter,
    /// or must not.
    enum StarRule {
        case must, may, mustNot
    }

    var canonical: String {
        var fields = [
            Self.text(NumberSet(low: seconds), 0...59, .may),
            Self.text(NumberSet(low: minutes), 0...59, minuteBeginsWithStar ? .must : .mustNot),
            Self.text(NumberSet(low: UInt64(hours)), 0...23, hourBeginsWithStar ? .must : .mustNot),
            days.monthDayText,
            Self.text(NumberSet(low: UInt64(months)), 1...12, .may),
            days.weekdayText,
        ]
        if !everyYear { fields.append(Self.text(yearSet, 0...229, .mustNot, base: Self.years.lowerBound)) }
        return fields.joined(separator: " ")
    }

    ///   - numbers: A set that is not empty.
    ///   - range: All values of the field, minus `base`.
    ///   - range: All values of the field, less `base`.
    static func text(_ numbers: NumberSet, _ range: ClosedRange<Int>, _ star: StarRule, base: Int = 0) -> String {
        let members = numbers.members
        guard star != .mustNot else { return list(members, base: base) }
        if members.count == range.count { return "*" }
        guard members.first == range.lowerBound, star == .must || members.count >= 3 else {
            return list(members, base: base)
        }
        for step in 2...range.count {
            let multiples = stride(from: range.lowerBound, through: range.upperBound, by: step)
            guard multiples.allSatisfy({ numbers[$0] }) else { continue }
            let rest = members.filter { ($0 - range.lowerBound) % step != 0 }
            if rest.isEmpty { return "*/\(step)" }
            if star == .must { return "*/\(step),\(list(rest, base: base))" }
        }
        return list(members, base: base)
    }

    /// Three or more values at equal steps become a range, others a list in which runs are ranges.
    private static func list(_ members: [Int], base: Int) -> String {
        if members.count >= 3 {
            let step = members[1] - members[0]
            if step > 1, zip(members, members.dropFirst()).allSatisfy({ $1 - $0 == step }) {
                return "\(members[0] + base)-\(members[members.count - 1] + base)/\(step)"
            }
        }
        return runs(members).map { run in
            run.count == 1 ? "\(run.lowerBound + base)" : "\(run.lowerBound + base)-\(run.upperBound + base)"
        }.joined(separator: ",")
    }

    /// Three or more consecutive values become a range; other values stay single.
    static func runs(_ members: [Int]) -> [ClosedRange<Int>] {
        var runs: [ClosedRange<Int>] = []
        for member in members {
            if let last = runs.last, last.upperBound + 1 == member {
                runs[runs.count - 1] = last.lowerBound...member
            } else {
                runs.append(member...member)
            }
        }
        return runs.flatMap { $0.count == 2 ? [$0.lowerBound...$0.lowerBound, $0.upperBound...$0.upperBound] : [$0] }
    }
}

extension DayMasks {
    var monthDayText: String {
        guard monthDayIsRestricted else { return "*" }
        var parts: [String] = []
        if daysOfMonth != 0 { parts.append(FieldSchedule.text(NumberSet(low: UInt64(daysOfMonth)), 1...31, .mustNot)) }
        for back in NumberSet(low: UInt64(daysFromEnd)).members { parts.append(back == 0 ? "L" : "L-\(back)") }
        for day in NumberSet(low: UInt64(nearestWeekdays)).members { parts.append("\(day)W") }
        for back in NumberSet(low: UInt64(lastWeekdays)).members { parts.append(back == 0 ? "LW" : "LW-\(back)") }
        return parts.joined(separator: ",")
    }

    var weekdayText: String {
        guard weekdayIsRestricted else { return "*" }
        var parts: [String] = []
        if weekdays != 0 { parts.append(FieldSchedule.text(NumberSet(low: UInt64(weekdays)), 0...6, .mustNot)) }
        for bit in NumberSet(low: nthWeekdays).members {
            parts.append("\(bit / 6)#\(bit % 6 == 5 ? "L" : "\(bit % 6 + 1)")")
        }
        return (requiresBoth ? "+" : "") + parts.joined(separator: ",")
    }
}
