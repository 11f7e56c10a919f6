/// A read that the request machine asks for.
package enum RequestRead: Sendable, Hashable {
    /// The row of a job, including deleted and ad-hoc jobs.
    case job(JobID)
    case idempotencyKey(operation: String, key: String)
    case jobs(JobQuery)
    case executions(ExecutionQuery)
    /// An execution with its failed attempts.
    case execution(ExecutionID, of: JobID)
    case latestExecution(of: JobID)
    case stats(JobID, from: Timestamp, to: Timestamp)
    /// Rows of jobs that were changed with SQL. The runner passes them to the dispatcher.
    case editedJobs
    /// The cluster as this process sees it.
    case cluster
}

/// The result of a read.
package enum RequestReadResult: Sendable {
    case job(Job?)
    case idempotencyKey(IdempotencyRecord?)
    case jobs([Job], hasMore: Bool, total: Int64?)
    case executions([Execution], hasMore: Bool)
    case execution(Execution?, failedAttempts: [Attempt])
    case stats(ExecutionStats)
    /// The edited rows were passed to the dispatcher, which now has this number of jobs.
    case editedJobs(jobCount: Int64)
    case cluster(ClusterView)
    case failed(ReadError)
}
