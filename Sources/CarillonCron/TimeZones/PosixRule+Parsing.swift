extension PosixRule {
    /// `nil` if the text is not such a rule.
    init?(_ text: String) {
        var text = text
        guard let rule = text.withUTF8({ bytes in Self.parse(bytes) }) else { return nil }
        self = rule
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> PosixRule? {
        var scanner = ByteScanner(bytes)
        guard let name = abbreviation(&scanner), let west = time(&scanner, hours: 24) else { return nil }
        let standard = ZoneOffset(seconds: Int(-west), abbreviation: name, isDaylight: false)
        if scanner.isAtEnd { return PosixRule(standard: standard, daylight: nil) }

        guard let daylightName = abbreviation(&scanner) else { return nil }
        var daylightSeconds = standard.seconds + 3_600
        if let next = scanner.next, next != UInt8(ascii: ",") {
            guard let west = time(&scanner, hours: 24) else { return nil }
            daylightSeconds = Int(-west)
        }
        // Without dates POSIX leaves them to the system; the usual choice are the dates of the United States.
        var start = Date(day: .weekday(month: 3, week: 2, day: 0), seconds: 7_200)
        var end = Date(day: .weekday(month: 11, week: 1, day: 0), seconds: 7_200)
        if !scanner.isAtEnd {
            guard scanner.skip(","), let first = date(&scanner), scanner.skip(","), let second = date(&scanner),
                scanner.isAtEnd
            else { return nil }
            (start, end) = (first, second)
        }
        let offset = ZoneOffset(seconds: daylightSeconds, abbreviation: daylightName, isDaylight: true)
        return PosixRule(standard: standard, daylight: Daylight(offset: offset, start: start, end: end))
    }

    /// At least three letters, or letters, digits and signs in angle brackets.
    private static func abbreviation(_ scanner: inout ByteScanner) -> String? {
        var name: [UInt8] = []
        if scanner.skip("<") {
            while let byte = scanner.next, byte != UInt8(ascii: ">") {
                name.append(byte)
                _ = scanner.skip(Unicode.Scalar(byte))
            }
            guard scanner.skip(">") else { return nil }
        } else {
            while let byte = scanner.next, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) {
                name.append(byte)
                _ = scanner.skip(Unicode.Scalar(byte))
            }
        }
        guard name.count >= 3, name.count <= 32, name.allSatisfy({ $0 < 0x80 }) else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func time(_ scanner: inout ByteScanner, hours: Int64) -> Int64? {
        let isNegative = scanner.skip("-")
        if !isNegative { _ = scanner.skip("+") }
        guard let hour = scanner.number(), hour <= hours else { return nil }
        var seconds = hour * 3_600
        for unit in [60, 1] as [Int64] {
            guard scanner.skip(":") else { break }
            guard let part = scanner.number(), part <= 59 else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    private static func date(_ scanner: inout ByteScanner) -> Date? {
        let day: Date.Day
        if scanner.skip("M") {
            guard let month = scanner.number(), (1...12).contains(month), scanner.skip("."),
                let week = scanner.number(),
                (1...5).contains(week), scanner.skip("."), let weekday = scanner.number(), weekday <= 6
            else { return nil }
            day = .weekday(month: Int(month), week: Int(week), day: Int(weekday))
        } else if scanner.skip("J") {
            guard let number = scanner.number(), (1...365).contains(number) else { return nil }
            day = .withoutLeapDay(Int(number))
        } else {
            guard let number = scanner.number(), number <= 365 else { return nil }
            day = .ofYear(Int(number))
        }
        guard scanner.skip("/") else { return Date(day: day, seconds: 7_200) }
        guard let seconds = time(&scanner, hours: 167) else { return nil }
        return Date(day: day, seconds: seconds)
    }
}
