/// What happens to a scheduler.
package enum Event: Sendable {
    /// The end of a turn, or a timer: time to look at the clocks. Every other event only takes notice; this one acts.
    case tick
    case leaseAnswered(LeaseResult, sentAt: BootTime)
    case leaseConnectionLost(String)
    case leaseReleased
    case jobsLoaded([PlannedJob], isLast: Bool)
    case openExecutionsLoaded([Execution], isLast: Bool)
    case outageRowsLoaded([OutageRow], isLast: Bool)
    /// One of the reads above failed: asked again.
    case loadFailed(String)
    case committed(CommitResult, epoch: Int64, sequence: UInt64)
    /// What the REFRESH_INTERVAL re-read found: jobs that changed since the one before.
    case jobsRefreshed([PlannedJob])
    /// A row that a request read, and that may be newer than memory. Requests for the job that come later are judged after it.
    case jobRead(PlannedJob)
    case executionFound(Execution?, outcome: CallOutcome, worker: String, link: ConnectionID)
    /// That read failed.
    case executionNotRead(CallOutcome, worker: String, link: ConnectionID)

    case workerJoined(ConnectionID, name: String, bootID: UniqueID, maxWorkers: Int, features: Set<String> = [])
    case workerHeld(ConnectionID, epoch: Int64, [HeldCall])
    case workerGranted(ConnectionID, UInt64)
    case workerStarted(ConnectionID, [DispatchToken])
    /// The worker obeys a later epoch than the one that was announced to it.
    case workerRefusedLead(ConnectionID, epoch: Int64, highest: LeadProof)
    case workerAnsweredClaims(ConnectionID, rememberedMs: UInt64, [AnsweredClaim])
    /// Its monotonic clock showed that between the two instants.
    case workerClockRead(ConnectionID, microseconds: UInt64, sentAt: BootTime, receivedAt: BootTime)
    case workerReported(ConnectionID, [CallOutcome])
    case workerDrained(ConnectionID)
    case workerLeft(ConnectionID)

    case changeRequested(RequestID, ChangeRequest)
    /// SIGTERM: finish what can be finished, hand the lease over, end.
    case stopRequested
}

/// A change that a client asks for. The runner has read the job and merged and validated the settings; what the change
/// means for the executions is decided here.
package enum ChangeRequest: Sendable {
    case create(PlannedJob, IdempotencyRecord?)
    /// `job.version` is the version that was read, plus one.
    case update(PlannedJob, scheduleChanged: Bool)
    case delete(Job)
    case pause(Job)
    case resume(PlannedJob)
    /// Needs no row: the answer is `stale` if there is no such job in memory.
    case run(JobID, IdempotencyRecord?, nonce: UniqueID)
    case cancel(JobID, ExecutionID)
    case executeNow(PlannedJob, wait: Bool, nonce: UniqueID)
}

/// What became of a change.
package enum ChangeResult: Sendable {
    case job(Job)
    case deleted(JobID)
    case execution(Execution)
    /// The job changed since it was read: read it again.
    case stale
    /// No such execution in memory: it is over, or never was.
    case notOpen
    case refused(ClientError)
}

/// What a scheduler is to do.
package enum Action: Sendable {
    /// Under an epoch higher than `above`. A scheduler that does not get the lease records how many usable
    /// workers it has.
    case acquireLease(above: Int64, usableWorkers: Int)
    /// Gives the lease to a scheduler that stands by. This one goes on as a standby.
    case handOverLease(epoch: Int64, to: UniqueID)
    case renewLease(epoch: Int64)
    case releaseLease(epoch: Int64)
    case loadJobs
    case loadJobsNamed([JobID])
    case loadOpenExecutions(since: Timestamp)
    case loadOutageRows(Outage)
    case commit(WriteBatch)
    /// For a late report: its row, to see whether it is UNKNOWN. The report is acknowledged when that is settled.
    case findExecution(CallOutcome, worker: String, link: ConnectionID)

    /// To a worker: this scheduler leads (or, with no shards, leads no longer).
    case announceLead(ConnectionID, LeadProof, shards: [UInt8])
    case dispatch(ConnectionID, clusterTime: Timestamp, [DispatchedCall])
    case acknowledge(ConnectionID, [AcknowledgedOutcome])
    case cancelCalls(ConnectionID, [DispatchToken])
    /// Asks what the worker remembers of AT_MOST_ONCE calls.
    case queryClaims(ConnectionID, [QueriedClaim])
    /// A worker that cannot be served: it is told why, and its connection ends.
    case refuseWorker(ConnectionID, ClientError)

    case reply(RequestID, ChangeResult)
    /// Rows that became durable: for those who watch, and for the metrics.
    case recorded([Execution])
    /// All jobs are read now: edits with SQL from this cluster time on have to be searched.
    case beginEditSearch(Timestamp)
    /// The database's clock went back: edits from so much earlier on have to be searched.
    case extendEditSearch(backMs: Int64)
    case log(DispatcherLogEvent)
    /// All is handed over: the process may end.
    case stopped
}

/// Something that people should be able to read in the log.
package enum DispatcherLogEvent: Sendable, Hashable {
    /// The jobs are read next: `clusterTime` is from when on somebody may edit what was read.
    case leadershipTaken(epoch: Int64, clusterTime: Timestamp)
    case leadershipLost(String)
    /// No worker is connected, and that scheduler has some.
    case leadHandedOver(to: UniqueID)
    case leading(epoch: Int64, jobs: Int, openExecutions: Int)
    case outageOpened(Outage)
    case outageClosed
    case clockStepped(milliseconds: Int64)
    case loadFailed(String)
    case workerLost(name: String, executions: Int)
    /// A process came under the name of a worker that is connected.
    case workerNameInUse(name: String)
    /// Reports that had no effect, or another one than they asked for.
    case reportRejected(worker: String, why: String)
    /// A worker obeys a later epoch; `isProven` says whether this cluster ever held it.
    case leadRefused(worker: String, highest: Int64, isProven: Bool)
    /// A worker did not report a call within its timeout and a grace period.
    case callOverdue(worker: String, ExecutionID)
    /// The batch in flight took so long that due times were missed meanwhile.
    case batchStalled(milliseconds: Int64)
    case rowRefused(String)
    case materializationHeld(openExecutions: Int)
}
