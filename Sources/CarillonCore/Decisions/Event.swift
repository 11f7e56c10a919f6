/// An event for the dispatcher.
package enum Event: Sendable {
    /// The end of a turn, or a timer. Other events only update state; this event acts on the time.
    case tick
    case leaseAnswered(LeaseResult, sentAt: BootTime)
    case leaseConnectionLost(String)
    case leaseReleased
    case jobsLoaded([PlannedJob], isLast: Bool)
    case openExecutionsLoaded([Execution], isLast: Bool)
    case outageRowsLoaded([OutageRow], isLast: Bool)
    /// One of the reads above failed; it is repeated.
    case loadFailed(String)
    case committed(CommitResult, epoch: Int64, sequence: UInt64)
    /// Jobs that changed since the previous REFRESH_INTERVAL re-read.
    case jobsRefreshed([PlannedJob])
    /// A row read for a request, which may be newer than memory. Later requests for the job are applied after it.
    case jobRead(PlannedJob)
    case executionFound(Execution?, outcome: CallOutcome, worker: String, link: ConnectionID)
    /// The read of an execution failed.
    case executionNotRead(CallOutcome, worker: String, link: ConnectionID)

    case workerJoined(ConnectionID, name: String, bootID: UniqueID, maxWorkers: Int, features: Set<String> = [])
    case workerHeld(ConnectionID, epoch: Int64, [HeldCall])
    case workerGranted(ConnectionID, UInt64)
    case workerStarted(ConnectionID, [DispatchToken])
    /// The worker rejected the lead because it has accepted a later epoch.
    case workerRefusedLead(ConnectionID, epoch: Int64, highest: LeadProof)
    case workerAnsweredClaims(ConnectionID, rememberedMs: UInt64, [AnsweredClaim])
    /// A reading of the worker's monotonic clock, taken between the two instants.
    case workerClockRead(ConnectionID, microseconds: UInt64, sentAt: BootTime, receivedAt: BootTime)
    case workerReported(ConnectionID, [CallOutcome])
    case workerDrained(ConnectionID)
    case workerLeft(ConnectionID)

    case changeRequested(RequestID, ChangeRequest)
    /// SIGTERM: finish running work, release the lease, stop.
    case stopRequested
}

/// A change that a client requests. The runner has read the job and validated the settings; the dispatcher decides the
/// effects on executions.
package enum ChangeRequest: Sendable {
    case create(PlannedJob, IdempotencyRecord?)
    /// `job.version` is the version that was read plus one.
    case update(PlannedJob, scheduleChanged: Bool)
    case delete(Job)
    case pause(Job)
    case resume(PlannedJob)
    /// Needs no row: the answer is `stale` if the job is not in memory.
    case run(JobID, IdempotencyRecord?, nonce: UniqueID)
    case cancel(JobID, ExecutionID)
    case executeNow(PlannedJob, wait: Bool, nonce: UniqueID)
}

/// The result of a change.
package enum ChangeResult: Sendable {
    case job(Job)
    case deleted(JobID)
    case execution(Execution)
    /// The job changed since it was read; the caller must read it again.
    case stale
    /// The execution is not in memory: it has ended or never existed.
    case notOpen
    case refused(ClientError)
}

/// An action that the runner performs for the dispatcher.
package enum Action: Sendable {
    /// Takes the lease under an epoch higher than `above`. Without the lease, stores this standby's number of usable
    /// workers.
    case acquireLease(above: Int64, usableWorkers: Int)
    /// Hands the lease over to a standby. This scheduler becomes a standby.
    case handOverLease(epoch: Int64, to: UniqueID)
    case renewLease(epoch: Int64)
    case releaseLease(epoch: Int64)
    case loadJobs
    case loadJobsNamed([JobID])
    case loadOpenExecutions(since: Timestamp)
    case loadOutageRows(Outage)
    case commit(WriteBatch)
    /// Reads the row for a late report, to check whether it is UNKNOWN. The report is acknowledged afterwards.
    case findExecution(CallOutcome, worker: String, link: ConnectionID)

    /// Informs a worker that this scheduler leads, or, without shards, that it no longer leads.
    case announceLead(ConnectionID, LeadProof, shards: [UInt8])
    case dispatch(ConnectionID, clusterTime: Timestamp, [DispatchedCall])
    case acknowledge(ConnectionID, [AcknowledgedOutcome])
    case cancelCalls(ConnectionID, [DispatchToken])
    /// Asks a worker what it remembers of AT_MOST_ONCE calls.
    case queryClaims(ConnectionID, [QueriedClaim])
    /// Rejects a worker with a reason and closes its connection.
    case refuseWorker(ConnectionID, ClientError)

    case reply(RequestID, ChangeResult)
    /// Rows that became durable, for watching clients and for the metrics.
    case recorded([Execution])
    /// The read of all jobs starts: search edits made with SQL from this cluster time on.
    case beginEditSearch(Timestamp)
    /// The database's clock stepped back by this amount: search edits from earlier times too.
    case extendEditSearch(backMs: Int64)
    case log(DispatcherLogEvent)
    /// The hand-over is complete: the process may end.
    case stopped
}

/// An event for the log.
package enum DispatcherLogEvent: Sendable, Hashable {
    /// The lease was taken at `clusterTime`; jobs are read next.
    case leadershipTaken(epoch: Int64, clusterTime: Timestamp)
    case leadershipLost(String)
    /// The lead was handed over, because no worker is connected and that scheduler has workers.
    case leadHandedOver(to: UniqueID)
    case leading(epoch: Int64, jobs: Int, openExecutions: Int)
    case outageOpened(Outage)
    case outageClosed
    case clockStepped(milliseconds: Int64)
    case loadFailed(String)
    case workerLost(name: String, executions: Int)
    /// A process connected under the name of a connected worker.
    case workerNameInUse(name: String)
    /// A report was rejected or corrected.
    case reportRejected(worker: String, why: String)
    /// A worker accepts only a later epoch; `isProven` says whether this cluster ever held that epoch.
    case leadRefused(worker: String, highest: Int64, isProven: Bool)
    /// A worker did not report a call within its timeout and a grace period.
    case callOverdue(worker: String, ExecutionID)
    /// The batch in flight took so long that due times were missed.
    case batchStalled(milliseconds: Int64)
    case rowRefused(String)
    case materializationHeld(openExecutions: Int)
}
