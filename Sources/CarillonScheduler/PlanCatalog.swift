internal import CarillonCore
internal import CarillonCron
internal import Synchronization

/// The plans of all schedules in use: jobs with the same expression, zone and policy share one.
final class PlanCatalog: Sendable {
    private struct Key: Hashable {
        var expression: String
        var zone: String
        var policy: DaylightPolicy
    }

    private let zones: any ZoneSource
    private let plans = Mutex<[Key: SchedulePlan]>([:])
    /// Above this size the catalog is emptied; jobs keep their plans. Otherwise one-off schedules would make it grow forever.
    private let limit = 200_000

    /// A plan in words.
    private struct Description {
        /// Kept, so that no other plan gets its identity.
        var plan: SchedulePlan
        var text: String
    }

    private let descriptions = Mutex<[ObjectIdentifier: Description]>([:])
    /// The cache is emptied at this number of descriptions.
    private let maxDescriptions = 10_000

    init(zones: any ZoneSource) {
        self.zones = zones
    }

    /// The plan, or the error in the schedule or the zone.
    func plan(
        _ expression: String,
        _ zone: String,
        _ policy: DaylightPolicy
    ) -> Result<SchedulePlan, JobRules.FieldErrors> {
        let key = Key(expression: expression, zone: zone, policy: policy)
        if let plan = plans.withLock({ $0[key] }) { return .success(plan) }
        var errors: [FieldError] = []
        var parsed: CronExpression?
        var rules: TimeZoneRules?
        do {
            let cron = try CronExpression(expression)
            if cron.isReboot {
                errors.append(
                    FieldError(
                        field: "schedule",
                        message:
                            "is @reboot, which is not supported here: a cluster has no boot; use @at or a cron expression"
                    )
                )
            }
            parsed = cron
        } catch {
            errors.append(FieldError(field: "schedule", message: error.message))
        }
        do {
            rules = try zones.rules(named: zone)
        } catch {
            errors.append(FieldError(field: "time_zone", message: error.message))
        }
        guard errors.isEmpty, let parsed, let rules else { return .failure(JobRules.FieldErrors(errors)) }
        let plan = SchedulePlan(expression: parsed, zone: rules, policy: policy)
        return .success(
            plans.withLock { plans in
                if let winner = plans[key] { return winner }
                if plans.count >= limit { plans.removeAll() }
                plans[key] = plan
                return plan
            }
        )
    }

    /// The description of a schedule in words, cached for lists of jobs.
    func description(of plan: SchedulePlan) -> String {
        let id = ObjectIdentifier(plan)
        if let known = descriptions.withLock({ $0[id]?.text }) { return known }
        let text = plan.expression.explained()
        descriptions.withLock { descriptions in
            if descriptions.count >= maxDescriptions { descriptions.removeAll() }
            descriptions[id] = Description(plan: plan, text: text)
        }
        return text
    }

    /// Removes the plans of zones whose rules changed.
    func forget(zones names: Set<String>) {
        plans.withLock { plans in plans = plans.filter { !names.contains($0.key.zone) } }
    }
}
