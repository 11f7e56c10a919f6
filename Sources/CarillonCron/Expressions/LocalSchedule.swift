/// Due times on the local clock, in seconds since 1970-01-01T00:00:00 as that clock shows them. The extension for zones converts them
/// to instants.
protocol LocalSchedule: Sendable {
    /// The first time at or after `local`, or `FieldSchedule.none`.
    func first(atOrAfter local: Int64) -> Int64
    /// The last time at or before `local`, or `FieldSchedule.noneBefore`.
    func last(atOrBefore local: Int64) -> Int64
    /// Whether the schedule is due whenever the clock shows one of its times, under every daylight policy.
    var followsClock: Bool { get }
}

extension FieldSchedule: LocalSchedule {}
