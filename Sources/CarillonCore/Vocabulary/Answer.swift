/// A scheduler's answer to a client.
package enum Answer: Sendable, Hashable {
    case job(JobView)
    case jobList([JobView], nextCursor: String?, totalCount: Int64?)
    case deleted(JobID)
    case execution(Execution, failedAttempts: [Attempt], url: String?)
    case executionList([Execution], nextCursor: String?)
    case executionStats(JobID, from: Timestamp, to: Timestamp, ExecutionStats)
    case scheduleRefreshed(status: String, jobs: Int64)
    case schedulePreview(SchedulePreview)
    case cluster(ClusterView)
}

/// A job as clients see it.
package struct JobView: Sendable, Hashable {
    package var job: Job
    package var scheduleDescription: String
    package var nextRunTime: Timestamp?

    package init(job: Job, scheduleDescription: String, nextRunTime: Timestamp?) {
        self.job = job
        self.scheduleDescription = scheduleDescription
        self.nextRunTime = nextRunTime
    }
}

package struct SchedulePreview: Sendable, Hashable {
    package var schedule: String
    package var timeZone: String
    package var scheduleDescription: String
    /// Due times with their local time in the zone, including the offset.
    package var times: [PreviewedTime]

    package struct PreviewedTime: Sendable, Hashable {
        package var time: Timestamp
        package var localTime: String

        package init(time: Timestamp, localTime: String) {
            self.time = time
            self.localTime = localTime
        }
    }

    package init(schedule: String, timeZone: String, scheduleDescription: String, times: [PreviewedTime]) {
        self.schedule = schedule
        self.timeZone = timeZone
        self.scheduleDescription = scheduleDescription
        self.times = times
    }
}
