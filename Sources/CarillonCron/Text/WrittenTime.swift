/// A date and time in the forms that people use, more than RFC 3339 allows, with the differences from RFC 3339.
struct WrittenTime {
    private let year: Int
    private let month: Int
    private let day: Int
    /// Hour, minute and second; empty for a date.
    private let time: [Int]
    private let hasFraction: Bool
    /// `Z`, `+01:00`; empty without an offset.
    private let offset: String
    /// Whether there is a space before the offset.
    private let isSeparated: Bool

    /// `nil` if the text does not begin with a date, or continues with anything but a time and an offset.
    init?(_ text: String) {
        var text = text
        let parts = text.withUTF8 { Self.read($0) }
        guard let parts else { return nil }
        self = parts
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> WrittenTime? {
        var scanner = ByteScanner(bytes)
        guard let year = scanner.digits(4), scanner.skip("-"), let month = number(&scanner), scanner.skip("-"),
            let day = number(&scanner)
        else { return nil }
        var time: [Int] = []
        if scanner.skip("T") || scanner.skip("t") || scanner.skip(" ") {
            guard let hour = number(&scanner), scanner.skip(":"), let minute = scanner.digits(2) else { return nil }
            time = [hour, minute]
            if scanner.skip(":") {
                guard let second = scanner.digits(2) else { return nil }
                time.append(second)
            }
        }
        let hasFraction = scanner.skip(".")
        if hasFraction, scanner.number() == nil { return nil }
        let isSeparated = !time.isEmpty && scanner.skip(" ")
        let offset = readOffset(&scanner)
        guard scanner.isAtEnd else { return nil }
        return WrittenTime(
            year: year,
            month: month,
            day: day,
            time: time,
            hasFraction: hasFraction,
            offset: offset,
            isSeparated: isSeparated
        )
    }

    private static func readOffset(_ scanner: inout ByteScanner) -> String {
        if scanner.skip("Z") || scanner.skip("z") { return "Z" }
        let isWest = scanner.skip("-")
        guard isWest || scanner.skip("+"), let hours = number(&scanner) else { return "" }
        _ = scanner.skip(":")
        let minutes = scanner.digits(2) ?? 0
        return "\(isWest ? "-" : "+")\(Wording.twoDigits(hours)):\(Wording.twoDigits(minutes))"
    }

    /// Reads one or two digits.
    private static func number(_ scanner: inout ByteScanner) -> Int? {
        scanner.digits(2) ?? scanner.digits(1)
    }

    private init(
        year: Int,
        month: Int,
        day: Int,
        time: [Int],
        hasFraction: Bool,
        offset: String,
        isSeparated: Bool
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.time = time
        self.hasFraction = hasFraction
        self.offset = offset
        self.isSeparated = isSeparated
    }

    /// The error in the text, in words that follow the text; `nil` without an error.
    var problem: String? {
        guard (1...12).contains(month) else { return "has the month \(month); there are 1 to 12" }
        let length = Gregorian.length(ofMonth: month, anyYear: year)
        guard (1...length).contains(day) else {
            return "has the day \(day); \(CronField.monthNames[month - 1]) \(year) has \(length) days"
        }
        guard let hour = time.first else { return "has no time of day" }
        if time == [24, 0] || time == [24, 0, 0] {
            return "has the hour 24; the end of a day is 00:00 of the next one"
        }
        guard hour <= 23 else { return "has the hour \(hour); there are 0 to 23" }
        guard time[1] <= 59 else { return "has the minute \(time[1]); there are 0 to 59" }
        if time.count == 3, time[2] > 59 { return "has the second \(time[2]); there are 0 to 59 and no leap seconds" }
        if offset.isEmpty { return "has no offset from UTC, such as Z or +01:00" }
        if time.count < 3 { return "has no seconds" }
        if isSeparated { return "has a space before its offset" }
        return
            "is not a time of RFC 3339: months, days and hours have two digits, and an offset is +hh:mm, at most 23:59"
    }

    /// The time in RFC 3339, with UTC as the default offset; `nil` if it does not exist.
    var instant: String? {
        guard let seconds = civilSeconds, !hasFraction, !time.isEmpty else { return nil }
        return "\(CivilTime(seconds: seconds))\(offset.isEmpty ? "Z" : offset)"
    }

    /// A note about `instant` for the message.
    var note: String { offset.isEmpty ? "for UTC" : "" }

    /// The time on the local clock, without its offset.
    var local: String? { hasFraction ? nil : civilSeconds.map { "\(CivilTime(seconds: $0))" } }

    /// Seconds on the local clock; `nil` if the time has an offset or does not exist.
    var localSeconds: Int64? {
        guard offset.isEmpty, !hasFraction, time.first != 24 else { return nil }
        return civilSeconds
    }

    /// 24:00 is the next day.
    private var civilSeconds: Int64? {
        guard (1...12).contains(month), (1...Gregorian.length(ofMonth: month, anyYear: year)).contains(day) else {
            return nil
        }
        let (hour, minute) = time.isEmpty ? (0, 0) : (time[0], time[1])
        let second = time.count == 3 ? time[2] : 0
        guard hour <= 23 || (hour == 24 && minute == 0 && second == 0), minute <= 59, second <= 59 else { return nil }
        return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second).seconds
    }
}
