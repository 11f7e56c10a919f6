/// `TUE%2` of fugit (rufus-scheduler): every second Tuesday, in weeks counted from Tuesday, 2019-01-01, which is week 1.
struct FugitWeeks {
    let parser: FieldParser
    let item: Range<Int>

    var error: CronError {
        let expression = expression
        return parser.error(
            item,
            "is fugit's count of weeks; here every so many weeks are written with @every, weekdays and a start",
            write: expression,
            replacing: parser.source.member(around: item.lowerBound)
        )
    }

    /// `nil` if there is more than one time or weekday.
    private var expression: String? {
        let source = parser.source
        let words = source.words(source.member(around: item.lowerBound)).map(source.text)
        guard item == parser.range, words.count == 5 || words.count == 6, let (weekday, weeks, offset) = parts else {
            return nil
        }
        let first = words.count - 5
        guard let minute = Int(words[first]), let hour = Int(words[first + 1]), (0...59).contains(minute),
            (0...23).contains(hour), words[first + 2] == "*", words[first + 3] == "*",
            let second = first == 0 ? 0 : Int(words[0]), (0...59).contains(second)
        else { return nil }
        // Week 1 begins on a Tuesday; its other days follow.
        let day = (weekday + 5) % 7
        let week = ((offset - 1) % weeks + weeks) % weeks
        let start = CivilTime(year: 2019, month: 1, day: 1 + day + 7 * week, hour: hour, minute: minute, second: second)
        return "@every \(weeks)w from \(CivilTime(seconds: start.seconds))"
    }

    /// The weekday, the number of weeks and the offset of `TUE%2+1`.
    private var parts: (weekday: Int, weeks: Int, offset: Int)? {
        let text = parser.source.text(item)
        let halves = text.split(separator: "%", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let numbers = halves[1].split(separator: "+", omittingEmptySubsequences: false)
        let letters = Array(halves[0].uppercased().utf8)
        let named = letters.count == 3 ? CronField.dayOfWeek.value(ofName: (letters[0], letters[1], letters[2])) : nil
        guard let weekday = named ?? Int(halves[0]), (0...7).contains(weekday), numbers.count <= 2,
            let weeks = Int(numbers[0]), (1...500).contains(weeks),
            let offset = numbers.count == 2 ? Int(numbers[1]) : 0, (0...500).contains(offset)
        else { return nil }
        return (weekday % 7, weeks, offset)
    }
}
