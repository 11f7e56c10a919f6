import CarillonCore
import CarillonCron
import Glibc

/// The schedule plans of one world: as in the real process, jobs with the same schedule share one plan.
final class Plans {
    private struct Key: Hashable {
        var schedule: String
        var zone: String
        var policy: DaylightPolicy
    }

    private var plans: [Key: SchedulePlan] = [:]

    func planned(_ job: Job) -> PlannedJob {
        PlannedJob(job: job, plan: plan(job.schedule, job.timeZone, job.daylightPolicy))
    }

    func plan(_ schedule: String, _ zone: String, _ policy: DaylightPolicy) -> SchedulePlan? {
        let key = Key(schedule: schedule, zone: zone, policy: policy)
        if let plan = plans[key] { return plan }
        guard let expression = try? CronExpression(schedule), let rules = Self.zones[zone] else { return nil }
        let plan = SchedulePlan(expression: expression, zone: rules, policy: policy)
        plans[key] = plan
        return plan
    }

    /// The system's zones.
    private static let zones: [String: TimeZoneRules] = {
        let directory = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
        var zones = ["UTC": TimeZoneRules.utc]
        for zone in NaiveZone.all where zones[zone.name] == nil {
            zones[zone.name] = try? TimeZoneRules(name: zone.name, tzif: bytes(of: "\(directory)/\(zone.name)"))
        }
        return zones
    }()

    private static func bytes(of path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }
}
