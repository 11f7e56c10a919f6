/// Conversion from the local clock to instants. A zone is a sequence of spans of constant offset. At each border the clock is set
/// forward (a gap: times that it never shows) or back (an overlap: times that it shows again). Three sets of instants define a
/// schedule, for gaps and overlaps of any size, even nested:
///
/// - *shown*: the clock shows a time of the schedule;
/// - *reached*: the first instant at which the clock shows a time of the schedule or a later one;
/// - *first shown*: the first instant at which the clock shows a time of the schedule.
///
/// A schedule that follows the clock is due whenever its time is shown. A schedule with a fixed time of day is due when the time is
/// reached (`CRON`), when it is first shown (`SKIP`), or when it is reached or shown (`BOTH`).
extension LocalSchedule {
    /// The first due instant after `time`, or `none`.
    @inline(__always)
    func next(after time: Int64, in zone: TimeZoneRules, policy: DaylightPolicy) -> Int64 {
        guard time < FieldSchedule.end &+ TimeZoneRules.largestOffset else { return FieldSchedule.none }
        let time = max(time, -TimeZoneRules.largestOffset)
        if let offset = zone.constantOffset {
            let found = first(atOrAfter: time &+ 1 &+ offset)
            return found == FieldSchedule.none ? found : found &- offset
        }
        if followsClock { return nextShown(after: time, in: zone) }
        switch policy {
        case .cron: return nextReached(after: time, in: zone)
        case .skip: return nextFirstShown(after: time, in: zone)
        case .both: return min(nextReached(after: time, in: zone), nextShown(after: time, in: zone))
        }
    }

    /// The last due instant before `time`, or `noneBefore`.
    @inline(__always)
    func previous(before time: Int64, in zone: TimeZoneRules, policy: DaylightPolicy) -> Int64 {
        guard time > -TimeZoneRules.largestOffset else { return FieldSchedule.noneBefore }
        let time = min(time, FieldSchedule.end &+ TimeZoneRules.largestOffset)
        if let offset = zone.constantOffset {
            let found = last(atOrBefore: time &- 1 &+ offset)
            return found == FieldSchedule.noneBefore ? found : found &- offset
        }
        if followsClock { return previousShown(before: time, in: zone) }
        switch policy {
        case .cron: return previousReached(before: time, in: zone)
        case .skip: return previousFirstShown(before: time, in: zone)
        case .both: return max(previousReached(before: time, in: zone), previousShown(before: time, in: zone))
        }
    }

    // MARK: Reached

    /// Times are reached in ascending order, so the next reached time is the first one above the highest time that the clock has shown so
    /// far.
    private func nextReached(after time: Int64, in zone: TimeZoneRules) -> Int64 {
        let index = zone.span(at: time)
        let found = first(atOrAfter: zone.highest(at: time, span: index) &+ 1)
        return found == FieldSchedule.none ? found : zone.instant(reaching: found, near: index)
    }

    private func previousReached(before time: Int64, in zone: TimeZoneRules) -> Int64 {
        let index = zone.span(at: time &- 1)
        let found = last(atOrBefore: zone.highest(at: time &- 1, span: index))
        return found == FieldSchedule.noneBefore ? found : zone.instant(reaching: found, near: index)
    }

    // MARK: Shown

    private func nextShown(after time: Int64, in zone: TimeZoneRules) -> Int64 {
        var index = zone.span(at: time &+ 1)
        var from = time &+ 1 &+ zone.offset(ofSpan: index)
        // The schedule has no time from `from` up to `found`. A later span is searched only if it begins before that stretch (the clock
        // was set back) or after it (set forward over `found`).
        var found = first(atOrAfter: from)
        while true {
            let offset = zone.offset(ofSpan: index)
            if found == FieldSchedule.none {
                if isOver(at: from, showingFrom: zone.end(ofSpan: index)) { return FieldSchedule.none }
            } else if found &- offset < zone.end(ofSpan: index) {
                return found &- offset
            }
            index += 1
            guard index < zone.spanCount else { return FieldSchedule.none }
            let start = zone.start(ofSpan: index) &+ zone.offset(ofSpan: index)
            if start < from || start > found {
                from = start
                found = first(atOrAfter: from)
            }
        }
    }

    private func previousShown(before time: Int64, in zone: TimeZoneRules) -> Int64 {
        var index = zone.span(at: time &- 1)
        var from = time &- 1 &+ zone.offset(ofSpan: index)
        var found = last(atOrBefore: from)
        while true {
            let offset = zone.offset(ofSpan: index)
            if found == FieldSchedule.noneBefore {
                if hasNotBegun(at: from, showingUntil: zone.start(ofSpan: index)) { return FieldSchedule.noneBefore }
            } else if found &- offset >= zone.start(ofSpan: index) {
                return found &- offset
            }
            index -= 1
            guard index >= 0 else { return FieldSchedule.noneBefore }
            let last = zone.end(ofSpan: index) &+ zone.offset(ofSpan: index) &- 1
            if last > from || last < found {
                from = last
                found = self.last(atOrBefore: from)
            }
        }
    }

    /// Nothing is due from the local time `from` on. Returns whether no clock can show an earlier due time again after `start`.
    @inline(never)
    private func isOver(at from: Int64, showingFrom start: Int64) -> Bool {
        last(atOrBefore: from) < start &- TimeZoneRules.largestOffset
    }

    /// Nothing is due up to the local time `from`. Returns whether no clock can have shown a later due time before `end`.
    @inline(never)
    private func hasNotBegun(at from: Int64, showingUntil end: Int64) -> Bool {
        first(atOrAfter: from) > end &+ TimeZoneRules.largestOffset
    }

    // MARK: First shown

    private func nextFirstShown(after time: Int64, in zone: TimeZoneRules) -> Int64 {
        var time = time
        while true {
            let found = nextShown(after: time, in: zone)
            guard found != FieldSchedule.none, let repetition = zone.repetition(at: found) else { return found }
            time = repetition.upperBound &- 1
        }
    }

    private func previousFirstShown(before time: Int64, in zone: TimeZoneRules) -> Int64 {
        var time = time
        while true {
            let found = previousShown(before: time, in: zone)
            guard found != FieldSchedule.noneBefore, let repetition = zone.repetition(at: found) else { return found }
            time = repetition.lowerBound
        }
    }
}
