extension FieldSchedule {
    var explained: String {
        let time = timeExplained
        var parts = [time]
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
        if let daylight = daylightExplained(time) { parts.append(daylight) }
        if first(atOrAfter: 0) == Self.none { parts.append("which never happens") }
        return parts.joined(separator: ", ")
    }

    /// An addition for sentences that would also describe another schedule: "every" suggests a schedule that follows the clock, and listed
    /// times suggest fixed times. The two kinds differ when clocks are set.
    private func daylightExplained(_ time: String) -> String? {
        let readsAsClock = time.hasPrefix("Every") || time.contains("every ")
        if followsClock { return readsAsClock || time.hasPrefix("Whenever") ? nil : "whenever the clock shows it" }
        // Only a field that contains 0 can begin with *, so other fields are unambiguous.
        let hasTwin = minutes & 1 == 1 || hours & 1 == 1
        return readsAsClock && hasTwin
            ? "as fixed times of day: once only in a repeated hour unless dst_policy is BOTH" : nil
    }

    /// The limit of times of day that are listed one by one.
    private static let mostTimes = 6

    private var timeExplained: String {
        let hours = NumberSet(low: UInt64(self.hours)).members
        let minutes = NumberSet(low: self.minutes).members
        let seconds = NumberSet(low: self.seconds).members
        if hours.count * minutes.count * seconds.count <= Self.mostTimes {
            let times = hours.flatMap { hour in
                minutes.flatMap { minute in seconds.map { second in Self.clock(hour, minute, second) } }
            }
            return
                "\(followsClock ? "Whenever the clock shows" : "At") \(Wording.join(times, followsClock ? "or" : "and"))"
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

    /// `every minute`, `every 5 minutes`; `nil` if the steps differ across the border to the next hour.
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
