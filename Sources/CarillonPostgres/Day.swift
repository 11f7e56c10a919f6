internal import CarillonCore

/// A UTC day, which has one partition. The time in an execution's id determines its day.
struct Day: Sendable, Hashable, Comparable {
    /// Days since 1970-01-01.
    let number: Int64

    init(of id: ExecutionID) {
        number = id.time.milliseconds / 86_400_000
    }

    init(of time: Timestamp) {
        number = max(0, time.milliseconds) / 86_400_000
    }

    init(number: Int64) {
        self.number = number
    }

    /// The date in the proleptic Gregorian calendar (H. Hinnant's algorithm `civil_from_days`).
    private var civil: (year: Int64, month: Int64, day: Int64) {
        let shifted = number + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    private func digits(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }

    /// The suffix of the day's partition names: `20260131`.
    var suffix: String {
        let date = civil
        return digits(date.year, 4) + digits(date.month, 2) + digits(date.day, 2)
    }

    /// The date in SQL: `2026-01-31`.
    var date: String {
        let date = civil
        return "\(digits(date.year, 4))-\(digits(date.month, 2))-\(digits(date.day, 2))"
    }

    static func < (left: Day, right: Day) -> Bool { left.number < right.number }

    /// Groups rows by day. Usually there is one group.
    static func groups<Row>(_ rows: [Row], by id: (Row) -> ExecutionID) -> [(day: Day, rows: [Row])] {
        guard let first = rows.first else { return [] }
        let day = Day(of: id(first))
        if rows.allSatisfy({ Day(of: id($0)) == day }) { return [(day, rows)] }
        return Dictionary(grouping: rows) { Day(of: id($0)) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
