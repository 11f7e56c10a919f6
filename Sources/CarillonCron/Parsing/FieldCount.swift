/// Errors about the fields as a whole: too few, too many, or in another scheduler's order.
enum FieldCount {
    static func error(_ words: [Range<Int>], of source: CronSource) -> CronError? {
        let allowed = "5 (minute first), 6 (second first) or 7 (second first, year last) are allowed"
        switch words.count {
        case 5, 7: return nil
        case 6: return sixFields(words, of: source)
        case 8...:
            return source.error(nil, words[7], "is one field too many, there are \(words.count); \(allowed)")
        default:
            let end = words[words.count - 1].upperBound
            return source.error(
                nil,
                end..<end,
                "comes after \(words.count) field\(words.count == 1 ? "" : "s"); \(allowed)"
            )
        }
    }

    /// Six fields begin with the second. In other schedulers they end with a year or with the second; the error says so where the last
    /// field can be nothing else.
    private static func sixFields(_ words: [Range<Int>], of source: CronSource) -> CronError? {
        let last = words[5]
        let digits = source.bytes[last].prefix { $0 &- UInt8(ascii: "0") <= 9 }
        guard !digits.isEmpty, digits.count <= 4, let value = Int(source.text(digits.indices)) else { return nil }
        let rest = source.text(words[0].lowerBound..<words[4].upperBound)
        let all = words[0].lowerBound..<last.upperBound
        if FieldSchedule.years.contains(value) {
            return source.error(
                .dayOfWeek,
                last,
                "looks like a year; six fields begin with the second, a year is the seventh",
                source.replacing(all, with: "0 \(rest) \(source.text(last))")
            )
        }
        if (8...59).contains(value) {
            return source.error(
                .dayOfWeek,
                last,
                "looks like a second; six fields begin with the second and end with the day of week",
                source.replacing(all, with: "\(source.text(last)) \(rest)")
            )
        }
        return nil
    }
}
