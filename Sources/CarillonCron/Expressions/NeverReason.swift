/// The reason why a schedule has no due time after an instant.
struct NeverReason {
    let after: Int64
    let zone: TimeZoneRules
    let policy: DaylightPolicy

    /// - Parameter schedule: A schedule without a due time after the instant.
    func reason(for schedule: Schedule) -> String {
        switch schedule {
        case .reboot:
            return "@reboot names no time"
        case .instant(let instant):
            return "its only time, \(Self.text(instant, in: zone)), is over"
        case .union(let members):
            var reasons: [String] = []
            for member in members {
                let reason = reason(for: member)
                if !reasons.contains(reason) { reasons.append(reason) }
            }
            return reasons.joined(separator: "; and ")
        case .every, .interval:
            return last(of: schedule) ?? "it would begin too close to the end of the year 2199, where schedules end"
        case .fields(let fields):
            return reason(for: fields)
        }
    }

    /// An instant on the clocks of a zone.
    static func text(_ seconds: Int64, in zone: TimeZoneRules) -> String {
        RFC3339.format(seconds: seconds, offset: zone.offset(at: seconds).seconds)
    }

    private func reason(for fields: FieldSchedule) -> String {
        if fields.first(atOrAfter: 0) == FieldSchedule.none { return fields.impossible }
        let years = fields.yearSet.members.map { $0 + FieldSchedule.years.lowerBound }
        if !fields.everyYear, let last = years.last, last < zone.civilTime(at: after).year {
            return years.count == 1 ? "the year \(last) is over" : "the last of its years, \(last), is over"
        }
        return last(of: .fields(fields))
            ?? "the clocks of \(zone.name) never show its times: they are set forward over them"
    }

    private func last(of schedule: Schedule) -> String? {
        let last = schedule.previous(before: .max, in: zone, policy: policy)
        guard last != FieldSchedule.noneBefore else { return nil }
        let year = zone.civilTime(at: last).year
        let end = year == FieldSchedule.years.upperBound ? ": schedules end with the year \(year)" : ""
        return "its last time, \(Self.text(last, in: zone)), is over\(end)"
    }
}

extension FieldSchedule {
    /// The reason why no day of any year matches, for a schedule without such a day.
    fileprivate var impossible: String {
        let months = NumberSet(low: UInt64(self.months)).members
        if days.hasOnlyDaysOfMonth {
            let dates = NumberSet(low: UInt64(days.daysOfMonth)).members.flatMap { day in
                months.map { "\(day) \(CronField.monthNames[$0 - 1])" }
            }
            // A leap day may be missing only in the selected years.
            let isLeapDay = months == [2] && days.daysOfMonth >> 29 & 1 == 1
            if isLeapDay {
                let years = Wording.list(yearSet.members) { "\($0 + Self.years.lowerBound)" }
                return yearSet.members.count <= 3
                    ? "29 February does not exist in \(years)" : "29 February does not exist in any of its years"
            }
            if dates.count <= 3 {
                return "\(Wording.join(dates)) \(dates.count == 1 ? "does" : "do") not exist"
            }
            let names = Wording.list(months) { CronField.monthNames[$0 - 1] }
            return "none of its days of the month exists in \(names)"
        }
        let names = months.count == 12 ? "a month" : Wording.join(months.map { CronField.monthNames[$0 - 1] }, "or")
        let years = everyYear ? "" : " of its years"
        var fields: [String] = []
        if days.monthDayIsRestricted { fields.append("the day of month \(days.monthDayText)") }
        if days.weekdayIsRestricted { fields.append("the day of week \(days.weekdayText)") }
        return "no day of \(names)\(years) matches \(Wording.join(fields))"
    }
}

extension DayMasks {
    /// Whether only day numbers select days.
    fileprivate var hasOnlyDaysOfMonth: Bool {
        daysFromEnd == 0 && isPlainMonthDays
    }
}
