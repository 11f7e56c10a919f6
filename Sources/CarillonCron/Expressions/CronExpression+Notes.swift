extension CronExpression {
    /// The meaning of the text in another scheduler, if the text shows that it was written for it; `nil` otherwise.
    ///
    /// Quartz and Amazon EventBridge have `?` in one field of days and count Sunday as 1, so that their `6L` is the last Friday.
    /// Here it is the last Saturday.
    public var note: String? {
        for member in text.split(separator: "|") {
            let words = member.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count == 6 || words.count == 7, words[3] == "?", words[5] != "?" else { continue }
            let weekdays = words[5].split(separator: ",").flatMap { item in
                // A number after # or / is not a weekday.
                item.prefix { $0 != "#" && $0 != "/" }.split(separator: "-")
            }
            guard let weekday = weekdays.first(where: { $0.utf8.first.map { $0 &- UInt8(ascii: "0") <= 7 } ?? false }),
                let number = Int(weekday.prefix(1))
            else { continue }
            let here = CronField.weekdayNames[number % 7]
            let there = number == 0 ? "no weekday" : CronField.weekdayNames[(number + 6) % 7]
            return
                "\(number) in the day of week field is \(here) here, where Sunday is 0 or 7; in Quartz and EventBridge, where Sunday is 1, it is \(there). Names such as \(here.prefix(3).uppercased()) mean the same everywhere."
        }
        return nil
    }
}
