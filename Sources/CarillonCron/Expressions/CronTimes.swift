/// The due times of an expression, one after the other, in Unix seconds.
public struct CronTimes: Sequence, IteratorProtocol, Sendable {
    let expression: CronExpression
    var last: Int64
    let zone: TimeZoneRules
    let policy: DaylightPolicy

    public mutating func next() -> Int64? {
        guard let found = expression.next(after: last, in: zone, policy: policy) else { return nil }
        last = found
        return found
    }
}
