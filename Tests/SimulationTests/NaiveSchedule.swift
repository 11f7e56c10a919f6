import CarillonCron

/// The oracle's own cron, which checks one second after the other. It supports only the expressions that simulated
/// clients use.
final class NaiveSchedule {
    private enum Kind {
        case every(Int64)
        case fields(seconds: [Bool], minutes: [Bool], hours: [Bool], followsClock: Bool)
    }

    private let kind: Kind
    private let zone: NaiveZone
    private let policy: DaylightPolicy
    private var known: [Int64: Bool] = [:]

    init(_ text: String, zone: String, policy: DaylightPolicy) {
        self.zone = NaiveZone.named(zone)
        self.policy = policy
        let words = text.split(separator: " ")
        if words.count == 2 {
            kind = .every(Int64(words[1].dropLast()) ?? 1)
        } else {
            kind = .fields(
                seconds: Self.values(words[0], below: 60),
                minutes: Self.values(words[1], below: 60),
                hours: Self.values(words[2], below: 24),
                followsClock: words[1].hasPrefix("*") || words[2].hasPrefix("*")
            )
        }
    }

    private static func values(_ field: Substring, below end: Int) -> [Bool] {
        var values = [Bool](repeating: false, count: end)
        for part in field.split(separator: ",") {
            let halves = part.split(separator: "/")
            let ends = halves[0].split(separator: "-").compactMap { Int($0) }
            let (first, last) = ends.isEmpty ? (0, end - 1) : (ends[0], ends[ends.count - 1])
            let step = halves.count > 1 ? Int(halves[1]) ?? 1 : 1
            for value in stride(from: first, through: last, by: step) { values[value] = true }
        }
        return values
    }

    /// Whether the schedule is due at that Unix second.
    func isDue(_ second: Int64) -> Bool {
        guard case .fields(_, _, _, let followsClock) = kind else { return matches(second) }
        if let known = known[second] { return known }
        let isDue = followsClock ? matches(zone.local(second)) : isDueByPolicy(second)
        known[second] = isDue
        return isDue
    }

    private func isDueByPolicy(_ second: Int64) -> Bool {
        let local = zone.local(second)
        switch policy {
        case .skip: return matches(local) && !zone.hasShown(local, before: second)
        case .cron: return isReached(local, second)
        case .both: return matches(local) || isReached(local, second)
        }
    }

    /// Whether local clocks show a time of the schedule, or a later time, for the first time.
    private func isReached(_ local: Int64, _ second: Int64) -> Bool {
        let highest = zone.highest(before: second)
        return highest < local && (highest + 1...local).contains { matches($0) }
    }

    private func matches(_ local: Int64) -> Bool {
        switch kind {
        case .every(let seconds): return local % seconds == 0
        case .fields(let seconds, let minutes, let hours, _):
            let day = Int(local % 86_400)
            return seconds[day % 60] && minutes[day / 60 % 60] && hours[day / 3_600]
        }
    }
}
