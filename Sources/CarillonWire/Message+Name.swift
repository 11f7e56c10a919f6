package import CarillonCore

extension Message {
    /// The message's name in the protocol's envelope: `create_job`, `dispatch`.
    package var name: String {
        switch self {
        case .hello: "hello"
        case .welcome: "welcome"
        case .ping: "ping"
        case .pong: "pong"
        case .goodbye: "goodbye"
        case .error: "error"
        case .lead: "lead"
        case .leadRefused: "lead_refused"
        case .holding: "holding"
        case .credit: "credit"
        case .dispatch: "dispatch"
        case .started: "started"
        case .outcome: "outcome"
        case .outcomeAck: "outcome_ack"
        case .cancel: "cancel"
        case .drain: "drain"
        case .claimQuery: "claim_query"
        case .claimAnswer: "claim_answer"
        case .request(let request): request.name
        case .answer(let answer): answer.name
        case .unknown: "unknown"
        }
    }
}

extension Request {
    package var name: String {
        switch self {
        case .createJob: "create_job"
        case .getJob: "get_job"
        case .listJobs: "list_jobs"
        case .updateJob: "update_job"
        case .deleteJob: "delete_job"
        case .pauseJob: "pause_job"
        case .resumeJob: "resume_job"
        case .runJob: "run_job"
        case .listExecutions: "list_executions"
        case .getExecution: "get_execution"
        case .getLatestExecution: "get_latest_execution"
        case .getExecutionStats: "get_execution_stats"
        case .cancelExecution: "cancel_execution"
        case .watchExecutions: "watch_executions"
        case .stopWatching: "stop_watching"
        case .executeNow: "execute_now"
        case .refreshSchedule: "refresh_schedule"
        case .previewSchedule: "preview_schedule"
        case .getCluster: "get_cluster"
        }
    }
}

extension Answer {
    package var name: String {
        switch self {
        case .job: "job"
        case .jobList: "job_list"
        case .deleted: "deleted"
        case .execution: "execution"
        case .executionList: "execution_list"
        case .executionStats: "execution_stats"
        case .scheduleRefreshed: "schedule_refreshed"
        case .schedulePreview: "schedule_preview"
        case .cluster: "cluster"
        }
    }
}
