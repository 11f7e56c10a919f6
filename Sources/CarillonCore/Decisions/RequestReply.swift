package import CarillonCron

/// A reply to a client, before its expensive parts are computed.
package enum RequestReply: Sendable {
    case job(Job)
    case jobs([Job], nextCursor: String?, totalCount: Int64?)
    /// The next `count` times of a valid schedule.
    case preview(PreviewSchedule, SchedulePlan, count: Int)
    case answer(Answer)
    case error(ClientError)
}

/// Turns replies into answers: next run times, schedule descriptions, previews. This work grows with the answer and
/// needs no state, so the runner does it outside of the machine.
package struct ReplyRenderer: Sendable {
    /// The plan for an expression, a zone and a policy, or the field errors.
    package typealias PlanSource =
        @Sendable (String, String, DaylightPolicy) -> Result<SchedulePlan, JobRules.FieldErrors>

    private let plan: PlanSource
    private let describe: @Sendable (SchedulePlan) -> String

    /// - Parameter describe: the schedule in words. The text of a plan never changes, so a runner may keep it.
    package init(
        plan: @escaping PlanSource,
        describe: @escaping @Sendable (SchedulePlan) -> String = { $0.expression.explained() }
    ) {
        self.plan = plan
        self.describe = describe
    }

    /// The answer or the error to send. `now` is cluster time.
    package func render(_ reply: RequestReply, at now: Timestamp) -> Result<Answer, ClientError> {
        switch reply {
        case .job(let job):
            .success(.job(view(job, at: now)))
        case .jobs(let jobs, let nextCursor, let totalCount):
            .success(.jobList(jobs.map { view($0, at: now) }, nextCursor: nextCursor, totalCount: totalCount))
        case .preview(let request, let plan, let count):
            .success(.schedulePreview(preview(request, plan, count, at: now)))
        case .answer(let answer):
            .success(answer)
        case .error(let error):
            .failure(error)
        }
    }

    /// The job as clients see it.
    func view(_ job: Job, at now: Timestamp) -> JobView {
        switch plan(job.schedule, job.timeZone, job.daylightPolicy) {
        case .success(let plan):
            let next = job.active && job.deletedAt == nil ? plan.next(after: now, for: job) : nil
            return JobView(job: job, scheduleDescription: describe(plan), nextRunTime: next)
        case .failure(let failure):
            return JobView(job: job, scheduleDescription: "Never: \(failure.text)", nextRunTime: nil)
        }
    }

    private func preview(
        _ request: PreviewSchedule,
        _ plan: SchedulePlan,
        _ count: Int,
        at now: Timestamp
    ) -> SchedulePreview {
        var times: [SchedulePreview.PreviewedTime] = []
        var time = request.from ?? now
        while times.count < count, let next = plan.next(after: time) {
            let offset = plan.zone.offset(at: next.seconds).seconds
            times.append(
                SchedulePreview.PreviewedTime(
                    time: next,
                    localTime: RFC3339.format(seconds: next.seconds, offset: offset)
                )
            )
            time = next
        }
        return SchedulePreview(
            schedule: request.schedule,
            timeZone: request.timeZone ?? "UTC",
            scheduleDescription: plan.expression.explained(),
            times: times
        )
    }
}

extension JobRules.FieldErrors {
    /// All field errors in one line.
    var text: String { errors.map { "\($0.field): \($0.message)" }.joined(separator: "; ") }
}
