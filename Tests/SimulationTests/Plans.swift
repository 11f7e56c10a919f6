import CarillonCore
import CarillonCron

/// Plans for schedules of the form `@every 3s`.
enum Plans {
    static func schedule(everySeconds seconds: Int64) -> String { "@every \(seconds)s" }

    static func seconds(of schedule: String) -> Int64 { Int64(schedule.dropFirst("@every ".count).dropLast()) ?? 1 }

    static func planned(_ job: Job) -> PlannedJob {
        let expression = try? CronExpression(job.schedule)
        return PlannedJob(
            job: job,
            plan: expression.map { SchedulePlan(expression: $0, zone: .utc, policy: .cron) }
        )
    }
}
