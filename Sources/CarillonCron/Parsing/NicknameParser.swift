/// Expressions that begin with `@`: the nicknames of OCPS 1.1, and the extensions `@every` and `@at`.
enum NicknameParser {
    private static let nicknames: [(name: String, fields: String)] = [
        ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"), ("@monthly", "0 0 1 * *"), ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@hourly", "0 * * * *"),
    ]
    private static let all =
        "@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @reboot, @every 10m and @at 2030-01-01T00:00:00Z"
    /// 100 years: longer than any schedule is meant to live.
    private static let longestPeriod: Int64 = 36_525 * 86_400

    static func parse(_ range: Range<Int>, of source: CronSource) throws(CronError) -> Schedule {
        let words = source.words(range)
        let name = source.text(words[0])
        switch name {
        case "@every":
            return try every(
                try argument(words, range, "a duration, as in @every 10m or @every PT10M", of: source),
                of: source
            )
        case "@at":
            return try at(try argument(words, range, "a time, as in @at 2030-01-01T09:00:00Z", of: source), of: source)
        case "@reboot":
            try standsAlone(words, of: source)
            return .reboot
        default:
            guard let nickname = nicknames.first(where: { $0.name == name }) else {
                throw unknown(name, words[0], of: source)
            }
            try standsAlone(words, of: source)
            return try CronParser.parse(nickname.fields).schedule
        }
    }

    private static func standsAlone(_ words: [Range<Int>], of source: CronSource) throws(CronError) {
        guard words.count == 1 else {
            throw source.error(nil, words[1], "cannot follow \(source.text(words[0])), which stands alone")
        }
    }

    private static func unknown(_ name: String, _ range: Range<Int>, of source: CronSource) -> CronError {
        let lower = name.lowercased()
        if nicknames.contains(where: { $0.name == lower }) || ["@reboot", "@every", "@at"].contains(lower) {
            return source.error(nil, range, "is not known; nicknames are written in small letters: \(lower)")
        }
        return switch lower {
        case "@minutely": source.error(nil, range, "is not known; write * * * * *")
        case "@secondly": source.error(nil, range, "is not known; write * * * * * *")
        default: source.error(nil, range, "is not known; there are \(all)")
        }
    }

    private static func argument(
        _ words: [Range<Int>],
        _ range: Range<Int>,
        _ example: String,
        of source: CronSource
    ) throws(CronError) -> Range<Int> {
        guard words.count > 1 else {
            throw source.error(nil, range.upperBound..<range.upperBound, "comes where something is missing: \(example)")
        }
        return words[1].lowerBound..<range.upperBound
    }

    /// `10m`, `10m+3m`, `PT10M + PT3M`.
    private static func every(_ range: Range<Int>, of source: CronSource) throws(CronError) -> Schedule {
        let plus = source.bytes[range].firstIndex(of: UInt8(ascii: "+"))
        let period = try seconds(source.trimmed(range.lowerBound..<(plus ?? range.upperBound)), of: source)
        guard period > 0, period <= longestPeriod else {
            throw source.error(nil, range, "is not a period; it is at least 1s and at most 36525d")
        }
        guard let plus else { return .every(period: period, phase: 0) }
        let phaseRange = source.trimmed(plus + 1..<range.upperBound)
        let phase = try seconds(phaseRange, of: source)
        guard phase < period else {
            throw source.error(nil, phaseRange, "is not a phase; the part after + is shorter than the period before it")
        }
        return .every(period: period, phase: phase)
    }

    private static func seconds(_ range: Range<Int>, of source: CronSource) throws(CronError) -> Int64 {
        guard let milliseconds = DurationText.parse(source.text(range)), milliseconds % 1_000 == 0 else {
            throw source.error(
                nil,
                range,
                "is not a duration of whole seconds; write it as in 90s, 5m, 1h30m, 2d or PT1H30M"
            )
        }
        return milliseconds / 1_000
    }

    private static func at(_ range: Range<Int>, of source: CronSource) throws(CronError) -> Schedule {
        guard let milliseconds = RFC3339.parse(source.text(range)) else {
            throw source.error(
                nil,
                range,
                "is not a time with date and offset (RFC 3339); write it as in 2030-01-01T09:00:00Z or 2030-01-01T09:00:00+01:00"
            )
        }
        guard milliseconds % 1_000 == 0 else {
            throw source.error(nil, range, "has a fraction of a second; schedules are in whole seconds")
        }
        guard milliseconds >= 0, milliseconds / 1_000 < FieldSchedule.end else {
            throw source.error(nil, range, "is out of range; the years 1970 to 2199 are allowed")
        }
        return .instant(milliseconds / 1_000)
    }
}
