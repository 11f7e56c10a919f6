/// An execution that is not over, as the leader keeps it.
struct OpenExecution {
    enum State: Equatable {
        /// Its row is in a batch that is not yet durable.
        case inserting
        /// Durable; waits for its time.
        case armed
        /// Due; waits for a free slot. A timer ends the waiting where there is a last time for its start.
        case ready
        /// AT_MOST_ONCE: the claim is in a batch, with a slot reserved.
        case claiming(ConnectionID)
        /// A worker has it.
        case dispatched(ConnectionID)
        /// A worker had it whose connection was cut; it may come back.
        case disconnected(worker: String)
        /// Taken over; nobody has said yet that he holds it.
        case recovered
        /// Waits for its next attempt.
        case retrying
        /// AT_MOST_ONCE: claimed once, held by nobody; becomes UNKNOWN at its time.
        case outcomePending
        /// Its end is in a batch that is not yet durable.
        case recording

        /// Whether a timer ends it.
        var waitsForTime: Bool {
            switch self {
            case .armed, .retrying, .outcomePending: true
            case .inserting, .ready, .claiming, .dispatched, .disconnected, .recovered, .recording: false
            }
        }

        var holder: Holder? {
            switch self {
            case .dispatched(let link): .connection(link)
            case .disconnected(let worker): .worker(worker)
            case .outcomePending: .unassigned
            case .inserting, .armed, .ready, .claiming, .recovered, .retrying, .recording: nil
            }
        }
    }

    /// Who has the current attempt, or should know of it: what executions are looked up by when a worker comes or goes.
    enum Holder: Hashable {
        case connection(ConnectionID)
        case worker(String)
        /// AT_MOST_ONCE: nobody is known to have it.
        case unassigned
    }

    var execution: Execution
    var job: Int32
    var state: State
    /// What its row says, as far as is known.
    var rowStatus: ExecutionStatus = .pending
    /// Cluster time of the current dispatch, microseconds.
    var dispatchedMicroseconds: Int64 = 0
    /// Whether a cancel was asked for while a worker had it, and by what.
    var cancelReason: Reason?
    /// Taken over, and not dispatched since: a worker may still say that it holds it.
    var isAdoptable = false
    /// Its last attempt was given up with its worker, and no other has begun: the worker may still come and say how it went.
    var isLost = false
    /// Made from the outage: paced.
    var isCatchUp = false
    /// Its worker has said something of the current attempt: that it runs, or for how long already.
    var isAcknowledged = false
    /// Its worker has said that the current attempt runs.
    var hasStarted = false
    /// When its current call must have been reported; `nil` when an earlier leader dispatched it.
    var deadline: BootTime?
    /// How often the current attempt came back without having been begun.
    var returns: UInt8 = 0
    /// Its worker has exceeded the attempt's timeout and was told to stop the call.
    var isOverdue = false
    /// The connection over which its worker was asked what it remembers of the claim.
    var queriedLink: ConnectionID?
    /// Someone waits for its end (ExecuteNow).
    var waiter: RequestID?
    /// Whether it is counted as open for its job.
    var countsAsOpen = false

    /// What an execution that waits becomes when its job is paused or deleted.
    var statusWhenJobEnds: ExecutionStatus {
        execution.attempts > 0 || execution.lostAttempts > 0 ? .cancelled : .skipped
    }

    /// Whether an attempt was begun, as far as is known.
    var hasBegun: Bool { execution.attempts > 0 || execution.lostAttempts > 0 || rowStatus != .pending }

    /// Dispatched, running, or waiting for a retry (design § 3), in whatever queue or batch that waiting happens. A run by
    /// hand is open from the moment it is accepted: nothing else may start before it.
    var isOpen: Bool {
        switch state {
        case .claiming, .dispatched, .disconnected, .recovered, .retrying, .outcomePending: true
        case .ready where InjectedFault.forgetsRetriesInOverlap.isActive,
            .recording where InjectedFault.forgetsRetriesInOverlap.isActive:
            false
        case .inserting, .armed, .ready: hasBegun || execution.trigger == .manual
        case .recording: !execution.status.isFinal
        }
    }

    /// The number that its current or next attempt has.
    var attemptNumber: Int { execution.attempts + 1 }
}
