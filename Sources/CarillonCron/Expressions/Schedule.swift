/// The meaning of an expression.
enum Schedule: Sendable, Hashable {
    case fields(FieldSchedule)
    /// Every `period` seconds of elapsed time, the first `phase` seconds after 1970-01-01T00:00:00Z. Restarts do not move this grid. A
    /// phase of at least one period is a start time.
    case every(period: Int64, phase: Int64)
    /// A period on the local clock, from a start time.
    case interval(LocalInterval)
    /// Once, at this Unix second.
    case instant(Int64)
    /// At a start of the machine, which is never due.
    case reboot
    case union([Schedule])
}

extension Schedule {
    /// The first due instant after `time`, or `FieldSchedule.none`.
    @inline(__always)
    func next(after time: Int64, in zone: TimeZoneRules, policy: DaylightPolicy) -> Int64 {
        if case .fields(let fields) = self { return fields.next(after: time, in: zone, policy: policy) }
        return nextOfExtension(after: time, in: zone, policy: policy)
    }

    @inline(__always)
    func previous(before time: Int64, in zone: TimeZoneRules, policy: DaylightPolicy) -> Int64 {
        if case .fields(let fields) = self { return fields.previous(before: time, in: zone, policy: policy) }
        return previousOfExtension(before: time, in: zone, policy: policy)
    }

    private func nextOfExtension(after time: Int64, in zone: TimeZoneRules, policy: DaylightPolicy) -> Int64 {
        switch self {
        case .fields(let fields):
            return fields.next(after: time, in: zone, policy: policy)
        case .every(let period, let phase):
            guard time < FieldSchedule.end else { return FieldSchedule.none }
            let time = max(-1, time)
            // From `phase` on; there is no earlier multiple in the range.
            let found = time < phase ? phase : ((time - phase) / period + 1) * period + phase
            return found < FieldSchedule.end ? found : FieldSchedule.none
        case .interval(let interval):
            return interval.next(after: time, in: zone, policy: policy)
        case .instant(let instant):
            return time < instant ? instant : FieldSchedule.none
        case .reboot:
            return FieldSchedule.none
        case .union(let members):
            var earliest = FieldSchedule.none
            for member in members { earliest = min(earliest, member.next(after: time, in: zone, policy: policy)) }
            return earliest
        }
    }

    private func previousOfExtension(before time: Int64, in zone: TimeZoneRules, policy: DaylightPolicy) -> Int64 {
        switch self {
        case .fields(let fields):
            return fields.previous(before: time, in: zone, policy: policy)
        case .every(let period, let phase):
            let time = min(time, FieldSchedule.end)
            guard time > phase else { return FieldSchedule.noneBefore }
            return (time - 1 - phase) / period * period + phase
        case .interval(let interval):
            return interval.previous(before: time, in: zone, policy: policy)
        case .instant(let instant):
            return time > instant ? instant : FieldSchedule.noneBefore
        case .reboot:
            return FieldSchedule.noneBefore
        case .union(let members):
            var latest = FieldSchedule.noneBefore
            for member in members { latest = max(latest, member.previous(before: time, in: zone, policy: policy)) }
            return latest
        }
    }
}
