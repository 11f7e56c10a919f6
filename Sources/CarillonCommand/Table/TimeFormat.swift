internal import CarillonCron
internal import CarillonJSON

/// The format of times in tables. Times in responses are RFC 3339 in UTC.
struct TimeFormat: Sendable {
    var zone: TimeZoneRules

    static let utc = TimeFormat(zone: .utc)

    /// RFC 3339 with the offset of the zone: `2026-11-25T09:00:00+01:00`. Text that is not a time is returned
    /// unchanged.
    func text(_ value: JSONValue?) -> String {
        guard let milliseconds = TimeFormat.milliseconds(value) else { return ValueFormat.text(value) }
        let (seconds, rest) = TimeFormat.split(milliseconds)
        var text = RFC3339.format(seconds: seconds, offset: zone.offset(at: seconds).seconds)
        guard rest != 0, let end = text.utf8.index(text.startIndex, offsetBy: 19, limitedBy: text.endIndex) else {
            return text
        }
        let digits = String(rest)
        text.insert(contentsOf: "." + String(repeating: "0", count: 3 - digits.count) + digits, at: end)
        return text
    }

    /// The form for narrow terminals, without fraction and offset: `2026-11-25 09:00:00`.
    func compact(_ value: JSONValue?) -> String {
        guard let milliseconds = TimeFormat.milliseconds(value) else { return ValueFormat.text(value) }
        let civil = zone.civilTime(at: TimeFormat.split(milliseconds).seconds).description
        return String(civil.map { $0 == "T" ? " " : $0 })
    }

    /// The form with the day of the week: `Wed 2026-11-25T09:00:00+01:00`.
    func dayAndTime(_ value: JSONValue?) -> String {
        guard let milliseconds = TimeFormat.milliseconds(value) else { return ValueFormat.text(value) }
        let weekday = zone.civilTime(at: TimeFormat.split(milliseconds).seconds).weekday
        return ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][weekday] + " " + text(value)
    }

    /// The first instant at which local clocks show this time; for a skipped time, the instant of the clock change.
    func seconds(of civil: CivilTime) -> Int64 {
        let local = civil.seconds
        // Offsets differ from UTC by at most 26 hours and change rarely, so the offsets of the days before and after
        // are the candidates.
        let before = Int64(zone.offset(at: local - 93_600).seconds)
        let after = Int64(zone.offset(at: local + 93_600).seconds)
        for offset in [max(before, after), min(before, after)]
        where Int64(zone.offset(at: local - offset).seconds) == offset {
            return local - offset
        }
        return zone.transition(after: local - 93_600) ?? local - before
    }

    private static func milliseconds(_ value: JSONValue?) -> Int64? {
        value?.string.flatMap { RFC3339.parse($0) }
    }

    private static func split(_ milliseconds: Int64) -> (seconds: Int64, rest: Int) {
        let seconds = milliseconds >= 0 ? milliseconds / 1_000 : (milliseconds - 999) / 1_000
        return (seconds, Int(milliseconds - seconds * 1_000))
    }
}
