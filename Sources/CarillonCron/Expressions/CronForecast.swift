/// Whether an expression is ever due after an instant.
public enum CronForecast: Sendable, Hashable {
    /// The first due time, in Unix seconds.
    case due(Int64)
    /// There is no due time. `reason` has the cause, in words that follow "never due: ", such as "30 February does not exist" or
    /// "the year 2024 is over".
    case never(reason: String)
}

extension CronExpression {
    /// Whether the expression is due after an instant, and why not. The answer is exact and takes bounded time.
    ///
    /// - Parameters:
    ///   - after: Unix seconds; any value.
    ///   - end: The last instant to consider, in Unix seconds; by default the end of the local year 2199.
    ///   - zone: The zone on whose clocks the fields are read.
    ///   - policy: The treatment of fixed times when clocks are set.
    public func forecast(
        after: Int64,
        through end: Int64? = nil,
        in zone: TimeZoneRules,
        policy: DaylightPolicy = .cron
    ) -> CronForecast {
        guard let next = next(after: after, in: zone, policy: policy) else {
            let question = NeverReason(after: after, zone: zone, policy: policy)
            return .never(reason: question.reason(for: schedule.normalized))
        }
        if let end, next > end {
            let time = NeverReason.text(next, in: zone)
            return .never(reason: "the next time is \(time), which is after the end \(NeverReason.text(end, in: zone))")
        }
        return .due(next)
    }
}
