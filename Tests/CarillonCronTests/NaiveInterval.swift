import CarillonCron

/// `@every … from …`, checked one local second at a time: the oracle.
struct NaiveInterval {
    /// Seconds, or weeks if there are weekdays.
    let period: Int64
    let weekdays: [Int]
    let start: Int64

    var text: String {
        let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        let on = weekdays.isEmpty ? "" : " on " + weekdays.map { names[$0] }.joined(separator: ",")
        return "@every \(period)\(weekdays.isEmpty ? "s" : "w")\(on) from \(CivilTime(seconds: start))"
    }

    static func random(_ random: inout Seeded, near local: CivilTime) -> NaiveInterval {
        let start =
            CivilTime(year: local.year, month: local.month, day: local.day, hour: local.hour).seconds
            - Int64(random.number(0...30)) * 86_400 + Int64(random.number(-2...2)) * 1_800
        let weekdays = (0...6).filter { _ in random.number(0...2) == 0 }
        guard random.number(0...1) == 0, !weekdays.isEmpty else {
            let period = random.pick([600, 1_800, 2_700, 3_600, 3_601, 5_400, 7_200, 28_800, 86_400, 172_800, 604_800])
            return NaiveInterval(period: Int64(period), weekdays: [], start: max(0, start))
        }
        return NaiveInterval(period: Int64(random.number(1...3)), weekdays: weekdays, start: max(0, start))
    }

    /// Whether a due time has this local time.
    func matches(_ local: Int64) -> Bool {
        guard local >= start else { return false }
        if weekdays.isEmpty { return (local - start) % period == 0 }
        guard local % 86_400 == start % 86_400 else { return false }
        guard weekdays.contains(CivilTime(seconds: local).weekday) else { return false }
        // Weeks begin on Monday; 1969-12-29 was a Monday.
        let week = { (time: Int64) in (time / 86_400 + 3) / 7 }
        return (week(local) - week(start)) % period == 0
    }

    private var followsClock: Bool { weekdays.isEmpty && period <= 3_600 }

    func dueTimes(_ range: Range<Int64>, from history: Int64, in zone: TimeZoneRules, _ policy: DaylightPolicy)
        -> [Int64]
    {
        var due: [Int64] = []
        var seen: Set<Int64> = []
        var highest = history + Int64(zone.offset(at: history).seconds) - 1
        var offset: Int64 = 0
        var nextChange = history
        for instant in history..<range.upperBound {
            if instant >= nextChange {
                offset = Int64(zone.offset(at: instant).seconds)
                nextChange = zone.transition(after: instant) ?? .max
            }
            let local = instant + offset
            let isShown = matches(local)
            let isReached = local > highest && (highest + 1...local).contains { matches($0) }
            highest = max(highest, local)
            let isFirst = isShown && seen.insert(local).inserted
            let isDue =
                followsClock
                ? isShown : policy == .cron ? isReached : policy == .skip ? isFirst : isReached || isShown
            if isDue, instant >= range.lowerBound { due.append(instant) }
        }
        return due
    }
}
