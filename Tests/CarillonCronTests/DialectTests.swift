import CarillonCron
import Testing

/// The proposals of the hints have the same meaning as the text in the other scheduler.
@Suite struct DialectTests {
    @Test func eventBridgeIsTranslated() throws {
        let seed = Seeded.seed(21)
        var random = Seeded(seed)
        for _ in 0..<250 {
            let fields = RandomQuartz.fields(&random)
            let year = random.pick(["*", "*", "2026", "2026-2028", "2026/2"])
            let text = "\(fields) \(year)"
            for written in [text, "cron(\(text))"] {
                let error = try #require(parseError(written), "\(written) seed \(seed)")
                let suggestion = try #require(error.suggestion, "\(written): \(error.message) seed \(seed)")
                #expect(error.message.hasSuffix("write \(suggestion)."), "\(error.message)")
                try compare(suggestion, NaiveQuartz(eventBridge: text), text, &random, seed)
            }
        }
    }

    @Test func quartzIsTranslatedWhereItIsAnErrorHere() throws {
        let seed = Seeded.seed(22)
        var random = Seeded(seed)
        var translated = 0
        for _ in 0..<500 {
            let fields = RandomQuartz.fields(&random)
            let year = random.pick(["", "", " 2026", " 2026-2028"])
            let text = "\(random.pick(["0", "0/20", "30"])) \(fields)\(year)"
            // A text that parses here keeps its meaning here; the note says where Quartz differs.
            guard let error = parseError(text) else { continue }
            let suggestion = try #require(error.suggestion, "\(text): \(error.message) seed \(seed)")
            try compare(suggestion, NaiveQuartz(quartz: text), text, &random, seed)
            translated += 1
        }
        #expect(translated > 100, "seed \(seed)")
    }

    private func compare(
        _ suggestion: String,
        _ naive: NaiveQuartz,
        _ text: String,
        _ random: inout Seeded,
        _ seed: UInt64
    ) throws {
        let expression = try CronExpression(suggestion)
        var day = CivilTime(year: 2026, month: random.number(1...12), day: 1).seconds
        for _ in 0..<70 {
            // Days with a due time are checked second by second, other days at one second.
            let isDay = naive.matchesDay(CivilTime(seconds: day))
            let next = expression.next(after: day - 1, in: .utc) ?? .max
            if !isDay {
                #expect(next >= day + 86_400, "\(text) → \(suggestion) \(utc(day)) seed \(seed)")
            } else {
                #expect(next - day == naive.times.first, "\(text) → \(suggestion) \(utc(day)) seed \(seed)")
                let second = Int64(random.number(0...86_399))
                let following = naive.times.first { $0 >= second }
                let found = expression.next(after: day + second - 1, in: .utc).flatMap {
                    $0 < day + 86_400 ? $0 - day : nil
                }
                #expect(found == following, "\(text) → \(suggestion) \(utc(day + second)) seed \(seed)")
            }
            day += 86_400
        }
    }

    @Test(arguments: [
        ("0 0 12 ? * 6L", "Friday"), ("0 0 12 ? * 2-6", "Monday"), ("0 0 12 ? * MON,7 2030", "Saturday"),
        ("0 0 12 ? * 2#1", "Monday"),
    ])
    func expressionsThatQuartzReadsDifferentlyHaveANote(text: String, there: String) throws {
        let note = try #require(try CronExpression(text).note)
        #expect(note.contains("in Quartz and EventBridge, where Sunday is 1, it is \(there)"), "\(note)")
    }

    @Test(arguments: [
        "0 0 12 ? * FRI#2", "0 0 12 1 * ?", "0 0 12 * * 6L", "0 12 ? * 6", "@daily", "0 0 12 ? * MON-FRI/2 | @daily",
    ])
    func othersHaveNone(text: String) {
        #expect((try? CronExpression(text))?.note == nil)
    }

    /// fugit counts weeks from Tuesday, 2019-01-01, which is week 1: a Tuesday with `%2` is due in even weeks.
    @Test func fugitIsTranslated() throws {
        let names = ["SUN", "mon", "Tue", "WED", "thu", "FRI", "SAT"]
        for weekday in 0...6 {
            for (weeks, offset) in [(2, 0), (2, 1), (3, 2), (4, 0)] {
                let written = "30 9 * * \(names[weekday])%\(weeks)" + (offset == 0 ? "" : "+\(offset)")
                let suggestion = try #require(parseError(written)?.suggestion, "\(written)")
                let times = try CronExpression(suggestion).times(after: at("2019-01-01T00:00:00Z"), in: .utc).prefix(60)
                let expected = (0..<60 * 7 * weeks).map { at("2019-01-01T09:30:00Z") + Int64($0) * 86_400 }.filter {
                    time in
                    let week = (time - at("2019-01-01T09:30:00Z")) / (7 * 86_400) + 1
                    return CivilTime(seconds: time).weekday == weekday && week % Int64(weeks) == Int64(offset % weeks)
                }
                #expect(Array(times) == Array(expected.prefix(60)), "\(written) → \(suggestion)")
            }
        }
    }
}

/// Fields of Quartz without the second and the year.
enum RandomQuartz {
    static func fields(_ random: inout Seeded) -> String {
        let minute = number(&random, 0...59)
        let hour = number(&random, 0...23)
        let month = random.pick(["*", "*", "JAN,JUL", "11-2", "NOV-FEB", "1/3", "3"])
        let weekday = random.number(1...7)
        if random.number(0...1) == 0 {
            let day = random.pick(["*", "1", "L", "L-3", "28-3", "1/5", "10-20/3", "1,15"])
            return "\(minute) \(hour) \(day) \(month) ?"
        }
        let day = random.pick([
            "\(weekday)", "L", "\(weekday)L", "FRIL", "\(weekday)#\(random.number(1...5))", "MON#2", "2-6", "6-2",
            "FRI-MON",
            "2/2", "\(weekday)/3", "MON,4", "SAT-SUN", "*", "6-3/2", "SUN-TUE",
        ])
        return "\(minute) \(hour) ? \(month) \(day)"
    }

    private static func number(_ random: inout Seeded, _ range: ClosedRange<Int>) -> String {
        let (left, right) = (random.number(range), random.number(range))
        return random.pick([
            "\(left)", "\(left)/\(random.number(1...range.count))", "\(left)-\(right)", "\(left)-\(right)/3", "*/7",
            "/10", "\(left),\(right)", "\(min(left, right))-\(max(left, right))", "*",
        ])
    }
}
