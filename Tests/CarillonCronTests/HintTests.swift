import CarillonCron
import Testing

/// Errors for texts that other schedulers understand: the proposal parses and means the same.
@Suite struct HintTests {
    /// A text of another scheduler, and the proposal; `nil` if nothing here means the same.
    static let corpus: [(text: String, suggestion: String?)] = [
        // Quartz and EventBridge.
        ("0 12 * * ? *", "0 12 * * *"), ("0 12 ? * 6L *", "0 12 * * FRI#L"), ("0 12 ? * 2 2026", "0 0 12 * * MON 2026"),
        ("0 12 * * ? 2026-2030", "0 0 12 * * * 2026-2030"), ("cron(0 12 * * ? *)", "0 12 * * *"),
        ("cron(0 12 * * *)", "0 12 * * *"), ("CRON(15 10 ? * 6L 2022-2023)", "0 15 10 * * FRI#L 2022-2023"),
        ("rate(5 minutes)", "@every 5m"), ("rate(1 hour)", "@every 1h"), ("rate(7 days)", "@every 7d"),
        ("rate(x)", nil),
        ("at(2026-01-05T09:00:00)", "@at 2026-01-05T09:00:00Z"), ("0 0/5 12 ? * 2-6", "0 0-59/5 12 * * MON-FRI"),
        ("0 12 * * MON *", "0 12 * * MON"), ("0 12 * * MON 2026", "0 0 12 * * MON 2026"), ("0 0 9 L-1W * ?", nil),
        ("0 12 * * ? * | @daily", "0 12 * * * | @daily"),
        // Ranges and steps.
        ("0 8 * * 7-1", "0 8 * * 0-1"), ("0 22-5/3 * * *", "0 22,1,4 * * *"), ("0 22-4 * * *", "0 22-23,0-4 * * *"),
        ("0 0 28-3 * *", "0 0 28-31,1-3 * *"), ("0 0 * NOV-FEB *", "0 0 * 11-12,1-2 *"), ("0 8 * * 5-0", "0 8 * * 5-7"),
        ("0 8 * * FRI-MON/2", "0 8 * * 5,0"), ("0 8 * * 6-0/2", "0 8 * * 6"),
        ("0 0 0 1 1 * 2030-2020", "0 0 0 1 1 * 2020-2030"),
        ("10/5 22-4 * * *", "10-59/5 22-23,0-4 * * *"), ("10/0 * * * *", nil), ("5/ * * * *", nil),
        ("10/99999999999999999999 * * * *", "10-59/99999999999999999999 * * * *"),
        // Days.
        ("0 9 * * L5", "0 9 * * 5#L"), ("0 9 * * L9", nil), ("0 9 L5 * *", "0 9 L-5 * *"), ("0 9 L-3W * *", nil),
        ("0 9 * * THUL-3", nil), ("0 9 * * THU#2-3", nil), ("0 9 1W,15W * *", "0 9 1W * * | 0 9 15W * *"),
        ("0 9 1,15W,LW * MON | @daily", "0 9 1 * MON | 0 9 15W * MON | 0 9 LW * MON | @daily"), ("0 9 1 * +", nil),
        ("0 9 15w * *", "0 9 15W * *"), ("0 9 lw * *", "0 9 LW * *"), ("0 9 * * fril", "0 9 * * FRIL"),
        ("0 9 -1 * *", "0 9 L * *"), ("0 9 -2 * *", "0 9 L-1 * *"), ("0 9 * * L", "0 9 * * 6"),
        ("0 9 5-L * *", "0 9 5-31 * *"),
        ("0 9 * * Monday,Fri", "0 9 * * MON,Fri"), ("0 9 * * 1..5", "0 9 * * 1-5"),
        ("0 9 * * Tue%2", "@every 2w from 2019-01-08T09:00:00"), ("*/5 9 * * Tue%2", nil),
        // Words and calendars.
        ("hourly", "@hourly"), ("weekly", "@weekly"), ("quarterly", "0 0 1 1,4,7,10 *"),
        ("every 5 minutes", "@every 5m"),
        ("every hour", "@hourly"), ("every day at 9am", "0 9 * * *"), ("every monday 09:30", "30 9 * * MON"),
        ("every 3 months", "0 0 1 1-12/3 *"), ("10 minutes", "@every 10m"), ("5m", "@every 5m"),
        ("@every 1.5h", "@every 1h30m"),
        ("@every 5 minutes", "@every 5m"), ("@Hourly", "@hourly"), ("@minutely", "* * * * *"),
        ("*-*-* 04:00:00", "0 4 * * *"), ("Mon..Fri 09:00 Europe/Berlin", "0 9 * * MON-FRI"),
        ("*-02~03", "0 0 L-2 2 *"),
        ("2030-01-01 09:00", "0 0 9 1 1 * 2030"), ("*:0/15", "0-59/15 * * * *"), ("Fri *-*-13 12:00", "0 12 13 * +FRI"),
        ("Mon,Wed *-05..08-01/2 09:05:30", "30 5 9 1-31/2 5-8 +MON,WED"),
        ("2030-01-01T09:00:00Z", "@at 2030-01-01T09:00:00Z"),
        // Lines of a crontab.
        ("0 9 * * * /usr/bin/backup", "0 9 * * *"), ("0 9 * * * root /usr/bin/backup -x", "0 9 * * *"),
        ("0 0 9 * * MON backup", "0 0 9 * * MON"), ("0 9 * * * Europe/Berlin", "0 9 * * *"), ("@daily UTC", "@daily"),
        ("@daily /bin/true", "@daily"), ("0 9 * * * # nightly", "0 9 * * *"), ("# nightly", nil),
        ("CRON_TZ=Europe/Berlin 0 9 * * *", "0 9 * * *"), ("TZ=UTC @daily", "@daily"), ("MAILTO=root", nil),
        ("& 5 10 * * * cmd", "5 10 * * *"), ("@ 30 cmd", "@every 30m"), ("@ 2h30 cmd", "@every 2h30m"),
        ("%nightly * 21-23 * * * cmd", nil), ("!bootrun(true)", nil),
        ("@hourly ; 0 9 * * *", "@hourly | 0 9 * * *"),
        // Characters.
        ("0 9 * * *\n", "0 9 * * *"), ("0 9 * * *\r\n0 18 * * *", "0 9 * * * | 0 18 * * *"),
        ("0 9 * * *\u{A0}", "0 9 * * *"),
        ("0\u{A0}9 * * *", "0 9 * * *"), ("\u{FEFF}0 9 * * *", "0 9 * * *"), ("\"0 9 * * *\"", "0 9 * * *"),
        ("0 9 * * *; 0 18 * * *", "0 9 * * * | 0 18 * * *"), ("0 9 * * 1–5", "0 9 * * 1-5"),
        ("0 9 * * * || 0 18 * * *", "0 9 * * * | 0 18 * * *"), ("0 9 * * * |", "0 9 * * *"), ("|", nil),
        // Times.
        ("@at 2030-02-30T09:00:00Z", nil), ("@at 2030-01-01T09:00", "@at 2030-01-01T09:00:00Z"),
        ("@at 2030-01-01T24:00:00Z", "@at 2030-01-02T00:00:00Z"),
        ("@at 2030-01-01 09:00:00 +0100", "@at 2030-01-01T09:00:00+01:00"), ("@at noon", nil),
        ("@at 2030-13-01T00:00:00Z", nil), ("@at 2030-01-01T00:00:60Z", nil), ("@at 2030-01-01T00:00:00+99:00", nil),
        ("60 0 * * *", nil), ("* * * * * * * *", nil),
    ]

    @Test(arguments: corpus)
    func proposals(text: String, suggestion: String?) throws {
        let error = try #require(parseError(text), "\(text) is valid")
        guard let suggestion else {
            #expect(error.suggestion == nil, "\(error.message)")
            return
        }
        #expect(error.suggestion == suggestion, "\(error.message)")
    }

    /// The text after "write " in a message, and the examples after "as in ", parse in place of the error or alone.
    @Test(arguments: corpus.map(\.text) + RandomFaults.texts)
    func everyProposalParses(text: String) throws {
        guard let error = parseError(text) else { return }
        if let suggestion = error.suggestion { #expect(parseError(suggestion) == nil, "\(text): \(error.message)") }
        for mark in ["write ", "as in "] {
            for part in Self.parts(of: error.message, after: mark) {
                #expect(Self.parses(part), "\(text): `\(part)` in \(error.message)")
            }
        }
    }

    /// The alternatives after each mark, up to the end of the clause.
    private static func parts(of message: String, after mark: String) -> [String] {
        var parts: [String] = []
        var rest = message[...]
        while let start = rest.firstRange(of: mark)?.upperBound {
            rest = rest[start...]
            // A clause ends with a full stop, a semicolon, or a comma before a space.
            var clause = String(rest.prefix { $0 != ";" })
            for end in [". ", ", and ", ", which ", " for ", " or any ", " to count "] {
                if let range = clause.firstRange(of: end) { clause = String(clause[..<range.lowerBound]) }
            }
            if clause.last == "." { clause.removeLast() }
            for part in clause.split(separator: " or ") {
                parts += part.contains("@every") ? [String(part)] : part.split(separator: ", ").map(String.init)
            }
        }
        return parts.filter { !$0.hasPrefix("it as in") && !$0.hasPrefix("weeks") }
    }

    /// Whether the text parses alone, as one of the fields, as a duration or as a time.
    private static func parses(_ part: String) -> Bool {
        let part = part.hasPrefix("on ") ? String(part.dropFirst(3)) : part
        let places = [
            part, "\(part) * * * *", "* \(part) * * *", "* * \(part) * *", "* * * \(part) *", "* * * * \(part)",
            "0 0 0 * * * \(part)", "@every \(part)", "@at \(part)", "@every 1d from \(part)",
        ]
        return places.contains { parseError($0) == nil }
    }

    @Test(arguments: ["H H * * *", "H/15 * * * *", "H(0-29)/10 * H H *", "0~30 9 * * *", "~ ~ * * ~", "5~10/2 * * * *"])
    func chosenValuesAreInTheirRange(text: String) throws {
        let suggestion = try #require(parseError(text)?.suggestion)
        let expression = try CronExpression(suggestion)
        // As often as in the other scheduler.
        for (written, day) in [("H/15 * * * *", 96), ("H(0-29)/10 * H H *", 72), ("5~10/2 * * * *", 72)]
        where written == text {
            let first = try #require(expression.next(after: at("2026-01-01T00:00:00Z"), in: .utc))
            let midnight = first / 86_400 * 86_400
            let times = expression.times(after: midnight - 1, in: .utc).prefix { $0 < midnight + 86_400 }
            #expect(Array(times).count == day, "\(suggestion)")
        }
    }
}

/// Expressions with one or two errors, from a seed.
enum RandomFaults {
    static let texts: [String] = {
        var random = Seeded(Seeded.seed(31))
        let faults = [
            "5/7", "20-10", "22-4/3", "?", "H", "H/7", "H(1-5)", "3~9", "L", "L5", "15w", "lw", "1W,3W", "L-2W",
            "FRIL-2",
            "Friday", "sept", "1..4", "-1", "+3", "*/0", "99", "", "5-", "TUE%3", "MON-FRI/", "#2", "6-2", "SAT-TUE/2",
            "7-3",
            "LW,2", "C", "1,,2", "é", "2026", "1;2", "3–5",
        ]
        return (0..<700).map { _ in
            var fields = ["0", "*/5", "1-5", "*", "*"].shuffled(using: &random)
            for _ in 0..<random.number(1...2) { fields[random.number(0...4)] = random.pick(faults) }
            if random.number(0...3) == 0 { fields.insert(random.pick(["0", "?", "*"]), at: random.number(0...5)) }
            return fields.joined(separator: " ") + random.pick(["", "", " | @daily", " # x"])
        }
    }()
}
