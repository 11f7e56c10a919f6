import CarillonCore
import CarillonCron
import Glibc

/// The plans of the schedulers of one world: as in the real process, jobs with the same schedule share one.
final class Plans {
    private struct Key: Hashable {
        var schedule: String
        var zone: String
        var policy: DaylightPolicy
    }

    private var plans: [Key: SchedulePlan] = [:]

    func planned(_ job: Job) -> PlannedJob {
        let key = Key(schedule: job.schedule, zone: job.timeZone, policy: job.daylightPolicy)
        if let plan = plans[key] { return PlannedJob(job: job, plan: plan) }
        guard let expression = try? CronExpression(job.schedule), let zone = Self.zones[job.timeZone] else {
            return PlannedJob(job: job, plan: nil)
        }
        let plan = SchedulePlan(expression: expression, zone: zone, policy: job.daylightPolicy)
        plans[key] = plan
        return PlannedJob(job: job, plan: plan)
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
