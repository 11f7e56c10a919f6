import CarillonCron

/// Cron in its simplest form: the oracle. It accepts only valid expressions of six or seven fields.
struct NaiveCron {
    let fields: [String]
    private let seconds: [Bool]
    private let minutes: [Bool]
    private let hours: [Bool]

    init(_ text: String) {
        fields = text.split(separator: " ").map(String.init)
        seconds = (0...59).map { [fields] in Self.matches(fields[0], $0, 0...59) }
        minutes = (0...59).map { [fields] in Self.matches(fields[1], $0, 0...59) }
        hours = (0...23).map { [fields] in Self.matches(fields[2], $0, 0...23) }
    }

    var isFixed: Bool { !fields[1].hasPrefix("*") && !fields[2].hasPrefix("*") }

    /// Whether the schedule has this local time.
    func matches(_ local: Int64) -> Bool {
        let second = Int(((local % 86_400) + 86_400) % 86_400)
        guard hours[second / 3_600], minutes[second / 60 % 60], seconds[second % 60] else { return false }
        return matchesDay(CivilTime(seconds: local))
    }

    func matchesDay(_ date: CivilTime) -> Bool {
        if fields.count == 7, !Self.matches(fields[6], date.year, 1970...2199) { return false }
        guard (1970...2199).contains(date.year), Self.matches(fields[4], date.month, 1...12) else { return false }
        let byNumber = fields[3].split(separator: ",").contains { Self.isDayOfMonth(String($0), date) }
        let weekdayField = fields[5].hasPrefix("+") ? String(fields[5].dropFirst()) : fields[5]
        let byWeekday = weekdayField.split(separator: ",").contains { Self.isWeekday(String($0), date) }
        let isOr = fields[3] != "*" && fields[5] != "*" && !fields[5].hasPrefix("+")
        return isOr ? byNumber || byWeekday : byNumber && byWeekday
    }

    private static func isDayOfMonth(_ item: String, _ date: CivilTime) -> Bool {
        let last = lastDay(date)
        if item == "L" { return date.day == last }
        if item == "LW" { return (1...last).last { isWorkday(date, $0) } == date.day }
        if item.hasPrefix("LW-") {
            let workdays = (1...last).filter { isWorkday(date, $0) }
            guard let back = Int(item.dropFirst(3)), back < workdays.count else { return false }
            return workdays[workdays.count - 1 - back] == date.day
        }
        if item.hasPrefix("L-") { return Int(item.dropFirst(2)).map { date.day == last - $0 } ?? false }
        if item.hasSuffix("W") {
            guard let day = Int(item.dropLast()), day <= last else { return false }
            // The nearest weekday; at equal distance, Friday for a Saturday and Monday for a Sunday.
            let isSunday = weekday(date, day) == 0
            let nearest = (1...last).filter { isWorkday(date, $0) }.min { left, right in
                (abs(left - day), isSunday ? -left : left) < (abs(right - day), isSunday ? -right : right)
            }
            return nearest == date.day
        }
        return matches(item, date.day, 1...31)
    }

    private static func isWeekday(_ item: String, _ date: CivilTime) -> Bool {
        let parts = item.split(separator: "#")
        if parts.count == 2, let wanted = Int(parts[0]) {
            guard wanted % 7 == date.weekday else { return false }
            return parts[1] == "L" ? date.day + 7 > lastDay(date) : Int(parts[1]) == (date.day - 1) / 7 + 1
        }
        return matches(item, date.weekday, 0...7) || (date.weekday == 0 && matches(item, 7, 0...7))
    }

    private static func lastDay(_ date: CivilTime) -> Int {
        (28...31).last { CivilTime(seconds: CivilTime(year: date.year, month: date.month, day: $0).seconds).day == $0 }
            ?? 28
    }

    private static func weekday(_ date: CivilTime, _ day: Int) -> Int {
        CivilTime(year: date.year, month: date.month, day: day).weekday
    }

    private static func isWorkday(_ date: CivilTime, _ day: Int) -> Bool {
        (1...5).contains(weekday(date, day))
    }

    /// Lists of `*`, values, ranges and steps.
    private static func matches(_ field: String, _ value: Int, _ range: ClosedRange<Int>) -> Bool {
        field.split(separator: ",").contains { item in
            let parts = item.split(separator: "/")
            let bounds =
                parts[0] == "*"
                ? [range.lowerBound, range.upperBound] : parts[0].split(separator: "-").compactMap { Int($0) }
            let step = parts.count == 2 ? Int(parts[1]) ?? 1 : 1
            return value >= bounds[0] && value <= bounds[bounds.count - 1] && (value - bounds[0]) % step == 0
        }
    }
}

extension NaiveCron {
    /// All due instants of a stretch of time, found by checking every second.
    ///
    /// - Parameter history: The start of the walk, so that the times that the clock has shown before are known.
    func dueTimes(_ range: Range<Int64>, from history: Int64, in zone: TimeZoneRules, _ policy: DaylightPolicy)
        -> [Int64]
    {
        var due: [Int64] = []
        var highest = history + Int64(zone.offset(at: history).seconds) - 1
        var seen: Set<Int64> = []
        var offset: Int64 = 0
        var nextChange = history
        for instant in history..<range.upperBound {
            if instant >= nextChange {
                offset = Int64(zone.offset(at: instant).seconds)
                nextChange = zone.transition(after: instant) ?? .max
            }
            let local = instant + offset
            let isShown = matches(local)
            // A fixed time is reached when the clock shows it or has jumped over it.
            let isReached =
                local > highest && (local == highest + 1 ? isShown : (highest + 1...local).contains { matches($0) })
            highest = max(highest, local)
            let isFirst = isShown && seen.insert(local).inserted
            let isDue =
                !isFixed ? isShown : policy == .cron ? isReached : policy == .skip ? isFirst : isReached || isShown
            if isDue, instant >= range.lowerBound { due.append(instant) }
        }
        return due
    }
}
