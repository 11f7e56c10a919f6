import CarillonCore
import CarillonCron
import TestSupport

/// Draws schedules that are due every few seconds and that are affected by clock changes.
struct ScheduleMaker {
    let world: World

    /// Gives a job a schedule, a zone and a policy.
    func reschedule(_ job: inout Job) {
        let step = Int64.random(in: 1...4, using: &world.random)
        let zones = NaiveZone.all
        let zone = zones[Int.random(in: 0..<zones.count, using: &world.random)]
        job.timeZone = world.random.happens(0.5) ? world.options.zone : zone.name
        job.daylightPolicy = DaylightPolicy.allCases.randomElement(using: &world.random) ?? .cron
        job.schedule = text(step, NaiveZone.named(job.timeZone))
    }

    private func text(_ step: Int64, _ zone: NaiveZone) -> String {
        switch Int.random(in: 0..<10, using: &world.random) {
        case 0..<4: return "@every \(step)s"
        case 4, 5: return "*/\(step) * * * * *"
        case 6: return "\(step)-59/\(step + 1) \(minutes(zone)) * * * *"
        default: return "*/\(step) \(minutes(zone)) \(hours(zone)) * * *"
        }
    }

    /// The minutes around the current local time, or any minute.
    private func minutes(_ zone: NaiveZone) -> String {
        let minute = zone.local(world.trueTime.seconds) / 60 % 60
        switch Int.random(in: 0..<3, using: &world.random) {
        case 0: return "0-59"
        case 1: return (0...4).map { (offset: Int64) in "\((minute + offset + 59) % 60)" }.joined(separator: ",")
        default: return "0-29,30-59"
        }
    }

    private func hours(_ zone: NaiveZone) -> String {
        let hour = zone.local(world.trueTime.seconds) / 3_600 % 24
        switch Int.random(in: 0..<3, using: &world.random) {
        case 0: return "0-23"
        case 1: return (0...2).map { (offset: Int64) in "\((hour + offset + 23) % 24)" }.joined(separator: ",")
        default: return "\(hour),\((hour + 1) % 24)"
        }
    }

    /// Sets or removes the job's start and end.
    func bound(_ job: inout Job) {
        let now = world.trueTime
        job.startsAt =
            world.random.happens(0.4) ? now + Int64.random(in: -5_000...15_000, using: &world.random) : nil
        job.endsAt =
            world.random.happens(0.4)
            ? max(now, job.startsAt ?? now) + Int64.random(in: 1...40_000, using: &world.random) : nil
    }
}
