/// A schedule in the language of cron.
///
/// The language is the Open Cron Pattern Specification, versions 1.0 to 1.4, with the extensions that <doc:Conformance>
/// describes. Times are found for the local years 1970 to 2199.
///
///     let expression = try CronExpression("30 9 * * MON-FRI")
///     expression.next(after: 1_795_464_000, in: .utc)    // 1_795_512_600, 2026-11-24T09:30:00Z
///
/// A value is one reference, and copies share the storage. Two expressions are equal if they mean the same fields, even if they are
/// written differently.
public struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    private final class Box: Sendable {
        let text: String
        let schedule: Schedule

        init(text: String, schedule: Schedule) {
            self.text = text
            self.schedule = schedule
        }
    }

    private let box: Box

    /// Reads an expression.
    ///
    /// - Parameter text: at most 1,024 bytes; spaces and tabs around it are ignored.
    /// - Throws: `CronError` with the position of the error and a correction.
    public init(_ text: String) throws(CronError) {
        do throws(CronError) {
            let (text, schedule) = try CronParser.parse(text)
            box = Box(text: text, schedule: schedule)
        } catch {
            throw error.checked
        }
    }

    var schedule: Schedule { box.schedule }

    /// The expression as it was written, without spaces and tabs around it.
    public var text: String { box.text }

    public var description: String { box.text }

    /// Whether the expression is `@reboot`, which parses (OCPS 1.1) and is never due, because it names no time.
    public var isReboot: Bool { box.schedule == .reboot }

    /// The first due time after an instant.
    ///
    /// Takes bounded time and allocates nothing.
    ///
    /// - Parameters:
    ///   - after: Unix seconds; any value.
    ///   - zone: The zone on whose clocks the fields are read.
    ///   - policy: The treatment of fixed times when clocks are set.
    /// - Returns: Unix seconds, later than `after`; `nil` where there is none before the local year 2200.
    public func next(after: Int64, in zone: TimeZoneRules, policy: DaylightPolicy = .cron) -> Int64? {
        let found = box.schedule.next(after: after, in: zone, policy: policy)
        return found == FieldSchedule.none ? nil : found
    }

    /// The last due time before an instant: the inverse of `next`.
    ///
    /// - Returns: Unix seconds, earlier than `before`; `nil` where there is none from the local year 1970 on.
    public func previous(before: Int64, in zone: TimeZoneRules, policy: DaylightPolicy = .cron) -> Int64? {
        let found = box.schedule.previous(before: before, in: zone, policy: policy)
        return found == FieldSchedule.noneBefore ? nil : found
    }

    /// All due times after an instant, ascending and computed on demand.
    public func times(after: Int64, in zone: TimeZoneRules, policy: DaylightPolicy = .cron) -> CronTimes {
        CronTimes(expression: self, last: after, zone: zone, policy: policy)
    }

    public static func == (left: CronExpression, right: CronExpression) -> Bool {
        left.box === right.box || left.box.schedule.normalized == right.box.schedule.normalized
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(box.schedule.normalized)
    }
}
