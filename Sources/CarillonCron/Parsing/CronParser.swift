/// Parses text into a schedule.
///
///     expression = member *( "|" member )
///     member     = fields / nickname / "@at" date-time / "@every" duration [ "+" duration / from / on from ]
///     from       = "from" ( date-time / local-date [ "T" local-time ] )
///     on         = "on" day-of-week
///     fields     = [second] minute hour day-of-month month day-of-week [year]
struct CronParser {
    /// The length limit; longer texts are refused without being read.
    static let longestText = 1_024

    private let source: CronSource

    static func parse(_ text: String) throws(CronError) -> (text: String, schedule: Schedule) {
        guard text.utf8.count <= longestText else {
            throw CronError(
                field: nil,
                position: longestText + 1,
                found: "",
                message: "The expression has \(text.utf8.count) bytes; at most \(longestText) are allowed",
                proposal: nil
            )
        }
        let parser = CronParser(source: CronSource(text))
        let all = parser.source.trimmed(0..<parser.source.bytes.count)
        let schedule: Schedule
        do throws(CronError) {
            schedule = try parser.expression(all)
        } catch {
            throw Separators.error(in: parser.source) ?? error
        }
        return (all.count == parser.source.bytes.count ? text : parser.source.text(all), schedule)
    }

    private func expression(_ range: Range<Int>) throws(CronError) -> Schedule {
        guard source.bytes[range].contains(UInt8(ascii: "|")) else { return try member(range) }
        var members: [Schedule] = []
        var start = range.lowerBound
        while start <= range.upperBound {
            let end = source.bytes[start..<range.upperBound].firstIndex(of: UInt8(ascii: "|")) ?? range.upperBound
            let part = source.trimmed(start..<end)
            guard !part.isEmpty else {
                throw source.error(
                    nil,
                    end..<min(end + 1, range.upperBound),
                    "has no expression before it; a union is written as in 0 9 * * 1-5 | 0 11 * * 6",
                    withoutEmptyMembers(range)
                )
            }
            let member = try member(part)
            if member == .reboot {
                throw source.error(nil, part, "cannot be joined with other expressions: it names no time")
            }
            members.append(member)
            start = end + 1
        }
        return .union(members)
    }

    /// Proposes the union without its empty members.
    private func withoutEmptyMembers(_ range: Range<Int>) -> Proposal? {
        let members = source.text(range).split(separator: "|").map { part in
            let source = CronSource(String(part))
            return source.text(source.trimmed(0..<source.bytes.count))
        }.filter { !$0.isEmpty }
        guard !members.isEmpty else { return nil }
        let text = members.joined(separator: " | ")
        return Proposal(before: "", after: "", fragment: text, note: "", isExpression: true)
    }

    private func member(_ range: Range<Int>) throws(CronError) -> Schedule {
        guard !range.isEmpty else {
            throw source.error(
                nil,
                range,
                "comes too early: an expression has 5 fields, as in */5 * * * *, or is a nickname, as in @daily"
            )
        }
        if source.bytes[range.lowerBound] == UInt8(ascii: "@") {
            do throws(CronError) {
                return try NicknameParser.parse(range, of: source)
            } catch {
                throw CrontabLine(source: source, range: range, words: source.words(range)).recognized ?? error
            }
        }
        let words = source.words(range)
        do throws(CronError) {
            if let error = FieldCount.error(words, of: source) { throw error }
            return .fields(try fields(words))
        } catch {
            throw ForeignExpression(source: source, range: range, words: words, error: error).recognized ?? error
        }
    }

    private func fields(_ words: [Range<Int>]) throws(CronError) -> FieldSchedule {
        let first = words.count == 5 ? 0 : 1
        // Without a second field the second is 0; without a year field every year matches (OCPS 1.2).
        var second = FieldValue()
        second.numbers[0] = true
        if first == 1 { second = try FieldParser.parse(.second, words[0], of: source) }
        let minute = try FieldParser.parse(.minute, words[first], of: source)
        let hour = try FieldParser.parse(.hour, words[first + 1], of: source)
        let dayOfMonth = try FieldParser.parse(.dayOfMonth, words[first + 2], of: source)
        let month = try FieldParser.parse(.month, words[first + 3], of: source)
        let dayOfWeek = try FieldParser.parse(.dayOfWeek, words[first + 4], of: source)
        var years = NumberSet()
        if words.count == 7 {
            years = try FieldParser.parse(.year, words[6], of: source).numbers
        } else {
            years = FieldSchedule.allYears
        }
        let days = DayMasks(
            daysOfMonth: UInt32(truncatingIfNeeded: dayOfMonth.numbers.low),
            daysFromEnd: dayOfMonth.daysFromEnd,
            nearestWeekdays: dayOfMonth.nearestWeekdays,
            lastWeekdays: dayOfMonth.lastWeekdays,
            weekdays: UInt32(truncatingIfNeeded: dayOfWeek.numbers.low),
            nthWeekdays: dayOfWeek.nthWeekdays,
            monthDayIsRestricted: !dayOfMonth.isWildcard,
            weekdayIsRestricted: !dayOfWeek.isWildcard,
            requiresBoth: dayOfWeek.beginsWithPlus && !dayOfMonth.isWildcard && !dayOfWeek.isWildcard
        )
        return FieldSchedule(
            seconds: second.numbers.low,
            minutes: minute.numbers.low,
            hours: UInt32(truncatingIfNeeded: hour.numbers.low),
            days: days,
            months: UInt32(truncatingIfNeeded: month.numbers.low),
            years: years,
            minuteBeginsWithStar: minute.beginsWithStar,
            hourBeginsWithStar: hour.beginsWithStar
        )
    }
}
