extension DayMasks {
    /// `nil` if every day matches.
    var explained: String? {
        switch (monthDayIsRestricted, weekdayIsRestricted) {
        case (false, false): return nil
        case (true, false): return "on \(monthDaysExplained("and")) of the month"
        case (false, true):
            // "Monday through Friday" needs no "on".
            let isRange = nthWeekdays == 0 && FieldSchedule.runs(mondayFirst).count == 1 && weekdays.nonzeroBitCount > 2
            return (isRange ? "" : "on ") + weekdaysExplained("and")
        case (true, true):
            if requiresBoth { return "on \(monthDaysExplained("or")) of the month if it is \(weekdaysExplained("or"))" }
            return "on \(monthDaysExplained("and")) of the month or on \(weekdaysExplained("and"))"
        }
    }

    private func monthDaysExplained(_ conjunction: String) -> String {
        var parts: [String] = []
        if daysOfMonth != 0 {
            let days = NumberSet(low: UInt64(daysOfMonth)).members
            if days.count == 31 {
                parts.append("every day")
            } else if let step = Wording.step(days) {
                parts.append("every \(Wording.ordinal(step)) day from \(days[0]) through \(days[days.count - 1])")
            } else {
                parts.append("day\(days.count == 1 ? "" : "s") \(Wording.list(days, conjunction, String.init))")
            }
        }
        for back in NumberSet(low: UInt64(daysFromEnd)).members {
            switch back {
            case 0: parts.append("the last day")
            case 1: parts.append("the day before the last day")
            default: parts.append("the \(Wording.ordinal(back)) day before the last day")
            }
        }
        for day in NumberSet(low: UInt64(nearestWeekdays)).members {
            parts.append("the weekday (Monday through Friday) nearest day \(day)")
        }
        for back in NumberSet(low: UInt64(lastWeekdays)).members {
            switch back {
            case 0: parts.append("the last weekday (Monday through Friday)")
            case 1: parts.append("the weekday before the last weekday (Monday through Friday)")
            default:
                parts.append("the \(Wording.ordinal(back)) weekday before the last weekday (Monday through Friday)")
            }
        }
        return Wording.join(parts, conjunction)
    }

    /// Monday is 0 here, so that a weekend is a run.
    private var mondayFirst: [Int] {
        NumberSet(low: UInt64(weekdays)).members.map { ($0 + 6) % 7 }.sorted()
    }

    private func weekdaysExplained(_ conjunction: String) -> String {
        var parts: [String] = []
        if weekdays != 0 {
            parts.append(Wording.list(mondayFirst, conjunction) { CronField.weekdayNames[($0 + 1) % 7] })
        }
        let ordinals = ["first", "second", "third", "fourth", "fifth", "last"]
        for bit in NumberSet(low: nthWeekdays).members {
            parts.append("the \(ordinals[bit % 6]) \(CronField.weekdayNames[bit / 6]) of the month")
        }
        return Wording.join(parts, conjunction)
    }
}
