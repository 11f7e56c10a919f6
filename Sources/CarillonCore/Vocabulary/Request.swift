/// A client's request. The cases are named after the protocol's messages.
package enum Request: Sendable, Hashable {
    case createJob(JobSettings, idempotencyKey: String?, fingerprint: String?)
    case getJob(JobID)
    case listJobs(ListJobs)
    /// `ifVersion`: the versions that the job may have; empty for any version.
    case updateJob(JobID, JobSettings, ifVersion: [Int64])
    case deleteJob(JobID, ifVersion: [Int64])
    case pauseJob(JobID)
    case resumeJob(JobID)
    case runJob(JobID, idempotencyKey: String?, fingerprint: String?)
    case listExecutions(ListExecutions)
    case getExecution(JobID, ExecutionID)
    case getLatestExecution(JobID)
    case getExecutionStats(JobID, from: Timestamp?, to: Timestamp?)
    case cancelExecution(JobID, ExecutionID)
    case watchExecutions(JobID?)
    case stopWatching
    case executeNow(JobSettings, wait: Bool)
    case refreshSchedule
    case previewSchedule(PreviewSchedule)
    case getCluster
}

package struct ListJobs: Sendable, Hashable {
    package var active: Bool?
    package var name: String?
    package var tag: String?
    package var lastStatus: ExecutionStatus?
    package var limit: UInt32?
    package var cursor: String?

    package init() {}
}

package struct ListExecutions: Sendable, Hashable {
    package var jobID: JobID?
    package var statuses: [ExecutionStatus] = []
    package var from: Timestamp?
    package var to: Timestamp?
    package var limit: UInt32?
    package var cursor: String?

    package init() {}
}

package struct PreviewSchedule: Sendable, Hashable {
    package var schedule: String
    package var timeZone: String?
    package var from: Timestamp?
    package var count: UInt32?
    /// The name in the API: CRON, SKIP, BOTH.
    package var daylightPolicy: String?

    package init(schedule: String) {
        self.schedule = schedule
    }
}
