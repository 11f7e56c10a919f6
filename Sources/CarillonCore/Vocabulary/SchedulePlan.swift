package import CarillonCron

/// A parsed schedule: expression, zone and daylight policy. Jobs with the same schedule share one plan.
package final class SchedulePlan: Sendable {
    package let expression: CronExpression
    package let zone: TimeZoneRules
    package let policy: DaylightPolicy

    package init(expression: CronExpression, zone: TimeZoneRules, policy: DaylightPolicy) {
        self.expression = expression
        self.zone = zone
        self.policy = policy
    }

    /// The first due time after `time`; `nil` if there is none.
    package func next(after time: Timestamp) -> Timestamp? {
        expression.next(after: time.seconds, in: zone, policy: policy).map { Timestamp(seconds: $0) }
    }
}

/// A job with its parsed schedule. A job without a plan is never due: its schedule was changed directly in the database
/// and is invalid.
package struct PlannedJob: Sendable {
    package var job: Job
    package var plan: SchedulePlan?

    package init(job: Job, plan: SchedulePlan?) {
        self.job = job
        self.plan = plan
    }
}

extension SchedulePlan {
    /// The job's first due time after `time`, within its bounds: after effective_from, not before starts_at, and not
    /// after ends_at.
    package func next(after time: Timestamp, for job: Job) -> Timestamp? {
        next(after: time, effectiveFrom: job.effectiveFrom, startsAt: job.startsAt, endsAt: job.endsAt)
    }

    func next(
        after time: Timestamp,
        effectiveFrom: Timestamp,
        startsAt: Timestamp?,
        endsAt: Timestamp?
    ) -> Timestamp? {
        var floor = max(time, effectiveFrom)
        if let startsAt { floor = max(floor, startsAt - 1) }
        guard let found = next(after: floor) else { return nil }
        if let endsAt, found > endsAt { return nil }
        return found
    }
}
