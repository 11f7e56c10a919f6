/// A crontab line with more than the time: variables, a command, a user, a comment, a time zone.
struct CrontabLine {
    let source: CronSource
    let range: Range<Int>
    let words: [Range<Int>]

    var recognized: CronError? { variable ?? comment ?? fcron ?? rest }

    private var texts: [String] { words.map(source.text) }

    /// `TZ=`, `CRON_TZ=` and other assignments before the fields.
    private var variable: CronError? {
        let first = source.text(words[0])
        guard let equals = first.firstIndex(of: "="), equals > first.startIndex else { return nil }
        let name = first[..<equals]
        guard name.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || $0 & 0xdf &- UInt8(ascii: "A") < 26 }) else {
            return nil
        }
        let isZone = name == "TZ" || name == "CRON_TZ"
        let fields = words.count > 1 ? source.text(words[1].lowerBound..<range.upperBound) : nil
        return source.error(
            nil,
            words[0],
            isZone
                ? "does not belong to the expression; the time zone is a setting of its own"
                : "is an assignment of a crontab and does not belong to the expression",
            fields.map { source.replacing(range, with: $0) }
        )
    }

    /// `0 9 * * * # nightly`
    private var comment: CronError? {
        guard let index = words.firstIndex(where: { source.bytes[$0.lowerBound] == UInt8(ascii: "#") }) else {
            return nil
        }
        let fields = index > 0 ? source.text(range.lowerBound..<words[index - 1].upperBound) : nil
        return source.error(
            nil,
            words[index].lowerBound..<range.upperBound,
            "is a comment; an expression has none",
            fields.map { source.replacing(range, with: $0) }
        )
    }

    /// fcron's lines begin with `&` (options and five fields), `%` (once in a period) or `@` and a duration (elapsed time).
    private var fcron: CronError? {
        let first = source.text(words[0])
        switch first.first {
        case "&":
            let fields = words.count >= 6 ? source.text(words[1].lowerBound..<words[5].upperBound) : nil
            return source.error(
                nil,
                words[0],
                "begins a line of fcron, with options; an expression has the five fields only",
                fields.map { source.replacing(range, with: $0) }
            )
        case "%":
            return source.error(
                nil,
                words[0],
                "begins a line of fcron that runs once in a period, at a time that the machine chooses; here a schedule has a time, as in @daily"
            )
        case "!":
            return source.error(nil, words[0], "begins a declaration of fcron and does not belong to the expression")
        case "@":
            guard words.count >= 2, first.utf8.count == 1 || first.contains("("),
                let period = Self.fcronPeriod(source.text(words[1]))
            else { return nil }
            return source.error(
                nil,
                words[0].lowerBound..<words[1].upperBound,
                "is elapsed time of fcron, counted while the machine runs; here @every is counted from 1970 in UTC",
                source.replacing(range, with: "@every \(period)")
            )
        default: return nil
        }
    }

    /// `30` means minutes, `2h30` hours and minutes.
    private static func fcronPeriod(_ text: String) -> String? {
        guard let last = text.utf8.last else { return nil }
        let period = last &- UInt8(ascii: "0") <= 9 ? text + "m" : text
        return DurationText.parse(period).map { $0 > 0 && $0 % 1_000 == 0 } == true ? period : nil
    }

    /// Text after the fields or after a nickname that cannot be a field.
    private var rest: CronError? {
        let isNickname = source.bytes[range.lowerBound] == UInt8(ascii: "@")
        let index = isNickname ? 1 : words.firstIndex { !Self.isField(source.text($0)) }
        guard let index, index < words.count, isNickname || (5...7).contains(index) else { return nil }
        let fields = source.text(words[0].lowerBound..<words[index - 1].upperBound)
        guard (try? CronParser.parse(fields)) != nil else { return nil }
        let isZone = words.count == index + 1 && Self.isZone(source.text(words[index]))
        let problem =
            isNickname
            ? "cannot follow \(fields), which stands alone; an expression has no command"
            : "is not the time; an expression has the fields of the time only, without user and command"
        return source.error(
            nil,
            words[index].lowerBound..<range.upperBound,
            isZone ? "is a time zone, which is a setting of its own" : problem,
            source.replacing(range, with: fields)
        )
    }

    /// Whether the text has only characters of a field.
    private static func isField(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var word: [UInt8] = []
        for byte in bytes + [UInt8(ascii: ",")] {
            if byte & 0xdf &- UInt8(ascii: "A") < 26 {
                word.append(byte & 0xdf)
                continue
            }
            if word.count >= 3 {
                let name = (word[0], word[1], word[2])
                guard CronField.dayOfWeek.value(ofName: name) != nil || CronField.month.value(ofName: name) != nil
                else {
                    return false
                }
            }
            word = []
            guard "0123456789*,-/#+?L".utf8.contains(byte) else { return false }
        }
        return bytes.first != UInt8(ascii: "/")
    }

    /// `Europe/Berlin`, `UTC`.
    static func isZone(_ text: String) -> Bool {
        if ["UTC", "GMT", "Z"].contains(text.uppercased()) { return true }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return (2...3).contains(parts.count)
            && parts.allSatisfy { part in
                guard let first = part.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
                    return false
                }
                return part.utf8.allSatisfy {
                    $0 & 0xdf &- UInt8(ascii: "A") < 26 || "0123456789_+-".utf8.contains($0)
                }
            }
    }
}
