extension CronExpression {
    /// One plain English sentence that says exactly when the expression is due: `0 30 9 * * MON-FRI` is "At 09:30:00, Monday
    /// through Friday". Times are those of the local clock, on 24 hours.
    public func explained() -> String { schedule.explained }
}

extension Schedule {
    fileprivate var explained: String {
        switch self {
        case .fields(let fields):
            return fields.explained
        case .every(let period, let phase):
            let every = "Every \(Self.duration(period))"
            return phase == 0 ? every : "\(every), \(Self.duration(phase)) into each"
        case .instant(let instant):
            return "Once, at \(RFC3339.format(milliseconds: instant * 1_000))"
        case .reboot:
            return "When the system starts"
        case .union(let members):
            return members.enumerated().map { index, member in
                let sentence = member.explained
                return index == 0 ? sentence : sentence.prefix(1).lowercased() + sentence.dropFirst()
            }.joined(separator: "; and ")
        }
    }

    /// `10 minutes`, `hour`, `1 hour 30 minutes`.
    private static func duration(_ seconds: Int64) -> String {
        var rest = seconds
        var parts: [String] = []
        for (unit, length) in [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)] as [(String, Int64)]
        where rest >= length {
            let count = rest / length
            parts.append("\(count) \(unit)\(count == 1 ? "" : "s")")
            rest %= length
        }
        return parts.joined(separator: " ")
    }
}

extension FieldSchedule {
    fileprivate var explained: String {
        var parts = [timeExplained]
        if let days = days.explained { parts.append(days) }
        if months != 0x1ffe {
            let names = Wording.list(NumberSet(low: UInt64(months)).members) { CronField.monthNames[$0 - 1] }
            parts.append("in \(names)")
        }
        if !everyYear {
            let members = yearSet.members
            let word = { (year: Int) in "\(year + Self.years.lowerBound)" }
            if let step = Wording.step(members) {
                parts.append(
                    "in every \(Wording.ordinal(step)) year from \(word(members[0])) through \(word(members[members.count - 1]))"
                )
            } else {
                parts.append("in \(Wording.list(members, word))")
            }
        }
        if first(atOrAfter: 0) == Self.none { parts.append("which never happens") }
        return parts.joined(separator: ", ")
    }

    /// Up to so many times of a day are named one by one.
    private static let mostTimes = 6

    private var timeExplained: String {
        let hours = NumberSet(low: UInt64(self.hours)).members
        let minutes = NumberSet(low: self.minutes).members
        let seconds = NumberSet(low: self.seconds).members
        if hours.count * minutes.count * seconds.count <= Self.mostTimes {
            let times = hours.flatMap { hour in
                minutes.flatMap { minute in seconds.map { second in Self.clock(hour, minute, second) } }
            }
            return "At \(Wording.join(times))"
        }
        if seconds == [0] { return Self.capitalized(Self.explained(minutes, hours)) }
        return Self.capitalized(Self.explained(seconds, minutes, hours))
    }

    /// On the full minute.
    private static func explained(_ minutes: [Int], _ hours: [Int]) -> String {
        if minutes == [0] {
            if hours.count == 24 { return "every hour" }
            if let every = frequency("hour", hours, of: 24) { return every }
        }
        if let every = frequency("minute", minutes, of: 60) {
            if hours.count == 24 { return every }
            if isRun(hours) {
                let last = clock(hours[hours.count - 1], minutes[minutes.count - 1])
                return "\(every) from \(clock(hours[0], 0)) through \(last)"
            }
            return "\(every) of \(Wording.units("hour", hours, of: 24, Wording.twoDigits))"
        }
        return "at \(Wording.units("minute", minutes, of: 60, String.init)) of "
            + Wording.units("hour", hours, of: 24, Wording.twoDigits)
    }

    private static func explained(_ seconds: [Int], _ minutes: [Int], _ hours: [Int]) -> String {
        let every = frequency("second", seconds, of: 60)
        let subject = every ?? "at \(Wording.units("second", seconds, of: 60, String.init))"
        if minutes.count == 60 {
            if every != nil, hours.count == 24 { return subject }
            if every != nil, isRun(hours) {
                let last = clock(hours[hours.count - 1], 59, seconds[seconds.count - 1])
                return "\(subject) from \(clock(hours[0], 0, 0)) through \(last)"
            }
            if hours.count == 24 { return "\(subject) of every minute" }
        }
        if every != nil, minutes.count == 60 {
            return "\(subject) of \(Wording.units("hour", hours, of: 24, Wording.twoDigits))"
        }
        return "\(subject) of \(Wording.units("minute", minutes, of: 60, String.init)) of "
            + Wording.units("hour", hours, of: 24, Wording.twoDigits)
    }

    /// `every minute`, `every 5 minutes`; `nil` where the steps are not the same across the border to the next hour.
    private static func frequency(_ unit: String, _ members: [Int], of count: Int) -> String? {
        if members.count == count { return "every \(unit)" }
        guard members.count > 1, members[0] == 0 else { return nil }
        let step = members[1]
        guard count % step == 0, members.count == count / step, members.allSatisfy({ $0 % step == 0 }) else {
            return nil
        }
        return "every \(step) \(unit)s"
    }

    private static func isRun(_ members: [Int]) -> Bool {
        members[members.count - 1] - members[0] == members.count - 1
    }

    private static func clock(_ hour: Int, _ minute: Int, _ second: Int? = nil) -> String {
        let text = "\(Wording.twoDigits(hour)):\(Wording.twoDigits(minute))"
        return second.map { "\(text):\(Wording.twoDigits($0))" } ?? text
    }

    private static func capitalized(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }
}
