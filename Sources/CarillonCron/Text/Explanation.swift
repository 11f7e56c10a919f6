extension CronExpression {
    /// Describes exactly when the expression is due, in one English sentence: `0 30 9 * * MON-FRI` is "At 09:30:00, Monday through
    /// Friday". Times are on the local clock in 24 hours, unless the sentence says UTC.
    ///
    /// Two expressions that are due at different times have different sentences.
    public func explained() -> String { schedule.explained }
}

extension Schedule {
    fileprivate var explained: String {
        switch self {
        case .fields(let fields):
            return fields.explained
        case .every(let period, let phase):
            return Self.explained(period: period, phase: phase)
        case .interval(let interval):
            return interval.explained
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

    /// Elapsed time: the sentence has the start of the count, and says that no zone is involved.
    private static func explained(period: Int64, phase: Int64) -> String {
        let day: Int64 = 86_400
        if phase >= period {
            return "Every \(Wording.duration(period)) of elapsed time, from \(utc(phase)) on"
        }
        // The same times on every day of UTC.
        if day % period == 0 {
            let time = CivilTime(seconds: phase)
            let clock = "\([time.hour, time.minute, time.second].map(Wording.twoDigits).joined(separator: ":")) UTC"
            return period == day ? "Every day at \(clock)" : "Every \(Wording.duration(period)), counted from \(clock)"
        }
        return "Every \(Wording.duration(period)) of elapsed time, counted from \(utc(phase))"
    }

    private static func utc(_ seconds: Int64) -> String { RFC3339.format(milliseconds: seconds * 1_000) }
}

extension LocalInterval {
    /// Times on the local clock; the sentence says so.
    fileprivate var explained: String {
        let first = CivilTime(seconds: start)
        let clock = [first.hour, first.minute, first.second].map(Wording.twoDigits).joined(separator: ":")
        let date = first.description.prefix(10)
        let day: Int64 = 86_400
        guard period % day == 0 else {
            return "Every \(Wording.duration(period)) on the local clock, from \(first) on"
        }
        let time = "at \(clock) on the local clock, from \(date) on"
        guard period % (7 * day) == 0 else {
            return "Every \(period == day ? "day" : "\(period / day) days") \(time)"
        }
        let weeks = period == 7 * day ? "week" : "\(period / (7 * day)) weeks"
        guard weekdays != 0 else { return "Every \(weeks) on \(CronField.weekdayNames[first.weekday]) \(time)" }
        let days = NumberSet(low: UInt64(days)).members
        let names = Wording.list(days) { CronField.weekdayNames[($0 + 1) % 7] }
        return "Every \(weeks) on \(names) \(time)" + (period == 7 * day ? "" : ", in weeks that begin on Monday")
    }
}
