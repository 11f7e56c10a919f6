/// Schedules in words, as people, systemd and App Engine write them: `hourly`, `every 5 minutes`, `10m`, `every monday at 9:30`.
struct SpokenSchedule {
    /// The error in the words.
    let problem: String
    /// The same schedule in this language.
    let expression: String
    let note: String

    init?(_ text: String) {
        let words = text.lowercased().split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        if words.count == 1, let calendar = Self.calendars[words[0]] {
            problem = "is a word and no expression"
            expression = calendar
            note = words[0] == "weekly" ? "for Sunday at 00:00, or 0 0 * * MON for systemd's weekly" : ""
            return
        }
        guard let found = Self.interval(words) ?? Self.timeOfDay(words) else { return nil }
        problem = "is in words, which are not read"
        expression = found
        note = ""
    }

    private static let calendars = [
        "hourly": "@hourly", "daily": "@daily", "midnight": "@midnight", "weekly": "@weekly", "monthly": "@monthly",
        "yearly": "@yearly", "annually": "@annually", "reboot": "@reboot", "minutely": "* * * * *",
        "secondly": "* * * * * *", "quarterly": "0 0 1 1,4,7,10 *", "semiannually": "0 0 1 1,7 *",
    ]

    // MARK: Intervals

    /// `every 5 minutes`, `5 minutes`, `5m`, `every hour`, `every other week`.
    private static func interval(_ words: [String]) -> String? {
        var words = words
        let hasEvery = words.first == "every"
        if hasEvery { words.removeFirst() }
        if hasEvery, words.count == 1, let unit = units[singular(words[0])] { return unit.once }
        if hasEvery, words.count == 2, words[0] == "other" { words[0] = "2" }
        guard let period = period(words) else {
            guard hasEvery, words.count == 2, ["month", "months"].contains(words[1]), let count = Int(words[0]),
                [1, 2, 3, 4, 6, 12].contains(count)
            else { return nil }
            return count == 1 ? "@monthly" : count == 12 ? "@yearly" : "0 0 1 1-12/\(count) *"
        }
        return "@every \(period)"
    }

    /// A duration as `@every` takes it: of `5 minutes`, `1.5h`, `90s`.
    static func period(_ words: [String]) -> String? {
        if words.count == 1 {
            if words[0].contains("."), let milliseconds = decimal(words[0]) {
                return DurationText.format(milliseconds: milliseconds)
            }
            guard let milliseconds = DurationText.parse(words[0]), milliseconds % 1_000 == 0, milliseconds > 0 else {
                return nil
            }
            return words[0]
        }
        guard words.count == 2, let count = Int(words[0]), (1...1_000_000).contains(count),
            let suffix = units[singular(words[1])]?.suffix
        else { return nil }
        return "\(count)\(suffix)"
    }

    /// Milliseconds of `1.5h`, whole seconds only.
    private static func decimal(_ text: String) -> Int64? {
        let lengths: [(String, Int64)] = [("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        guard let (suffix, length) = lengths.first(where: { text.hasSuffix($0.0) }) else { return nil }
        let parts = text.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...6).contains(parts[0].count), (1...3).contains(parts[1].count),
            parts.allSatisfy({ $0.utf8.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 } }), let whole = Int64(parts[0]),
            let fraction = Int64(parts[1])
        else { return nil }
        let scale: Int64 = [1, 10, 100, 1_000][parts[1].count]
        let milliseconds = whole * length + fraction * length / scale
        return fraction * length % scale == 0 && milliseconds % 1_000 == 0 && milliseconds > 0 ? milliseconds : nil
    }

    private static let units: [String: (suffix: String, once: String)] = [
        "second": ("s", "* * * * * *"), "sec": ("s", "* * * * * *"), "minute": ("m", "* * * * *"),
        "min": ("m", "* * * * *"), "hour": ("h", "@hourly"), "day": ("d", "@daily"), "week": ("w", "@weekly"),
    ]

    private static func singular(_ word: String) -> String {
        word.hasSuffix("s") ? String(word.dropLast()) : word
    }

    // MARK: Times of day

    /// `daily at 9am`, `every monday 09:30`, `every weekday at noon`.
    private static func timeOfDay(_ words: [String]) -> String? {
        var words = words.filter { $0 != "at" && $0 != "on" }
        if words.first == "every" { words.removeFirst() }
        guard words.count == 2, let days = days(words[0]), let time = time(words[1]) else { return nil }
        return "\(time.minute) \(time.hour) * * \(days)"
    }

    private static func days(_ word: String) -> String? {
        if word == "day" || word == "daily" { return "*" }
        if word == "weekday" || word == "weekdays" { return "MON-FRI" }
        let name = singular(word).uppercased()
        return CronField.weekdayNames.first {
            $0.uppercased() == name || ($0.uppercased().hasPrefix(name) && name.count == 3)
        }
        .map { $0.prefix(3).uppercased() }
    }

    /// `9am`, `9:30pm`, `21:00`, `noon`, `midnight`.
    static func time(_ word: String) -> (hour: Int, minute: Int)? {
        if word == "noon" { return (12, 0) }
        if word == "midnight" { return (0, 0) }
        let half = word.hasSuffix("am") ? 0 : word.hasSuffix("pm") ? 12 : nil
        let parts = (half == nil ? word[...] : word.dropLast(2)).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || (parts.count == 1 && half != nil),
            parts.allSatisfy({ (1...2).contains($0.count) && $0.utf8.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 } }),
            let hour = Int(parts[0]), let minute = parts.count == 2 ? Int(parts[1]) : 0, minute <= 59
        else { return nil }
        guard let half else { return hour <= 23 ? (hour, minute) : nil }
        return (1...12).contains(hour) ? (hour % 12 + half, minute) : nil
    }
}
