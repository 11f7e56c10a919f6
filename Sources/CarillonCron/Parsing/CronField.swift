/// The fields of an expression, in their order (OCPS 1.0, section 4.2, and OCPS 1.2, section 4.3).
enum CronField: CaseIterable {
    case second, minute, hour, dayOfMonth, month, dayOfWeek, year

    var name: String {
        switch self {
        case .second: "second"
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day of month"
        case .month: "month"
        case .dayOfWeek: "day of week"
        case .year: "year"
        }
    }

    var range: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        case .year: FieldSchedule.years
        }
    }

    /// The offset that makes a small number of a value: years are counted from 1970.
    var base: Int { self == .year ? FieldSchedule.years.lowerBound : 0 }

    /// The field's name in errors.
    var allowed: String {
        switch self {
        case .second, .minute, .hour: "\(range.lowerBound)-\(range.upperBound)"
        case .dayOfMonth: "1-31, L, L-3, 15W, LW and LW-1"
        case .month: "1-12 and JAN-DEC"
        case .dayOfWeek: "0-7 (0 and 7 are Sunday), SUN-SAT, FRI#2, FRI#L and 5L"
        case .year: "1970-2199"
        }
    }

    /// The value of a name of three letters, given in upper case as one number.
    func value(ofName letters: (UInt8, UInt8, UInt8)) -> Int? {
        let names: StaticString
        switch self {
        case .month: names = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
        case .dayOfWeek: names = "SUNMONTUEWEDTHUFRISAT"
        default: return nil
        }
        let start = names.utf8Start
        for index in 0..<names.utf8CodeUnitCount / 3 {
            let name = start + index * 3
            if (name[0], name[1], name[2]) == letters { return index + range.lowerBound }
        }
        return nil
    }
}

extension CronField {
    /// Weekdays as short names in lists and ranges: `MON-FRI`, `SUN,TUE`.
    ///
    /// - Parameter weekdays: Bits 0 (Sunday) to 6.
    static func weekdayText(_ weekdays: UInt32) -> String {
        let name = { (weekday: Int) in weekdayNames[weekday].prefix(3).uppercased() }
        return FieldSchedule.runs(NumberSet(low: UInt64(weekdays)).members).map { run in
            run.count == 1 ? name(run.lowerBound) : "\(name(run.lowerBound))-\(name(run.upperBound))"
        }.joined(separator: ",")
    }

    static let weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
}
