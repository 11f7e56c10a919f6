/// Expressions that begin with `@`: the nicknames of OCPS 1.1, and the extensions `@every` and `@at`.
enum NicknameParser {
    private static let nicknames: [(name: String, fields: String)] = [
        ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"), ("@monthly", "0 0 1 * *"), ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@hourly", "0 * * * *"),
    ]
    private static let all =
        "@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @reboot, @every 10m and @at 2030-01-01T00:00:00Z"

    static func parse(_ range: Range<Int>, of source: CronSource) throws(CronError) -> Schedule {
        let words = source.words(range)
        let name = source.text(words[0])
        switch name {
        case "@every":
            let argument = try argument(words, range, "a duration, as in @every 10m or @every PT10M", of: source)
            return try EveryParser.parse(argument, of: source)
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
            return source.error(
                nil,
                range,
                "is not known; nicknames are in small letters",
                source.replacing(range, with: lower)
            )
        }
        return switch lower {
        case "@minutely": source.error(nil, range, "is not known", source.replacing(range, with: "* * * * *"))
        case "@secondly": source.error(nil, range, "is not known", source.replacing(range, with: "* * * * * *"))
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

    private static func at(_ range: Range<Int>, of source: CronSource) throws(CronError) -> Schedule {
        let text = source.text(range)
        guard let milliseconds = RFC3339.parse(text) else {
            if let written = WrittenTime(text), let problem = written.problem {
                let proposal = written.instant.map { source.replacing(range, with: $0, note: written.note) }
                throw source.error(nil, range, problem, proposal)
            }
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
